"""IAM: passwords, who the caller is, and the credential report."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.iam.exceptions import ValidationError
from moto.iam.models import IAMBackend, User, iam_backends
from moto.iam.responses import IamResponse

from sandbox.cloud.moto_fixes.replacing import Function, corrects

_PROFILE, _CHANGED, _REPORT = "profile_created", "password_changed", "report_of_the_sandbox"
"""Attributes that moto's users and accounts get here."""

_ROOT = frozenset({"AccountAccessKeysPresent", "AccountMFAEnabled", "AccountSigningCertificatesPresent"})


@corrects(IAMBackend, "_init_aws_policies")
def aws_policies(original: Function, backend: Any) -> list[Any]:
    """AWS's managed policies, in the partition that the sandbox is about; moto makes them for all eight.

    That takes it half a second for each account.
    """
    return original(backend) if backend.partition == "aws" else []


@corrects(IamResponse, "create_login_profile")
def create_login_profile(original: Function, handler: Any) -> ActionResult:
    """A password has its own date and may have to be changed; moto takes the user's date, and forgets.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html
    """
    original(handler)
    user = handler.backend.get_user(handler._get_param("UserName"))
    vars(user)[_PROFILE] = vars(user)[_CHANGED] = utcnow()
    user.password_reset_required = _flag(handler)
    return _profile(user)


@corrects(IamResponse, "get_login_profile")
def get_login_profile(original: Function, handler: Any) -> ActionResult:
    """CreateDate is when the password was first given, also after changes; moto says the user's.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_LoginProfile.html
    """
    original(handler)  # says that there is none
    return _profile(handler.backend.get_user(handler._get_param("UserName")))


@corrects(IamResponse, "update_login_profile")
def update_login_profile(original: Function, handler: Any) -> ActionResult:
    """What is not given stays; moto takes the password away when only the flag is given.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateLoginProfile.html
    """
    user = handler.backend.get_login_profile(handler._get_param("UserName"))
    password, must_change = user.password, user.password_reset_required
    answer = original(handler)
    if handler._get_param("Password") is None:
        user.password = password
    else:
        vars(user)[_CHANGED] = utcnow()
    user.password_reset_required = _flag(handler, must_change)
    return answer


@corrects(IamResponse, "get_user")
def get_user(original: Function, handler: Any) -> ActionResult:
    """Without a name, the caller must be a user; for a role moto makes up a `default_user`.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
    """
    known = handler.backend.get_user_from_access_key_id(handler.get_access_key())
    if not handler._get_param("UserName") and known is None:
        raise ValidationError("Must specify userName when calling with non-User credentials")
    return original(handler)


@corrects(IamResponse, "get_account_summary")
def get_account_summary(original: Function, handler: Any) -> ActionResult:
    """Leave out what moto says of the root user: it has none, and says that its MFA is off.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
    """
    summary = original(handler).result["SummaryMap"]
    return ActionResult({"SummaryMap": {name: summary[name] for name in summary.keys() - _ROOT}})


@corrects(IAMBackend, "generate_report")
def generate_report(original: Function, backend: Any) -> None:
    """A report is of the time when it was generated; moto's is of 2015 and of now.

    AWS generates a new one every four hours at most; here each GenerateCredentialReport does.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateCredentialReport.html
    """
    original(backend)
    vars(backend)[_REPORT] = (backend.get_credential_report(), utcnow())


@corrects(IamResponse, "get_credential_report")
def get_credential_report(original: Function, handler: Any) -> ActionResult:
    """Answer the generated report with its own date. The line of the root user is left out: there is none.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html
    """
    answer = original(handler).result  # says that there is none
    content, generated = vars(handler.backend)[_REPORT]
    return ActionResult(answer | {"Content": content, "GeneratedTime": generated})


@corrects(User, "to_csv")
def to_csv(original: Function, user: Any) -> str:
    """A line of the report; moto says `not_supported`, and that the password is as old as the user.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    """
    fields = original(user).rstrip("\n").split(",")
    changed = vars(user).get(_CHANGED) if user.password else None
    fields[4] = "N/A" if changed is None else fields[4]
    fields[5] = _date(changed)
    policy = iam_backends[user.account_id]["aws"].account_password_policy
    days = policy.max_password_age if policy else 0
    fields[6] = _date(changed + timedelta(days=days) if changed and days else None)
    for key, first in zip([*user.access_keys, None, None][:2], (11, 16), strict=True):
        used = key and key.last_used
        fields[first : first + 2] = [used.region, used.service] if used else ["N/A", "N/A"]
    certificates = [*user.signing_certificates.values(), None, None][:2]
    fields[19], fields[21] = (_date(certificate and certificate.upload_date) for certificate in certificates)
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(fields)
    return line.getvalue()


def _profile(user: Any) -> ActionResult:
    profile = {
        "UserName": user.name,
        "CreateDate": vars(user)[_PROFILE],
        "PasswordResetRequired": user.password_reset_required,
    }
    return ActionResult({"LoginProfile": profile})


def _flag(handler: Any, otherwise: bool = False) -> bool:
    return str(handler._get_param("PasswordResetRequired", otherwise)).lower() == "true"


def _date(date: datetime | None) -> str:
    return date.strftime("%Y-%m-%dT%H:%M:%S+00:00") if date else "N/A"
