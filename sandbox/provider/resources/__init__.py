"""The resource types that the emulated provider offers: one class each, towards the emulated AWS.

Property names are those of pulumi-aws; `tests/sandbox/test_resources.py` holds them to the installed SDK.
A type or property that is not here is refused by name: the sandbox must not accept what it would ignore.
"""

from collections.abc import Mapping

from sandbox.provider.resources import cloudwatch, eventbridge, iam, kms, messaging, scheduler
from sandbox.provider.resources.base import Props, Resource, is_gone

__all__ = ["RESOURCES", "Props", "Resource", "is_gone"]

RESOURCES: Mapping[str, Resource] = {
    kind.token: kind()
    for kind in (
        iam.User, iam.Group, iam.Policy, iam.Role, iam.UserPolicy, iam.GroupPolicy, iam.RolePolicy,
        iam.UserPolicyAttachment, iam.GroupPolicyAttachment, iam.RolePolicyAttachment,
        iam.AccessKey, iam.UserLoginProfile, iam.VirtualMfaDevice,
        kms.Key, kms.Alias,
        messaging.Topic, messaging.TopicPolicy, messaging.TopicSubscription,
        messaging.Queue, messaging.QueuePolicy,
        eventbridge.EventBus, eventbridge.EventBusPolicy, eventbridge.EventArchive,
        eventbridge.EventRule, eventbridge.EventTarget,
        scheduler.ScheduleGroup, scheduler.Schedule,
        cloudwatch.LogGroup, cloudwatch.LogResourcePolicy, cloudwatch.MetricAlarm,
    )
}  # fmt: skip
