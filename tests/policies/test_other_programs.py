"""Programs that are not ours: the pack judges what it knows, and never ends a preview."""

import json
from collections.abc import Callable
from typing import Any

import breakglass_policies
import pulumi
import pulumi_aws as aws
import pytest
from breakglass_policies import decoding
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import mocks, proto
from pulumi_policy import EnforcementLevel, deserialize, policy


def emergency_admin() -> None:
    """Somebody's own break-glass user, with full control of IAM in five ways."""
    user = aws.iam.User("emergency", name="corp-emergency-admin")
    group = aws.iam.Group("emergency-admins", name="emergency-admins")
    aws.iam.UserGroupMembership("member", user=user.name, groups=[group.name])
    aws.iam.GroupPolicyAttachment(
        "group-attachment", group=group.name, policy_arn="arn:aws:iam::aws:policy/IAMFullAccess"
    )
    aws.iam.UserPolicy("inline", user=user.name, policy=allow("iam:*"))
    verbs = [f"iam:{verb}*" for verb in ("Create", "Put", "Attach", "Delete", "Update")]
    custom = aws.iam.Policy("custom", name="corp-iam", policy=allow(verbs))
    aws.iam.UserPolicyAttachment("user-attachment", user=user.name, policy_arn=custom.arn)
    aws.iam.PolicyAttachment(
        "attachment", users=[user.name], policy_arn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    everything_else = {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}
    aws.iam.Policy("custom2", name="corp-iam2", policy=document(everything_else))


def jobs() -> None:
    """A bucket, a function from an archive and a schedule that have nothing to do with break-glass."""
    aws.s3.Bucket("data", bucket="acme-data-9183")
    aws.kms.Key("bucket-key", description="bucket key", enable_key_rotation=False)
    lambda_may_assume = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = aws.iam.Role("fn", name="fn-role", assume_role_policy=document(lambda_may_assume))
    aws.iam.RolePolicyAttachment(
        "basic",
        role=role.name,
        policy_arn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    )
    function(role.arn)
    rule = aws.cloudwatch.EventRule("nightly", name="nightly", schedule_expression="rate(1 day)")
    aws.cloudwatch.EventTarget(
        "target", rule=rule.name, arn="arn:aws:lambda:us-east-1:555555555555:function:f"
    )
    aws.sqs.Queue("queue", name="jobs")
    topic = aws.sns.Topic("topic", name="orders")
    aws.sns.TopicSubscription("subscription", topic=topic.arn, protocol="email", endpoint="o@example.com")


def alarms() -> None:
    """A topic with its policy, an alarm and a key that have nothing to do with break-glass."""
    topic = aws.sns.Topic("topic", name="orders")
    events = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}
    policy_of = topic.arn.apply(lambda arn: document({**events, "Resource": arn}))
    aws.sns.TopicPolicy("policy", arn=topic.arn, policy=policy_of)
    aws.cloudwatch.MetricAlarm(
        "alarm",
        name="orders",
        comparison_operator="GreaterThanThreshold",
        evaluation_periods=1,
        alarm_actions=[topic.arn],
        region="us-east-1",
    )
    aws.kms.Key("key", policy=policy_of)


def function(role: pulumi.Input[str] = "arn:aws:iam::555555555555:role/x") -> None:
    """A function whose archive also has an empty file, which the engine sends without its text."""
    code = pulumi.AssetArchive(
        {"x.py": pulumi.StringAsset("def h(e,c): pass"), "__init__.py": pulumi.StringAsset("")}
    )
    aws.lambda_.Function("f", name="f", role=role, runtime="python3.12", handler="x.h", code=code)


def bucket_object() -> None:
    """An object from a file."""
    aws.s3.BucketObject("object", bucket="b", key="k", source=pulumi.FileAsset("Pulumi.yaml"))


def credentials_of_others() -> None:
    """An access key of a user with a name that Pulumi makes up."""
    user = aws.iam.User("ci")
    aws.iam.AccessKey("key", user=user.name)


PROGRAMS: dict[Callable[[], None], list[tuple[str, str]]] = {
    emergency_admin: [
        ("iam-full-access", name)
        for name in ("attachment", "custom", "custom2", "group-attachment", "inline")
    ],
    jobs: [],
    alarms: [],
    function: [],
    bucket_object: [],
    credentials_of_others: [],
}
"""Programs with the problems of each: mandatory policy and resource."""


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action: str | list[str]) -> str:
    return document({"Effect": "Allow", "Action": action, "Resource": "*"})


class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
        return {}, None


class Monitor(mocks.MockMonitor):
    """Keeps what the engine would send to a policy."""

    def __init__(self) -> None:
        super().__init__(Mocks())
        self.sent: list[proto.AnalyzerResource] = []

    def RegisterResource(self, request: Any) -> Any:
        if request.custom:
            # The mock's URNs name the stack as a parent; the engine's do not, so neither do these.
            dependencies = {
                key: proto.AnalyzerPropertyDependencies(
                    urns=[urn.replace("pulumi:pulumi:Stack$", "") for urn in value.urns]
                )
                for key, value in request.propertyDependencies.items()
            }
            self.sent.append(
                proto.AnalyzerResource(
                    type=request.type,
                    urn=f"urn:pulumi:stack::project::{request.type}::{request.name}",
                    name=request.name,
                    properties=_sent(request.object),
                    propertyDependencies=dependencies,
                )
            )
        return super().RegisterResource(request)


def _sent(properties: struct_pb2.Struct) -> struct_pb2.Struct:
    """Return properties as the engine sends them: an asset whose text is empty has a hash only."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: changed(item) for key, item in value.items()}
            if value.get(deserialize.SPECIAL_SIG_KEY) == deserialize.SPECIAL_ASSET_SIG and not value.get(
                "text", 1
            ):
                kept = {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_ASSET_SIG, "hash": "e3b0c442"}
            return kept
        return [changed(item) for item in value] if isinstance(value, list) else value

    made = struct_pb2.Struct()
    made.update(changed(json_format.MessageToDict(properties)))
    return made


@pytest.fixture
def analyzer(monkeypatch):
    """The pack's analyzer, without configuration."""
    for name in ("json_format", "deserialize_properties", "unknown_checking_proxy"):
        monkeypatch.setattr(policy, name, getattr(policy, name))
    decoding.decode_once()
    return policy._PolicyAnalyzerServicer(
        "breakglass", "0.1.0", breakglass_policies.POLICIES, EnforcementLevel.MANDATORY
    )


@pytest.mark.parametrize(
    ("program", "problems"), PROGRAMS.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_another_program_is_judged_by_what_it_has(analyzer, program, problems):
    monitor = Monitor()
    pulumi.runtime.mocks.set_mocks(Mocks(), preview=True, monitor=monitor)
    pulumi.runtime.test(program)()
    found = []
    for resource in monitor.sent:
        asked = proto.AnalyzeRequest(
            type=resource.type, urn=resource.urn, name=resource.name, properties=resource.properties
        )
        found += [(one, resource.name) for one in analyzer.Analyze(asked, None).diagnostics]
        assert list(analyzer.Remediate(asked, None).remediations) == []
    whole = analyzer.AnalyzeStack(proto.AnalyzeStackRequest(resources=monitor.sent), None)
    assert [one.message for one in whole.diagnostics] == []
    unchecked = {name for one, name in found if "can't run policy" in one.message}
    assert unchecked <= {"user-attachment"}  # its customer policy has no ARN yet
    mandatory = sorted(
        (one.policyName, name) for one, name in found if one.enforcementLevel == proto.MANDATORY
    )
    assert mandatory == problems
