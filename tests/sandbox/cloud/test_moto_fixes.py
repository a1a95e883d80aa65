"""What a reader is told by the emulated AWS: what AWS would say, or a refusal, never what moto made up."""

import csv
import io
import json
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError
from moto.sns.models import SNSBackend

from sandbox.cloud import emulation
from sandbox.cloud.moto_fixes.replacing import corrects

HUB = "111111111111"


@pytest.fixture
def client(account):
    """Return clients in a Region that other tests leave alone."""

    def make(service, region="us-west-1"):
        return account.client(service, region)

    return make


def code(call, **parameters):
    """Name of the error with which the call is refused, at the first try and as the caller's fault."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] in range(400, 500)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 0
    return answer["Error"]["Code"]


def test_a_correction_of_what_moto_does_not_have_fails_loudly():
    with pytest.raises(RuntimeError, match=r"no method moto\.sns\.models\.SNSBackend\.gone, .* adapt the"):
        corrects(SNSBackend, "gone")(code)


IN_PROCESS = """
import boto3, moto
from sandbox.cloud import moto_fixes
posted = []
moto_fixes.apply(lambda *event: posted.append(event))
from sandbox.cloud.moto_fixes import ec2
with moto.mock_aws():
    session = boto3.Session("key", "secret", region_name="us-east-1")
    print(len(session.client("ec2").describe_regions()["Regions"]))
    session.client("events").put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}])
    print([bus for bus, event in posted])
moto_fixes.apply(print)
"""


def test_the_corrections_work_without_a_server_and_only_once():
    outcome = subprocess.run([sys.executable, "-c", IN_PROCESS], capture_output=True, text=True, check=False)
    regions, posted = outcome.stdout.splitlines()
    assert regions == "17"
    assert posted == "['arn:aws:events:us-east-1:123456789012:event-bus/default']"
    assert "is corrected already: apply the corrections once per process" in outcome.stderr


def test_the_enabled_regions_are_the_sandbox_s(client):
    answers = [client("ec2").describe_regions(AllRegions=every)["Regions"] for every in (False, True)]
    assert answers[0] == answers[1]
    assert [region["RegionName"] for region in answers[0]] == sorted(emulation.DEFAULT_REGIONS)
    assert {region["OptInStatus"] for region in answers[0]} == {"opt-in-not-required"}
    (one,) = client("ec2").describe_regions(RegionNames=["eu-west-1", "af-south-1"])["Regions"]
    assert one["Endpoint"] == "ec2.eu-west-1.amazonaws.com"


def test_regions_are_given_when_the_sandbox_is_made():
    with emulation.running(["eu-west-1", "af-south-1"]) as endpoint:
        assert emulation.signed_in(HUB, endpoint).regions() == ["af-south-1", "eu-west-1"]
    with (
        pytest.raises(RuntimeError, match="SANDBOX_REGIONS is 'everywhere'"),
        emulation.running(["everywhere"]),
    ):
        pass


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("events", "test_event_pattern", {"EventPattern": "{}", "Event": "{}"}),
        ("account", "list_regions", {}),
        ("iam", "list_service_specific_credentials", {}),
        ("iam", "generate_service_last_accessed_details", {"Arn": f"arn:aws:iam::{HUB}:user/somebody"}),
        ("organizations", "list_handshakes_for_account", {}),
        ("cloudtrail", "lookup_events", {}),
        ("accessanalyzer", "list_analyzers", {}),
        ("cloudwatch", "describe_alarm_history", {}),
        ("ec2", "describe_trunk_interface_associations", {}),
        ("route53", "list_cidr_collections", {}),
    ],
)  # fmt: skip
def test_what_moto_does_not_have_is_refused_at_once(client, service, operation, parameters):
    assert code(getattr(client(service), operation), **parameters) == "UnknownOperationException"


def test_what_moto_fails_on_is_refused_at_once_and_named(client):
    window, target = {"Mode": "OFF"}, {"Arn": "arn:aws:sqs:us-west-1:1:q", "RoleArn": "arn:aws:iam::1:role/r"}
    with pytest.raises(ClientError, match=r"does not emulate POST /schedules/s of scheduler: .* KeyError"):
        client("scheduler").create_schedule(
            Name="s", GroupName="none", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=window,
            Target=target,
        )  # fmt: skip


def test_errors_that_moto_means_pass(client):
    assert code(client("kms").describe_key, KeyId="alias/none") == "NotFoundException"
    assert code(client("iam").get_user, UserName="none") == "NoSuchEntity"
    assert code(client("s3").get_bucket_policy, Bucket="none-such") == "NoSuchBucket"


@pytest.mark.parametrize(
    "operation", ["list_accounts", "list_aws_service_access_for_organization", "describe_organization"]
)
def test_an_account_without_an_organisation_has_nothing_to_list(client, operation):
    assert code(getattr(client("organizations"), operation)) == "AWSOrganizationsNotInUseException"


def put_alarm(cloudwatch, threshold):
    cloudwatch.put_metric_alarm(
        AlarmName="alarm", Namespace="AWS/Events", MetricName="Invocations", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=threshold, ComparisonOperator="LessThanThreshold",
    )  # fmt: skip
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["alarm"])["MetricAlarms"]
    return alarm["StateValue"], alarm["StateReason"], alarm["Threshold"]


def test_a_new_alarm_has_not_been_evaluated_and_a_changed_one_keeps_its_state(client):
    cloudwatch = client("cloudwatch")
    initial = "Unchecked: Initial alarm creation"
    assert put_alarm(cloudwatch, 1) == ("INSUFFICIENT_DATA", initial, 1)
    cloudwatch.set_alarm_state(AlarmName="alarm", StateValue="ALARM", StateReason="a test")
    assert put_alarm(cloudwatch, 2) == ("ALARM", "a test", 2)


def test_resource_policies_of_a_log_group_and_of_the_account_are_apart(client):
    logs = client("logs")
    logs.create_log_group(logGroupName="/audit")
    arn = f"arn:aws:logs:us-west-1:{HUB}:log-group:/audit"
    logs.put_resource_policy(policyName="account", policyDocument="{}")
    assert code(logs.put_resource_policy, resourceArn=f"{arn}-not", policyDocument="{}") == (
        "ResourceNotFoundException"
    )
    first = logs.put_resource_policy(resourceArn=arn, policyDocument="{}")["revisionId"]

    (policy,) = logs.describe_resource_policies(policyScope="RESOURCE")["resourcePolicies"]
    assert (policy["resourceArn"], policy["policyScope"], policy["revisionId"]) == (arn, "RESOURCE", first)
    assert logs.describe_resource_policies(resourceArn=arn)["resourcePolicies"] == [policy]
    (policy,) = logs.describe_resource_policies()["resourcePolicies"]
    assert (policy["policyName"], policy["policyScope"]) == ("account", "ACCOUNT")

    change = {"resourceArn": arn, "policyDocument": '{"Version": "2012-10-17"}'}
    assert code(logs.put_resource_policy, **change) == "OperationAbortedException"
    second = logs.put_resource_policy(**change, expectedRevisionId=first)["revisionId"]
    assert code(logs.delete_resource_policy, resourceArn=arn, expectedRevisionId=first) == (
        "OperationAbortedException"
    )
    logs.delete_resource_policy(resourceArn=arn, expectedRevisionId=second)
    assert logs.describe_resource_policies(resourceArn=arn)["resourcePolicies"] == []
    assert code(logs.delete_resource_policy, resourceArn=arn) == "ResourceNotFoundException"
    logs.delete_resource_policy(policyName="account")
    assert logs.describe_resource_policies()["resourcePolicies"] == []


@pytest.fixture
def iam(client):
    return client("iam")


def report(iam):
    """Lines of a new credential report, by user, and when it was generated."""
    iam.generate_credential_report()
    answer = iam.get_credential_report()
    lines = csv.DictReader(io.StringIO(answer["Content"].decode()))
    return {line["user"]: line for line in lines}, answer["GeneratedTime"]


def test_a_password_has_dates_of_its_own(iam):
    user = iam.create_user(UserName="breakglass")["User"]
    assert code(iam.get_login_profile, UserName="breakglass") == "NoSuchEntity"
    assert report(iam)[0]["breakglass"]["password_last_changed"] == "N/A"
    time.sleep(1.1)  # the report has whole seconds
    iam.create_login_profile(UserName="breakglass", Password="first", PasswordResetRequired=True)
    profile = iam.get_login_profile(UserName="breakglass")["LoginProfile"]
    assert profile["PasswordResetRequired"] is True
    assert profile["CreateDate"] > user["CreateDate"]
    first = report(iam)[0]["breakglass"]["password_last_changed"]
    assert first == f"{profile['CreateDate'].astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}"

    time.sleep(1.1)
    iam.update_login_profile(UserName="breakglass", Password="second")
    assert iam.get_login_profile(UserName="breakglass")["LoginProfile"] == profile
    second = report(iam)[0]["breakglass"]["password_last_changed"]
    assert second > first
    iam.update_login_profile(UserName="breakglass", PasswordResetRequired=False)
    assert iam.get_login_profile(UserName="breakglass")["LoginProfile"]["PasswordResetRequired"] is False
    assert report(iam)[0]["breakglass"]["password_last_changed"] == second


def test_the_credential_report_says_what_is_known_and_what_is_not(iam):
    iam.create_user(UserName="reported")
    before = datetime.now(UTC)
    lines, generated = report(iam)
    assert generated >= before
    line = lines["reported"]
    assert "not_supported" not in line.values()
    assert (line["password_enabled"], line["password_last_used"], line["mfa_active"]) == (
        "false", "N/A", "false",
    )  # fmt: skip
    iam.create_login_profile(UserName="reported", Password="first")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="d")["VirtualMFADevice"]["SerialNumber"]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName="reported", SerialNumber=serial, **codes)
    held = iam.get_credential_report()["Content"].decode()
    assert "no_information" not in held.splitlines()[-1], "the report is of the time when it was generated"
    line = report(iam)[0]["reported"]
    assert (line["password_last_used"], line["password_next_rotation"], line["mfa_active"]) == (
        "no_information", "N/A", "true",
    )  # fmt: skip
    iam.update_account_password_policy(MaxPasswordAge=30)
    assert report(iam)[0]["reported"]["password_next_rotation"] > line["password_last_changed"]
    iam.delete_account_password_policy()


def test_a_role_is_no_user_and_of_the_root_user_nothing_is_said(iam):
    assert code(iam.get_user) == "ValidationError"
    assert not [name for name in iam.get_account_summary()["SummaryMap"] if name.startswith("Account")]


@pytest.fixture
def trail(client):
    """CloudTrail with a trail in all Regions and one in its own."""
    client("s3", "us-east-1").create_bucket(Bucket="trail-of-the-sandbox")
    cloudtrail = client("cloudtrail")
    for name in ("every", "single"):
        where = {"S3BucketName": "trail-of-the-sandbox", "IsMultiRegionTrail": name == "every"}
        cloudtrail.create_trail(Name=name, **where)
    yield cloudtrail
    for name in ("every", "single"):
        cloudtrail.delete_trail(Name=name)


def selectors(cloudtrail):
    answer = cloudtrail.get_event_selectors(TrailName="every")
    return answer["EventSelectors"], answer["AdvancedEventSelectors"]


def test_a_trail_records_what_its_selectors_say_and_by_default_all_management_events(trail):
    ((default,), _) = selectors(trail)
    assert (default["ReadWriteType"], default["IncludeManagementEvents"]) == ("All", True)
    assert trail.get_trail(Name="every")["Trail"]["HasCustomEventSelectors"] is False

    advanced = [{"Name": "a", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]
    trail.put_event_selectors(TrailName="every", AdvancedEventSelectors=advanced)
    assert selectors(trail) == ([], advanced)
    trail.put_event_selectors(TrailName="every", EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    assert selectors(trail) == ([default | {"ReadWriteType": "WriteOnly"}], [])
    assert trail.get_trail(Name="every")["Trail"]["HasCustomEventSelectors"] is True


def test_a_trail_of_all_regions_shows_elsewhere_as_a_shadow(trail, client):
    elsewhere = client("cloudtrail", "us-west-2")
    (shadow,) = elsewhere.describe_trails()["trailList"]
    assert (shadow["Name"], shadow["HomeRegion"]) == ("every", "us-west-1")
    assert elsewhere.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert [found["Name"] for found in trail.describe_trails(trailNameList=["single"])["trailList"]] == [
        "single"
    ]


def test_a_trail_tells_whether_it_is_logging_and_of_no_delivery(trail):
    assert trail.get_trail_status(Name="every")["IsLogging"] is False
    trail.start_logging(Name="every")
    status = trail.get_trail_status(Name="every")
    assert status["IsLogging"] is True
    assert "StartLoggingTime" in status
    assert "LatestDeliveryTime" not in status
    trail.stop_logging(Name="every")
    assert trail.get_trail_status(Name="every")["IsLogging"] is False


def test_a_schedule_has_a_date_and_always_a_state(client):
    scheduler = client("scheduler")
    settings = {
        "Name": "dated",
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": f"arn:aws:sqs:us-west-1:{HUB}:q", "RoleArn": f"arn:aws:iam::{HUB}:role/r"},
    }
    scheduler.create_schedule(**settings, State="DISABLED")
    created = scheduler.get_schedule(Name="dated")
    assert created["State"] == "DISABLED"
    scheduler.update_schedule(**settings)
    changed = scheduler.get_schedule(Name="dated")
    assert (changed["State"], changed["CreationDate"]) == ("ENABLED", created["CreationDate"])
    scheduler.delete_schedule(Name="dated")


def test_the_server_reaches_nobody_outside_and_keeps_nobody_waiting(client):
    """A webhook that is confirmed is not called; a queue that is gone does not fail the publication."""
    sns, sqs = client("sns"), client("sqs")
    topic = sns.create_topic(Name="outside")["TopicArn"]
    url = sqs.create_queue(QueueName="gone")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-west-1:{HUB}:gone")
    sqs.delete_queue(QueueUrl=url)
    sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://192.0.2.1/hook")
    assert sns.publish(TopicArn=topic, Message=json.dumps({}))["MessageId"]
