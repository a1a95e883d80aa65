"""Rules for AWS break-glass access: one module per subject, one function per rule.

The pack knows nothing of the program: names and accepted grants come from the pack configuration,
policies/config/<stack>.json. Of the rest of the project it uses `alertpath` alone, for the proof of the whole
path; `make policy-pack` puts both into one folder.

A rule that has nothing to say about a resource reports "not applicable" instead of passing. Engine 3.259
prints nothing for it, and leaves the rule out of the passed ones in the policy summary events.
"""

from pulumi_policy import Policy

from . import (
    alarm_path,
    alarms,
    iam_full_access,
    key,
    messaging,
    placement,
    protection,
    relay,
    role_trust,
    rules,
    sizes,
    targets,
    user,
)

RULES: list[Policy] = [
    iam_full_access.IAM_FULL_ACCESS,
    iam_full_access.IAM_FULL_ACCESS_ACCEPTED,
    placement.US_EAST_1_PLACEMENT,
    placement.US_EAST_1_ALERTING_PRESENT,
    *user.RULES,
    *role_trust.RULES,
    *protection.RULES,
    *key.RULES,
    *messaging.RULES,
    *rules.RULES,
    *targets.RULES,
    *relay.RULES,
    *alarms.RULES,
    *sizes.RULES,
    *alarm_path.RULES,
]
"""Every rule of the pack, in the order in which they are registered."""
