"""The users can sign in, with password and MFA and by nothing else, and may do what is meant."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from alertpath.iam.evaluate import Principal, Request, Verdict, evaluate
from alertpath.model import Resource
from breakglass import naming
from breakglass.documents import MFA_ENROLMENT_ACTIONS
from drill.account import CANNOT_TELL, explained, is_missing
from drill.check import live
from drill.check.compare import as_rendered, redeploy
from drill.check.finding import Finding, not_ready, ready, unknown
from drill.check.probes import credential_report
from drill.check.probes.credential_report import Report, date
from drill.check.probes.judged import EVERYTHING, judgeable
from drill.check.subject import Subject

PASSWORD_AGE_AT_MOST = timedelta(days=365)
"""Age does not weaken a random password that lies sealed in a vault. But a year on, those who once read it
have moved on, and nobody has tried whether the vault still opens."""

Part = Callable[[Subject, str], Iterator[Finding]]
"""Looks at one thing of one user; yields what is wrong."""


def _each_user(subject: Subject, *parts: Part, well: str = "") -> Iterator[Finding]:
    """Yield what the parts find of each user, and that all is well where they find nothing.

    What cannot be read of one user hides neither the rest of that user nor the other users.
    """
    for name in subject.stack.settings.user.names:
        findings: list[Finding] = []
        for part in parts:
            try:
                findings.extend(part(subject, name))
            except CANNOT_TELL as error:
                if is_missing(error):
                    findings.append(not_ready(f"user {name} does not exist", redeploy(subject)))
                    break
                findings.append(unknown(f"{name}: {explained(error)}"))
        yield from findings or [ready(f"{name}: {well}")]


# ---- password


def sign_in(subject: Subject) -> Iterator[Finding]:
    """See that each user has a password that works at once, and how old it is.

    When it was last used is said, not judged: a user for emergencies only may never have signed in.
    """
    report = credential_report.read(subject.account)
    yield from _each_user(subject, partial(_password, report))


def _password(report: Report, subject: Subject, name: str) -> Iterator[Finding]:
    iam = subject.account.client("iam")
    used = live.user(subject.account, name).get("PasswordLastUsed")
    # AWS leaves it out for "never used" and for "not known" alike:
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html
    last = "never used" if used is None else f"last used {_ago(subject, used)}"
    try:
        profile = iam.get_login_profile(UserName=name)["LoginProfile"]
    except iam.exceptions.NoSuchEntityException:
        yield not_ready(
            f"{name} has no password: nobody can sign in to the console",
            f"python -m drill password {name}",
        )
        return
    if profile.get("PasswordResetRequired"):
        yield not_ready(
            f"{name} must set a new password at the next sign-in, and may not: nobody would get in",
            subject.aws(f"iam update-login-profile --user-name {name} --no-password-reset-required"),
        )
    yield _age(report, subject, name, profile.get("CreateDate"), last)


def _age(report: Report, subject: Subject, name: str, created: datetime | None, last: str) -> Finding:
    """Return how old a password is; `created` is when the user was first given one."""
    line = report.lines.get(name, {})
    if created and report.made and created > report.made:
        changed, line = created, {}  # the report is older than the password
    else:
        changed = date(line.get("password_last_changed"))
    if changed is None:
        said = line.get("password_last_changed") or "nothing of this user"
        problem = report.problem or f"the credential report says {said}"
        return unknown(f"{name}: could not tell how old the password is ({problem}), {last}")
    text = f"{name}: password set {_ago(subject, changed)}, {last}"
    as_of = f" (report of {report.made.astimezone(UTC):%d %B %H:%M} UTC)" if report.made else ""
    expires = date(line.get("password_next_rotation"))
    rotate = f"python -m drill password {name}"
    if expires is not None and expires <= subject.now:
        return not_ready(f"{text}: the account's password policy has let it expire{as_of}", rotate)
    if (subject.now - changed).days > PASSWORD_AGE_AT_MOST.days:
        return not_ready(f"{text}: must be within {PASSWORD_AGE_AT_MOST.days} days{as_of}", rotate)
    return ready(text)


def _ago(subject: Subject, then: datetime) -> str:
    days = (subject.now - then).days
    return "today" if days < 1 else f"{days} day{'s' if days > 1 else ''} ago"


# ---- MFA


def mfa(subject: Subject) -> Iterator[Finding]:
    """See that each user has an MFA device: the role's trust lets nobody in without one.

    Two devices in two places are advised, as AWS allows eight
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html).
    """
    yield from _each_user(subject, _devices)


def _devices(subject: Subject, name: str) -> Iterator[Finding]:
    found = _all(subject.account.client("iam").list_mfa_devices, "MFADevices", UserName=name)
    kinds = Counter(_kind(device.get("SerialNumber", "")) for device in found)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    if not found:
        device = naming.iam_arn(subject.account.id, f"mfa/{name}-1")
        yield not_ready(
            f"{name} has no MFA device: without one nobody can assume the role",
            subject.aws(
                f"iam create-virtual-mfa-device --virtual-mfa-device-name {name}-1 "
                f"--bootstrap-method QRCodePNG --outfile {name}.png"
            ),
            subject.aws(
                f"iam enable-mfa-device --user-name {name} --serial-number {device} "
                "--authentication-code1 CODE --authentication-code2 NEXT_CODE"
            ),
            fix="enrol a security key (docs/runbook.md, Set-up, step 5 to 8); or a virtual device",
        )
    elif len(found) == 1:
        yield ready(f"{name}: 1 MFA device ({listed}); two, kept in two places, are advised")
    else:
        yield ready(f"{name}: {len(found)} MFA devices ({listed})")


def _kind(serial: str) -> str:
    """Return what a device is: an ARN names it, a hardware token has its maker's number."""
    if not serial.startswith("arn:"):
        return "hardware token"
    return {"u2f": "security key", "mfa": "virtual"}.get(serial.split(":")[-1].split("/")[0], "other")


# ---- other credentials


@dataclass(frozen=True, kw_only=True)
class _Credential:
    """A kind of credential that a user must not have.

    Attributes:
        noun: What it is.
        operation: Method of the client that lists it.
        entries: The list in its answer.
        id: The field that names one.
        removal: The command that removes one, without the user's name and the id.
    """

    noun: str
    operation: str
    entries: str
    id: str
    removal: str


_CREDENTIALS = (
    _Credential(
        noun="access key",
        operation="list_access_keys",
        entries="AccessKeyMetadata",
        id="AccessKeyId",
        removal="delete-access-key --access-key-id",
    ),
    _Credential(
        noun="service-specific credential",
        operation="list_service_specific_credentials",
        entries="ServiceSpecificCredentials",
        id="ServiceSpecificCredentialId",
        removal="delete-service-specific-credential --service-specific-credential-id",
    ),
    _Credential(
        noun="SSH public key",
        operation="list_ssh_public_keys",
        entries="SSHPublicKeys",
        id="SSHPublicKeyId",
        removal="delete-ssh-public-key --ssh-public-key-id",
    ),
    _Credential(
        noun="signing certificate",
        operation="list_signing_certificates",
        entries="Certificates",
        id="CertificateId",
        removal="delete-signing-certificate --certificate-id",
    ),
)


def keys(subject: Subject) -> Iterator[Finding]:
    """See that the users have no credential besides password and MFA, active or not.

    An inactive one can be activated by whoever may change it, and nobody would be asked for MFA.
    """
    well = "no " + ", ".join(kind.noun for kind in _CREDENTIALS)
    yield from _each_user(subject, *(partial(_further, kind) for kind in _CREDENTIALS), well=well)


def _further(kind: _Credential, subject: Subject, name: str) -> Iterator[Finding]:
    operation = getattr(subject.account.client("iam"), kind.operation)
    for found in _all(operation, kind.entries, UserName=name):
        service = f" for {found['ServiceName']}" if "ServiceName" in found else ""
        id, status = found.get(kind.id, "ID"), found.get("Status", "status not known")
        yield not_ready(
            f"{name} has the {kind.noun} {id}{service} ({status})",
            subject.aws(f"iam {kind.removal} {id} --user-name {name}"),
            fix="find out who made it",
        )


def _all(operation: Callable[..., dict[str, Any]], entries: str, **asked: str) -> list[dict[str, Any]]:
    """Return all entries of all pages; boto3 has no paginator for some of these lists."""
    answer = operation(**asked)
    found: list[dict[str, Any]] = list(answer.get(entries) or ())
    while answer.get("IsTruncated") and answer.get("Marker"):
        answer = operation(**asked, Marker=answer["Marker"])
        found += answer.get(entries) or ()
    return found


# ---- permissions


def policies(subject: Subject) -> Iterator[Finding]:
    """Compare users, their policies and attachments with the rendered ones; there must be nothing else.

    A permissions boundary would be unexpected: it could forbid in an emergency what was meant to be allowed.
    """
    own = subject.of("User", "Policy", "UserPolicyAttachment")
    yield from as_rendered(subject, own, noun="users, policies and attachments")
    yield from _each_user(
        subject,
        _attached,
        _inline,
        _groups,
        _boundary,
        well="no further policy, no inline policy, no group, no boundary",
    )


def _attached(subject: Subject, name: str) -> Iterator[Finding]:
    wanted = {one["policyArn"] for one in subject.of("UserPolicyAttachment") if one["user"] == name}
    for arn in live.attached_to_user(subject.account, name):
        if arn not in wanted:
            yield not_ready(
                f"{name} has a further policy {arn}",
                _detach(subject, name, arn),
                fix="find out who attached it",
            )


def _detach(subject: Subject, name: str, arn: str) -> str:
    return subject.aws(f"iam detach-user-policy --user-name {name} --policy-arn {arn}")


def _inline(subject: Subject, name: str) -> Iterator[Finding]:
    answer = subject.account.client("iam").get_paginator("list_user_policies").paginate(UserName=name)
    for policy in (policy for page in answer for policy in page.get("PolicyNames") or ()):
        yield not_ready(
            f"{name} has an inline policy {policy}",
            subject.aws(f"iam delete-user-policy --user-name {name} --policy-name {policy}"),
            fix="find out who put it there",
        )


def _groups(subject: Subject, name: str) -> Iterator[Finding]:
    for group in _all(subject.account.client("iam").list_groups_for_user, "Groups", UserName=name):
        yield not_ready(
            f"{name} is in group {group['GroupName']}, whose policies count for it",
            subject.aws(f"iam remove-user-from-group --user-name {name} --group-name {group['GroupName']}"),
            fix="find out who added it",
        )


def _boundary(subject: Subject, name: str) -> Iterator[Finding]:
    found = live.user(subject.account, name).get("PermissionsBoundary")
    if found:
        yield not_ready(
            f"{name} has a permissions boundary {found.get('PermissionsBoundaryArn')}",
            subject.aws(f"iam delete-user-permissions-boundary --user-name {name}"),
            fix="find out who set it",
        )


# ---- enrolment


def enrolment(subject: Subject) -> Iterator[Finding]:
    """See that nobody without MFA can enrol an MFA device, as whoever has the password could do it first.

    The live policy that requires MFA is asked about each of the actions that AWS's own policy exempts, for a
    request by an access key and for one from the console.
    """
    if subject.stack.settings.user.mfa_enrolment != "closed":
        yield not_ready(
            "user.mfaEnrolment is open: whoever has the password can enrol an MFA device of their own",
            subject.pulumi("config set", "--path breakglass:user.mfaEnrolment closed"),
            redeploy(subject),
        )
        return
    (policy,) = (one for one in subject.of("Policy") if one["name"] == naming.REQUIRE_MFA_POLICY)
    yield from _each_user(
        subject,
        partial(_can_enrol, policy),
        _enrolment_attached,
        well="closed: no device can be enrolled without MFA",
    )


def _enrolment_attached(subject: Subject, name: str) -> Iterator[Finding]:
    arn = naming.policy_arn(subject.account.id, naming.MFA_ENROLMENT_POLICY)
    if arn in live.attached_to_user(subject.account, name):
        yield not_ready(
            f"{name} has the policy {naming.MFA_ENROLMENT_POLICY} attached", _detach(subject, name, arn)
        )


def _can_enrol(policy: Resource, subject: Subject, name: str) -> Iterator[Finding]:
    found = subject.look(policy)
    if found is None:
        yield not_ready(f"policy {policy['name']} does not exist: MFA is not required", redeploy(subject))
        return
    document = judgeable(found["policy"])
    exempt: list[str] = []
    open_questions: dict[str, list[str]] = {}
    for action in MFA_ENROLMENT_ACTIONS:
        decisions = [
            evaluate(request, identity=[EVERYTHING, document], resource_account=subject.account.id)
            for request in _enrolling(subject, name, action)
        ]
        verdicts = {decision.verdict: decision.reason for decision in decisions}
        if Verdict.ALLOWED in verdicts:
            exempt.append(action)
        elif Verdict.UNPROVEN in verdicts:
            reason = verdicts[Verdict.UNPROVEN].replace("identity policy 1", str(policy["name"]))
            open_questions.setdefault(reason, []).append(action)
    if exempt:
        yield not_ready(
            f"{policy['name']} lets {name} do this without MFA: {', '.join(exempt)}", redeploy(subject)
        )
    for reason, actions in open_questions.items():
        yield unknown(f"whether {policy['name']} denies {', '.join(actions)} cannot be told: {reason}")


def _enrolling(subject: Subject, name: str, action: str) -> Iterator[Request]:
    user = naming.user_arn(subject.account.id, name)
    resource = (
        naming.iam_arn(subject.account.id, f"mfa/{name}") if action.endswith("VirtualMFADevice") else user
    )
    if action == "iam:ListVirtualMFADevices":  # knows no resource
        resource = "*"
    for context in ({}, {"aws:MultiFactorAuthPresent": "false"}):
        yield Request(
            principal=Principal(arn=user),
            action=action,
            resource=resource,
            context={"aws:PrincipalArn": user, **context},
        )
