"""A trail records what happens."""

from collections.abc import Iterator
from typing import Any

import pytest

from drill.check.finding import CheckFinding
from drill.check.probes import trail
from drill.check.runner import answer
from drill.check.stack_state import StackState
from sandbox.cloud import emulation
from tests.drill.conftest import Broken, Look, mends, states

HUB, MEMBER = "111111111111", "222222222222"
NAME = "everything"


@pytest.fixture(scope="module", autouse=True)
def trails(aws: str) -> Iterator[None]:
    """A trail as it must be in both accounts."""
    for account_id in (HUB, MEMBER):
        account = emulation.signed_in(account_id, aws)
        bucket = f"trail-of-{account_id}"
        account.client("s3", "us-east-1").create_bucket(Bucket=bucket)
        client = account.client("cloudtrail", "us-east-1")
        client.create_trail(Name=NAME, S3BucketName=bucket, IsMultiRegionTrail=True)
        client.start_logging(Name=NAME)
    yield
    for account_id in (HUB, MEMBER):
        account = emulation.signed_in(account_id, aws)
        account.client("cloudtrail", "us-east-1").delete_trail(Name=NAME)
        account.client("s3", "us-east-1").delete_bucket(Bucket=f"trail-of-{account_id}")


def found(stack_state: StackState) -> list[CheckFinding]:
    return answer(trail.trail, stack_state)


def basic(*selectors: dict[str, Any]) -> dict[str, Any]:
    return {"EventSelectors": list(selectors), "AdvancedEventSelectors": []}


def advanced(*selectors: list[dict[str, Any]]) -> dict[str, Any]:
    return {"AdvancedEventSelectors": [{"FieldSelectors": selector} for selector in selectors]}


def field(name: str, operator: str, *values: str) -> dict[str, Any]:
    return {"Field": name, operator: list(values), "StartsWith": []}


MANAGEMENT = field("eventCategory", "Equals", "Management")
EVERYTHING = {"ReadWriteType": "All", "IncludeManagementEvents": True, "ExcludeManagementEventSources": []}
NO_KMS = ["kms.amazonaws.com"]
READS, WRITES = EVERYTHING | {"ReadWriteType": "ReadOnly"}, EVERYTHING | {"ReadWriteType": "WriteOnly"}
LEFT_OUT = "excludes kms.amazonaws.com, so nobody is notified if the alarm's key is changed"

# (selectors, the stack, what is said where it is not ready; "" where it is)
SELECTORS = [
    (basic(EVERYTHING), "mgmt", ""),
    (basic({}), "mgmt", ""),
    (basic(READS, WRITES), "mgmt", ""),
    (basic(READS), "mgmt", "does not record write management events"),
    (basic(WRITES), "member", "does not record read management events"),
    (basic(EVERYTHING | {"IncludeManagementEvents": False}), "member", "does not record read and write"),
    (basic(EVERYTHING | {"ReadWriteType": "Odd"}), "member", "does not record read and write"),
    (basic(EVERYTHING | {"ExcludeManagementEventSources": NO_KMS}), "mgmt", LEFT_OUT),
    (basic(EVERYTHING | {"ExcludeManagementEventSources": NO_KMS}), "member", ""),
    (basic(EVERYTHING | {"ExcludeManagementEventSources": ["rdsdata.amazonaws.com"]}), "mgmt", ""),
    (basic(READS | {"ExcludeManagementEventSources": NO_KMS}, WRITES), "mgmt", ""),
    (basic(READS, WRITES | {"ExcludeManagementEventSources": NO_KMS}), "mgmt", LEFT_OUT),
    (advanced([MANAGEMENT]), "mgmt", ""),
    (advanced([MANAGEMENT, field("readOnly", "Equals", "true")]), "mgmt", "does not record write"),
    (advanced([MANAGEMENT, field("readOnly", "Equals", "false")]), "mgmt", "does not record read"),
    (
        advanced(
            [MANAGEMENT, field("readOnly", "Equals", "true")],
            [MANAGEMENT, field("readOnly", "Equals", "false")],
        ),
        "mgmt",
        "",
    ),
    (advanced([MANAGEMENT, field("eventSource", "NotEquals", *NO_KMS)]), "mgmt", LEFT_OUT),
    (advanced([MANAGEMENT, field("eventSource", "NotEquals", *NO_KMS)]), "member", ""),
    (
        advanced([MANAGEMENT, field("eventSource", "Equals", "iam.amazonaws.com")]),
        "member",
        "does not record read and write management events (it records only some, by eventSource Equals)",
    ),
    (advanced([field("eventCategory", "Equals", "Data")]), "member", "does not record read and write"),
    (advanced([]), "member", "does not record read and write"),
]


@pytest.mark.parametrize(("selectors", "stack", "text"), SELECTORS)
def test_what_a_trail_records_is_read_from_its_selectors(
    look: Look, broken: Broken, selectors: dict[str, Any], stack: str, text: str
) -> None:
    broken.answer("GetEventSelectors", lambda given: (given.clear(), given.update(selectors)))
    (stack_state,) = look(stack)
    (finding,) = found(stack_state)
    assert finding.state.value == ("not ready" if text else "ready"), finding
    if text:
        assert finding.text.startswith(f"trail {NAME}: {text}")
        assert f", Trails, {NAME}, Management events, Edit: " in finding.fix
    else:
        assert finding.text.startswith(
            f"trail {NAME} records read and write management events in all Regions"
        )


def test_the_trails_of_both_accounts_are_good(look: Look) -> None:
    for stack_state in look():
        (finding,) = found(stack_state)
        assert finding.text == f"trail {NAME} records read and write management events in all Regions"


def test_what_does_not_matter_to_the_alarm_is_worth_a_word(look: Look, broken: Broken) -> None:
    broken.answer("GetTrailStatus", lambda status: status.update(LatestDeliveryError="NoSuchBucket"))
    excluded = EVERYTHING | {"ExcludeManagementEventSources": NO_KMS}
    broken.answer("GetEventSelectors", lambda given: given.update(basic(excluded)))
    (stack_state,) = look("member")
    (finding,) = found(stack_state)
    assert finding.state.value == "ready"
    assert finding.text.endswith(
        "; its delivery to the bucket fails: NoSuchBucket; excludes events of kms.amazonaws.com"
    )


def test_without_a_trail_nobody_is_told_anything(look: Look, broken: Broken) -> None:
    broken.answer("DescribeTrails", lambda answer: answer.update(trailList=[]))
    (stack_state,) = look("member")
    (finding,) = found(stack_state)
    assert finding.state.value == "not ready"
    assert "aws cloudtrail create-trail" in mends(finding)
    assert "--is-multi-region-trail" in mends(finding)
    assert "aws cloudtrail start-logging" in mends(finding)
    broken.answer("DescribeTrails", lambda answer: answer.pop("trailList"))
    (stack_state,) = look("member")
    assert states(found(stack_state)) == ["not ready"]


def test_all_that_a_trail_lacks_is_said_with_its_commands(look: Look, broken: Broken) -> None:
    broken.answer("DescribeTrails", lambda answer: answer["trailList"][0].update(IsMultiRegionTrail=False))
    broken.answer("GetTrailStatus", lambda status: status.update(IsLogging=False))
    broken.answer("GetEventSelectors", lambda given: given.update(basic(READS)))
    (stack_state,) = look("member")
    (finding,) = found(stack_state)
    assert finding.text == (
        f"trail {NAME}: covers us-east-1 only, is not logging, does not record write management events"
    )
    arn = f"arn:aws:cloudtrail:us-east-1:{MEMBER}:trail/{NAME}"
    assert f"aws cloudtrail update-trail --is-multi-region-trail --name {arn} --region us-east-1" in mends(
        finding
    )
    assert f"aws cloudtrail start-logging --name {arn} --region us-east-1" in mends(finding)


def organizations(answer: dict[str, Any]) -> None:
    answer["trailList"] = [
        {
            "Name": "organisation",
            "TrailARN": f"arn:aws:cloudtrail:eu-west-1:{HUB}:trail/organisation",
            "HomeRegion": "eu-west-1",
            "IsMultiRegionTrail": True,
            "IsOrganizationTrail": True,
        },
        *answer["trailList"],
    ]


def test_a_trail_of_the_organisation_that_cannot_be_read_leaves_it_open(look: Look, broken: Broken) -> None:
    broken.answer("DescribeTrails", organizations)
    broken.answer("GetTrailStatus", lambda status: status.update(IsLogging=False), region="us-east-1")
    broken.refuse("GetTrailStatus", "AccessDeniedException", region="eu-west-1")
    (stack_state,) = look("member")
    findings = found(stack_state)
    assert states(findings) == ["could not tell", "could not tell"]
    assert findings[0].text == (
        "trail organisation: access denied to GetTrailStatus: `python -m drill policy` prints what is needed"
    )
    assert findings[1].text == f"trail {NAME}: is not logging"
    assert mends(findings[1])


def test_another_good_trail_settles_it(look: Look, broken: Broken) -> None:
    broken.answer("DescribeTrails", organizations)
    broken.refuse("GetEventSelectors", "AccessDeniedException", region="eu-west-1")
    broken.refuse("GetTrailStatus", "TrailNotFoundException", region="eu-west-1")
    (stack_state,) = look("member")
    (finding,) = found(stack_state)
    assert (finding.state.value, finding.text.split()[1]) == ("ready", NAME)


def test_what_mends_the_trail_of_another_account_says_whose_it_is(look: Look, broken: Broken) -> None:
    def of_one_region(answer: dict[str, Any]) -> None:
        organizations(answer)
        answer["trailList"][0]["IsMultiRegionTrail"] = False
        del answer["trailList"][1:]

    broken.answer("DescribeTrails", of_one_region)
    (stack_state,) = look("member")
    (finding,) = found(stack_state)
    assert (finding.state.value, finding.text) == ("not ready", "trail organisation: covers eu-west-1 only")
    assert finding.commands[0].endswith("--region eu-west-1 --profile mgmt")


UNREADABLE = [
    ("DescribeTrails", "AccessDeniedException", "access denied to DescribeTrails: `python -m drill policy`"),
    ("DescribeTrails", "ThrottlingException", "throttled at DescribeTrails, 5 times: try again later"),
    (
        "DescribeTrails",
        "UnrecognizedClientException",
        "the credentials are not valid here (UnrecognizedClientException at DescribeTrails): the Region",
    ),
    ("DescribeTrails", "OptInRequired", "the credentials are not valid here (OptInRequired at"),
    ("GetTrailStatus", "AccessDeniedException", f"trail {NAME}: access denied to GetTrailStatus"),
    ("GetEventSelectors", "ThrottlingException", f"trail {NAME}: throttled at GetEventSelectors, 5 times"),
    (
        "GetEventSelectors",
        "UnrecognizedClientException",
        f"trail {NAME}: the credentials are not valid here (UnrecognizedClientException",
    ),
]


@pytest.mark.parametrize(("operation", "code", "text"), UNREADABLE)
def test_what_cannot_be_read_is_not_taken_for_ready(
    look: Look, broken: Broken, operation: str, code: str, text: str
) -> None:
    broken.refuse(operation, code)
    (stack_state,) = look("member")
    (finding,) = found(stack_state)
    assert finding.state.value == "could not tell"
    assert finding.text.startswith(text)


# (operation, what its answer lacks)
ODD = [
    ("GetTrailStatus", lambda answer: answer.pop("IsLogging"), "AWS's answer has no 'IsLogging'"),
    ("GetEventSelectors", lambda answer: answer.clear(), "AWS's answer has no 'EventSelectors'"),
    ("GetEventSelectors", lambda answer: answer.update(basic()), "AWS's answer has no 'EventSelectors'"),
]


@pytest.mark.parametrize(("operation", "change", "text"), ODD)
def test_an_answer_that_says_nothing_is_not_taken_for_ready(
    look: Look, broken: Broken, operation: str, change: Any, text: str
) -> None:
    broken.answer(operation, change)
    (stack_state,) = look("member")
    (finding,) = found(stack_state)
    assert (finding.state.value, finding.text) == ("could not tell", f"trail {NAME}: {text}")


def test_a_trail_that_is_not_logging_is_not_ready_whatever_else_cannot_be_read(
    look: Look, broken: Broken
) -> None:
    broken.answer("GetTrailStatus", lambda status: status.update(IsLogging=False))
    broken.refuse("GetEventSelectors", "AccessDeniedException")
    (stack_state,) = look("member")
    assert states(found(stack_state)) == ["not ready"]


def test_without_credentials_that_is_said(look: Look) -> None:
    (stack_state,) = look("member")
    stack_state.account.session, stack_state.account.problem = (
        None,
        "no credentials for stack member: none found",
    )
    (finding,) = found(stack_state)
    assert (finding.state.value, finding.text) == (
        "could not tell",
        "no credentials for stack member: none found",
    )
