"""Every single fault of the catalogue is found and attributed; the intact stacks raise no alarm."""

import copy
import json

import pytest

from alertpath.model import UNKNOWN, deployment, from_stack_export
from alertpath.proof import findings, problems, prove
from alertpath.trace import Outcome
from breakglass.detections.catalogue import DETECTIONS
from tests.alertpath.exports import export
from tests.alertpath.faults import FAULTS, HUB, NOTHING, REGION, RULE, change, edited, entry

REGIONS = ["us-east-1", "eu-west-1", "us-west-2"]


@pytest.fixture(scope="module")
def exports():
    return {stack: export(stack, REGIONS) for stack in ("mgmt", "member")}


def judged(exports):
    resources = [
        resource for stack in exports for resource in from_stack_export(json.dumps(exports[stack]), stack)
    ]
    return prove(deployment(resources))


def test_the_intact_stacks_ring_and_nothing_quiet_does(exports):
    judgements = judged(exports)
    assert len(judgements) > 100
    assert findings(judgements) == []
    outcomes = {(one.scenario.action, one.outcome) for one in judgements}
    assert outcomes == {
        ("notify", Outcome.DELIVERED),
        ("record", Outcome.RECORDED),
        ("quiet", Outcome.RECORDED),
    }
    covered = {(one.account, one.region) for one in judgements}
    assert covered == {(account, region) for account in ("1" * 12, "2" * 12) for region in REGIONS}


def test_the_proof_plays_every_detection(exports):
    assert {one.scenario.detection for one in judged(exports)} >= {one.id for one in DETECTIONS}


def test_no_fault_is_there_twice():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_and_the_right_resource_is_blamed(exports, fault):
    faulty = copy.deepcopy(exports)
    blamed = fault.inject(faulty)
    wrong = list(problems(judged(faulty)))
    assert {one.resource for one in wrong} == {blamed}
    assert all(one.reason for one in wrong)


@pytest.mark.parametrize(
    ("resource", "operator", "key", "value", "outcome"),
    [
        ("topic-policy", "StringEquals", "aws:PrincipalServiceName", "events.amazonaws.com", Outcome.LOST),
        ("topic-policy", "Bool", "aws:ViaAWSService", "false", Outcome.LOST),
        ("topic-policy", "DateLessThan", "aws:CurrentTime", "2099-01-01T00:00:00Z", Outcome.LOST),
        ("topic-policy", "StringEquals", "aws:RequestedRegion", "us-east-1", Outcome.LOST),
        ("topic-policy", "StringNotEqualsIfExists", "aws:SourceOrgID", "o-a", Outcome.UNPROVEN),
        ("key", "StringEquals", "aws:ResourceAccount", "111111111111", Outcome.LOST),
        ("key", "ForAnyValue:StringLike", "aws:PrincipalServiceNamesList", "events.*", Outcome.UNPROVEN),
        ("bus-policy", "StringLike", "events:source", "aws.*", Outcome.LOST),
        ("bus-policy", "StringEquals", "events:detail-type", "AWS API Call via CloudTrail", Outcome.LOST),
        ("bus-policy", "StringEquals", "aws:RequestedRegion", "us-east-1", Outcome.LOST),
        ("bus-policy", "NotIpAddress", "aws:SourceIp", "10.0.0.0/8", Outcome.UNPROVEN),
    ],
)
def test_a_denial_by_a_key_that_aws_sends_or_may_send_is_found(
    exports, resource, operator, key, value, outcome
):
    wrong = denied_to_all(exports, resource, {operator: {key: value}})
    assert {one.outcome for one in wrong} == {outcome}
    assert {one.resource.rsplit("::", 1)[-1] for one in wrong} == {f"break-glass-alerts-{resource}"}


def test_a_denial_on_the_bus_holds_for_the_hub_s_own_account_too(exports):
    wrong = denied_to_all(exports, "bus-policy", {"Bool": {"events:eventBusInvocation": "true"}})
    # AWS names the key for a bus of another account only.
    outcomes = {("1" * 12, Outcome.UNPROVEN), ("2" * 12, Outcome.LOST)}
    assert {(one.account, one.outcome) for one in wrong} == outcomes
    assert {one.account for one in denied_to_all(exports, "bus-policy", {})} == {"1" * 12, "2" * 12}


@pytest.mark.parametrize("resource", ["topic-policy", "key", "alarms-policy"])
def test_a_data_perimeter_that_spares_aws_s_services_is_fine(exports, resource):
    perimeter = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    assert denied_to_all(exports, resource, perimeter) == []


def denied_to_all(exports, resource, condition):
    """The problems when a policy denies everything to everybody under a condition."""
    denial = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition}
    deny = edited(lambda statements: statements.append(denial))
    changed = copy.deepcopy(exports)
    change("", "mgmt", f"break-glass-alerts-{resource}", policy=deny).inject(changed)
    return list(problems(judged(changed)))


def subscribed_instead(exports, protocol, endpoint):
    """The exports with another endpoint instead of the only person subscribed to the first topic."""
    changed = copy.deepcopy(exports)
    mail = entry(changed, "mgmt", "break-glass-alerts-subscription-email-786906db")
    for place in ("inputs", "outputs"):
        mail[place] |= {"protocol": protocol, "endpoint": endpoint}
    return changed


@pytest.mark.parametrize(
    "queue",
    [
        "us-east-1:111111111111:breakglass-hub-drill",
        "eu-west-1:333333333333:breakglass-watchdog-drill",
        "us-east-1:111111111111:breakglass-hub-dlq",
        "us-east-1:111111111111:breakglass-relays-dlq",
    ],
)
def test_what_only_a_queue_of_ours_hears_is_lost(exports, queue):
    lost = list(problems(judged(subscribed_instead(exports, "sqs", f"arn:aws:sqs:{queue}"))))
    assert {one.outcome for one in lost} == {Outcome.LOST}
    assert {one.reason for one in lost} == {"nobody is subscribed to the topic"}
    assert {one.resource.rsplit("::", 1)[-1] for one in lost} == {"break-glass-alerts-topic"}
    assert {one.scenario.action for one in lost} == {"notify"}


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("sqs", "arn:aws:sqs:us-east-1:111111111111:alerts"),
        ("sqs", "arn:aws:sqs:us-east-1:111111111111:my-breakglass-hub-drill"),
        ("sqs", "arn:aws:sqs:us-east-1:111111111111:breakglass-hub-drill-2"),
        ("sqs", {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}),
        ("https", "https://example.com/a:breakglass-hub-drill"),
    ],
)
def test_whatever_else_is_subscribed_counts(exports, protocol, endpoint):
    assert findings(judged(subscribed_instead(exports, protocol, endpoint))) == []


def test_the_drill_queue_is_not_needed(exports):
    without = copy.deepcopy(exports)
    resources = without["mgmt"]["deployment"]["resources"]
    resources[:] = [one for one in resources if "::break-glass-alerts-drill" not in one["urn"]]
    assert len(exports["mgmt"]["deployment"]["resources"]) - len(resources) == 2
    assert findings(judged(without)) == []


def test_what_is_told_though_it_must_only_be_recorded_is_blamed_on_the_rule_that_tells(exports):
    """Whether or not the message would arrive: the rule is wrong before anybody has confirmed."""
    faulty = copy.deepcopy(exports)
    blamed = next(fault for fault in FAULTS if fault.name == "a quiet drill is told").inject(faulty)
    for confirmed in (True, False):
        for resource in faulty["mgmt"]["deployment"]["resources"]:
            if resource["type"].endswith(":TopicSubscription"):
                resource["outputs"]["pendingConfirmation"] = not confirmed
        told = [one for one in problems(judged(faulty)) if one.scenario.detection == "drill-quiet"]
        assert {(one.account, one.region) for one in told} == {
            (account, region) for account in ("1" * 12, "2" * 12) for region in REGIONS
        }
        assert {(one.resource, one.outcome, one.reason) for one in told} == {
            (
                blamed,
                Outcome.DELIVERED,
                "must be recorded only, but rule capture-breakglass-drill tells people",
            )
        }


SIGN_IN = "break-glass-alerts-rule-user-sign-in"
SIGN_IN_TARGET = "break-glass-alerts-target-user-sign-in-SendToSNS"
RELAY = f"break-glass-relay-{REGION}-rule-2-target"


@pytest.mark.parametrize(
    ("fault", "outcome", "reason"),
    [
        (
            change("", "mgmt", SIGN_IN, eventPattern='{"source": "x"}'),
            Outcome.UNPROVEN,
            "the pattern of rule capture-breakglass-user-sign-in cannot be judged: $.source is a string",
        ),
        (
            change("", "mgmt", SIGN_IN_TARGET, arn=f"arn:aws:lambda:us-east-1:{HUB}:function:f"),
            Outcome.UNPROVEN,
            "targets such as arn:aws:lambda:us-east-1:111111111111:function:f are not judged",
        ),
        (
            change("", "member", RELAY, arn=f"arn:aws:events:us-east-1:{HUB}:event-bus/other"),
            Outcome.LOST,
            "the bus arn:aws:events:us-east-1:111111111111:event-bus/other does not exist",
        ),
    ],
)
def test_the_reason_says_what_is_wrong(exports, fault, outcome, reason):
    faulty = copy.deepcopy(exports)
    blamed = fault.inject(faulty)
    wrong = [one for one in problems(judged(faulty)) if one.resource == blamed]
    assert {one.outcome for one in wrong} == {outcome}
    assert all(one.reason.startswith(reason) for one in wrong)


def test_a_sixth_target_of_a_rule_is_lost(exports):
    faulty = copy.deepcopy(exports)
    resources = faulty["mgmt"]["deployment"]["resources"]
    target = entry(faulty, "mgmt", SIGN_IN_TARGET)
    resources += [{**copy.deepcopy(target), "urn": f"{target['urn']}-{number}"} for number in range(2, 7)]
    wrong = problems(judged(faulty))
    assert {(one.resource, one.reason) for one in wrong} == {
        (f"{target['urn']}-6", "a rule has at most 5 targets")
    }


def test_where_a_covered_region_has_no_rule_at_all_its_bus_is_to_blame(exports):
    faulty = copy.deepcopy(exports)
    resources = faulty["member"]["deployment"]["resources"]
    resources[:] = [one for one in resources if f"-{REGION}-rule" not in one["urn"]]
    wrong = problems(judged(faulty))
    assert {(one.account, one.region) for one in wrong} == {("2" * 12, REGION)}
    bus = f"arn:aws:events:{REGION}:{'2' * 12}:event-bus/default"
    assert {(one.resource, one.reason) for one in wrong} == {
        (bus, f"rule breakglass-relay is missing in {REGION} of {'2' * 12}")
    }


@pytest.mark.parametrize("pattern", [NOTHING, "{", '{"source": ["nothing"], "detail": {}}'])
def test_where_all_regions_have_the_same_wrong_pattern_the_closest_rule_is_to_blame(exports, pattern):
    faulty = copy.deepcopy(exports)
    for one in faulty["member"]["deployment"]["resources"]:
        if one["type"] == RULE and one["urn"].endswith("-rule-2"):
            one["outputs"]["eventPattern"] = pattern
    wrong = [one for one in problems(judged(faulty)) if one.region == REGION]
    assert wrong
    assert all("-rule" in one.resource and "::break-glass-relay-" in one.resource for one in wrong)


def test_a_role_of_another_account_is_lost_even_if_it_trusts_everybody(exports):
    faulty = copy.deepcopy(exports)
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
    role = entry(faulty, "mgmt", "break-glass-relay-relay-role")
    target = entry(faulty, "member", "break-glass-relay-eu-west-1-rule-target")
    for place in ("inputs", "outputs"):
        role[place]["assumeRolePolicy"] = trust
        target[place]["roleArn"] = "arn:aws:iam::111111111111:role/BreakGlassRelay"
    wrong = problems(judged(faulty))
    assert {(one.account, one.region, one.resource) for one in wrong} == {
        ("2" * 12, "eu-west-1", target["urn"])
    }
    assert all("must be in the rule's account" in one.reason for one in wrong)


@pytest.mark.parametrize("stack", ["mgmt", "member"])
def test_a_missing_stack_is_no_good_news(exports, stack):
    """Without the hub there is nothing to prove; without the member its Regions are simply not claimed."""
    judgements = judged({stack: exports[stack]})
    if stack == "member":
        assert judgements == []
    else:
        assert findings(judgements) == []
        assert {one.account for one in judgements} == {"1" * 12}


def test_at_the_first_preview_only_the_key_and_the_subscriptions_are_open(exports):
    """Nothing is lost; what cannot be known before the deployment is called unproven, never fine."""
    before = copy.deepcopy(exports)
    for resource in before["mgmt"]["deployment"]["resources"]:
        if resource["type"].endswith(":TopicSubscription"):
            del resource["outputs"]["pendingConfirmation"]
        if resource["urn"].endswith("break-glass-alerts-key"):
            resource["outputs"] |= {"arn": UNKNOWN, "keyId": UNKNOWN}
        if resource["urn"].endswith("rule-key-change"):
            resource["outputs"]["eventPattern"] = resource["inputs"]["eventPattern"] = UNKNOWN
        if resource["urn"].endswith("break-glass-alerts-topic"):
            resource["outputs"]["kmsMasterKeyId"] = resource["inputs"]["kmsMasterKeyId"] = UNKNOWN
    open_ = list(problems(judged(before)))
    assert {one.outcome for one in open_} == {Outcome.UNPROVEN}
    assert {one.resource.rsplit("::", 1)[-1] for one in open_} == {
        "break-glass-alerts-topic", "break-glass-alerts-rule-key-change",
    }  # fmt: skip
