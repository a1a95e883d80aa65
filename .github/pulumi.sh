#!/usr/bin/env bash
# Runs `pulumi preview` or `pulumi up` on one stack with the policy pack enforced, from the project's folder:
#   sandbox/run .github/pulumi.sh preview mgmt
# It fails when pulumi does, and also when a policy could not run: pulumi mentions that and exits with 0.
set -euo pipefail

if [[ $# -ne 2 || ! $1 =~ ^(preview|up)$ ]]; then
    echo "usage: .github/pulumi.sh preview|up STACK" >&2
    exit 2
fi
verb=$1 stack=$2
options=(--stack "$stack" --policy-pack policies --policy-pack-config policies/config.json)
options+=(--diff --non-interactive --color never)
[[ $verb == preview ]] || options+=(--yes)

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
pulumi "$verb" "${options[@]}" 2>&1 | tee "$log" || status=$?
# -a: one byte that is not text would make grep take the log for binary, and show nothing.
unchecked=$(grep -ao "can't run policy.*" "$log" | sort -u || true)

verdict="passed, with the policy pack enforced"
if [[ $status -ne 0 ]]; then
    verdict="FAILED, exit code $status"
elif [[ -n $unchecked ]]; then
    status=1
    verdict="FAILED, a policy could not run"
fi
echo "pulumi $verb $stack: $verdict" >&2
if [[ -n $unchecked ]]; then
    cat >&2 <<END
A policy met a value that is not known before deployment, so it checked nothing:
$unchecked
Make the value known: build names and ARNs from the settings (breakglass/naming.py), not from the output of
another resource. Or let the policy do without it (policies/breakglass_policies).
END
fi

# Indented, not fenced: nothing in the log can end an indented block. A lone carriage return could, as it counts as
# a line break.
quoted() { tr -d '\r' | sed 's/^/    /'; }
{
    printf '### pulumi %s %s: %s\n\nWhat the policies reported:\n\n' "$verb" "$stack" "$verdict"
    { grep -aE -A1 '\[(mandatory|advisory)\]' "$log" || echo nothing; } | quoted
    printf '\nThe whole output:\n\n'
    quoted <"$log"
} >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
exit "$status"
