"""The requests on the path of an alert, each with the condition keys that AWS sends with it.

When AWS sends a key is on https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
under "Availability". Where neither this page nor one named below says whether AWS sends a key with such a
request, or which value it has, the key is unknown, so that a policy that depends on it proves nothing.
"""

from datetime import UTC, datetime

from alertpath.iam.evaluate import Principal, Request

_NOW = datetime.now(UTC)
"""One moment for all requests, so that equal ones have equal answers."""

_RESOURCE = {"aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:ResourceTag"}
_CALL = {"aws:Referer", "aws:SourceIp", "aws:UserAgent", "aws:userid", "sts:RoleSessionName"}
_UNKNOWN = _RESOURCE | _CALL
_PRINCIPAL = {"aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalType"}
_UNKNOWN_OF_SERVICE = _PRINCIPAL | {"aws:PrincipalServiceNamesList"}  # it has the service's name, and others
_UNKNOWN_WITH_SOURCE = {"aws:SourceOrgID", "aws:SourceOrgPaths"}
_SOURCE = {"aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths"}
_ROLE = {"aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalTag"}
_SESSION = {"aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent", "aws:TokenIssueTime"}
_EVENT = {"events:detail-type", "events:eventBusInvocation", "events:source"}
_UNKNOWN_OF_ROLE = _SOURCE | _ROLE | _SESSION | _EVENT
_VIA = {"aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:ViaAWSService", "kms:ViaService"}
_UNKNOWN_AT_KMS = _VIA | {"kms:CallerAccount", "kms:EncryptionContext", "kms:EncryptionContextKeys"}
"""A service uses a topic's key through SNS, and AWS does not say what KMS is told of that."""


def by_service(service: str, action: str, resource: str, **source: str) -> Request:
    """Return a request by a service; `source` is what it tells of whom it acts for, such as `SourceArn`.

    EventBridge tells KMS nothing (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html). What it
    tells SNS is not known: AWS's pages contradict each other, see `breakglass.documents.alert_topic`.
    """
    context = {"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": service}
    if service == "events.amazonaws.com" and action == "sns:Publish":
        return _request(Principal(service=service), action, resource, context, _UNKNOWN_OF_SERVICE | _SOURCE)
    context |= {f"aws:{key}": value for key, value in source.items()}
    unknown = _UNKNOWN_OF_SERVICE | (_UNKNOWN_WITH_SOURCE if source else set())
    return _request(Principal(service=service), action, resource, context, unknown)


def by_role(arn: str, action: str, resource: str, **sent: str) -> Request:
    """Return a request by a role that a service uses; `sent` are further keys, by their names in full.

    A rule that sends an event to another account's bus says so in events:eventBusInvocation
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html).
    """
    account = arn.split(":")[4]
    context = {
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalAccount": account,
        "aws:PrincipalArn": arn,
        "aws:PrincipalType": "AssumedRole",
    }
    if action == "events:PutEvents" and account != resource.split(":")[4]:
        context["events:eventBusInvocation"] = "true"
    return _request(Principal(arn=arn), action, resource, {**context, **sent}, _UNKNOWN_OF_ROLE)


def _request(
    principal: Principal, action: str, resource: str, context: dict[str, str], unknown: set[str]
) -> Request:
    """Add the keys that are in every request."""
    _, _, _, region, account, _ = resource.split(":", 5)
    context |= {
        "aws:SecureTransport": "true",
        "aws:CurrentTime": _NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(_NOW.timestamp())),
        "aws:ResourceAccount": account,
    }
    unknown = unknown | _UNKNOWN
    if region:
        context["aws:RequestedRegion"] = region
    else:  # a role is in no Region, and is assumed in any
        unknown |= {"aws:RequestedRegion"}
    if action.startswith("kms:"):
        unknown |= _UNKNOWN_AT_KMS
    else:
        context["aws:ViaAWSService"] = "false"
    return Request(principal=principal, action=action, resource=resource, context=context, unknown=unknown)
