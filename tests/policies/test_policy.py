"""A decorated function is a policy."""

import pytest
from breakglass_policies import policy
from breakglass_policies.reading import Resource, Stack, is_ours
from pulumi_policy import EnforcementLevel, Severity

TOPIC = "aws:sns/topic:Topic"
ABOUT = policy.About(severity=Severity.LOW, fix="Mend it.", url="https://docs.aws.amazon.com/")


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The policies that the test registers."""
    policies = []
    monkeypatch.setattr(policy, "POLICIES", policies)
    return policies


def test_of_a_resource(check, unknown, registered):
    @policy.resource_policy(
        "short",
        "Names are short",
        types=[TOPIC],
        applies=lambda topic: topic["name"] != "other",
        config={"limit": {"type": "integer", "default": 3, "description": "Longest name."}},
        severity=Severity.LOW,
        fix="Mend it.",
        url="https://docs.aws.amazon.com/",
    )
    def short(topic: Resource) -> policy.Problems:
        """Names must be
        short.

        Because.
        """
        if len(topic["name"]) > topic.config["limit"]:
            yield "has a long name."

    assert registered == [short]
    assert (short.name, short.display_name, short.description) == (
        "short",
        "Names are short",
        "Names must be short.",
    )
    assert short.enforcement_level is EnforcementLevel.MANDATORY
    assert check(short, TOPIC, {"name": "abc"}).passed
    assert check(short, TOPIC, {"name": "abcd"}).violations == ("Topic 'thing' has a long name.",)
    assert check(short, TOPIC, {"name": "abcd"}, config={"limit": 4}).passed
    assert check(short, TOPIC, {"name": unknown}).unknown == "name"
    assert check(short, TOPIC, {"name": "other"}).not_applicable
    assert check(short, "aws:sqs/queue:Queue", {"name": "abcd"}).not_applicable


def test_of_a_stack(check_stack, registered):
    @policy.stack_policy("few", "Topics are few", applies=lambda stack: bool(stack.all()), **ABOUT)
    def few(stack: Stack) -> policy.StackProblems:
        """Topics must be few."""
        for topic in stack.all(TOPIC)[1:]:
            yield topic, "is one too many."
        if not stack.all(TOPIC):
            yield None, "There is none."

    assert registered == [few]
    assert check_stack(few, [(TOPIC, {})]).passed
    assert check_stack(few, [(TOPIC, {})] * 2).violations == ("Topic 'thing-1' is one too many.",)
    assert check_stack(few, [("x", {})]).violations == ("There is none.",)
    assert check_stack(few, []).not_applicable


def test_ours_is_told_by_component_first_and_then_by_name(check, unknown):
    @policy.resource_policy("ours", "x", types=["aws:iam/user:User"], **ABOUT)
    def ours(user: Resource) -> policy.Problems:
        """Ours."""
        if is_ours(user, "BreakGlassUser"):
            yield "is ours."

    kind = "aws:iam/user:User"
    assert check(ours, kind, {"name": unknown}, component="BreakGlassUser").violations
    assert check(ours, kind, {"name": "breakglassuser"}).violations
    assert check(ours, kind, {"name": "other"}, component="BreakGlassRole").passed
    assert check(ours, kind, {"name": unknown}).unknown == "name"


def test_a_policy_reads_the_configuration_of_another(check):
    """The one that was asked before it; its defaults if it was not asked, as when it is disabled."""
    limit = {"limit": {"type": "integer", "default": 3, "description": "Longest name."}}

    @policy.resource_policy("first", "x", types=[TOPIC], config=limit, **ABOUT)  # pyright: ignore[reportCallIssue]
    def first(_topic: Resource) -> policy.Problems:
        """First."""
        return []

    @policy.resource_policy("second", "x", types=[TOPIC], config_of="first", **ABOUT)  # pyright: ignore[reportCallIssue]
    def second(topic: Resource) -> policy.Problems:
        """Second."""
        yield f"has the limit {topic.config['limit']}."

    def limit_that_the_second_sees() -> str:
        (problem,) = check(second, TOPIC, {}, config={"limit": 9}).violations
        return problem

    assert limit_that_the_second_sees() == "Topic 'thing' has the limit 3."
    assert check(first, TOPIC, {}, config={"limit": 4}).passed
    assert limit_that_the_second_sees() == "Topic 'thing' has the limit 4."
    assert check(first, TOPIC, {}).passed
    assert limit_that_the_second_sees() == "Topic 'thing' has the limit 3."
