"""CloudWatch Logs: resource policies of a log group, besides those of the account."""

import json
import time
import uuid
from typing import Any

from moto.logs.exceptions import LogsClientError, ResourceNotFoundException
from moto.logs.responses import LogsResponse

from sandbox.cloud.moto_fixes.replacing import Function, corrects

_KEPT = "policy_of_the_sandbox"
"""Attribute of moto's log group that holds its policy: so it goes when the group goes, as in AWS."""


@corrects(LogsResponse, "put_resource_policy")
def put_resource_policy(original: Function, handler: Any) -> str:
    """With `resourceArn` the policy is the log group's own, one per group; moto ignores `resourceArn`.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
    """
    arn = handler._get_param("resourceArn")
    if arn is None:
        answer = json.loads(original(handler))
        answer["resourcePolicy"]["policyScope"] = "ACCOUNT"
        return json.dumps(answer)
    group = _group(handler, arn)
    _check_revision(handler, group)
    policy = {
        "policyDocument": handler._get_param("policyDocument"),
        "lastUpdatedTime": time.time_ns() // 1_000_000,
        "policyScope": "RESOURCE",
        "resourceArn": arn,
        "revisionId": uuid.uuid4().hex,
    }
    vars(group)[_KEPT] = policy
    return json.dumps({"resourcePolicy": policy, "revisionId": policy["revisionId"]})


@corrects(LogsResponse, "describe_resource_policies")
def describe_resource_policies(original: Function, handler: Any) -> str:
    """Policies of log groups are listed for their ARN, or in scope RESOURCE; the others by default.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeResourcePolicies.html
    """
    arn = handler._get_param("resourceArn")
    if arn is None and handler._get_param("policyScope", "ACCOUNT") == "ACCOUNT":
        policies = json.loads(original(handler))["resourcePolicies"]
        return json.dumps({"resourcePolicies": [policy | {"policyScope": "ACCOUNT"} for policy in policies]})
    groups = handler.logs_backend.groups.values() if arn is None else [_group(handler, arn)]
    return json.dumps({"resourcePolicies": [vars(group)[_KEPT] for group in groups if _KEPT in vars(group)]})


@corrects(LogsResponse, "delete_resource_policy")
def delete_resource_policy(original: Function, handler: Any) -> str:
    """With `resourceArn` it deletes the log group's policy, with a name the account's.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteResourcePolicy.html
    """
    arn = handler._get_param("resourceArn")
    if arn is None:
        return original(handler)
    group = _group(handler, arn)
    if _KEPT not in vars(group):
        raise ResourceNotFoundException(f"Policy of [{arn}] does not exist")
    _check_revision(handler, group)
    del vars(group)[_KEPT]
    return ""


def _group(handler: Any, arn: str) -> Any:
    """Return moto's log group; a policy cannot be put on, or read from, one that does not exist."""
    for group in handler.logs_backend.groups.values():
        if group.arn.removesuffix(":*") == arn.removesuffix(":*"):
            return group
    raise ResourceNotFoundException


def _check_revision(handler: Any, group: Any) -> None:
    """Refuse to overwrite a policy whose revision the caller did not read."""
    policy = vars(group).get(_KEPT)
    if policy and handler._get_param("expectedRevisionId") != policy["revisionId"]:
        message = f"expectedRevisionId is not the policy's current revision, {policy['revisionId']}"
        raise LogsClientError("OperationAbortedException", message)
