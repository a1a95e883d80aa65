"""Condition operators and policy variables, each row with the AWS page that it rests on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertpath.iam.conditions import condition_holds

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
OPERATORS = GUIDE + "reference_policies_elements_condition_operators.html"
LOGIC = GUIDE + "reference_policies_condition-logic-multiple-context-keys-or-values.html"
SETS = GUIDE + "reference_policies_multi-value-conditions.html"
EXAMPLES = GUIDE + "reference_policies_condition_examples-multi-valued-context-keys.html"
ELEMENT = GUIDE + "reference_policies_elements_condition.html"
VARIABLES = GUIDE + "reference_policies_variables.html"
VERSION = GUIDE + "reference_policies_elements_version.html"

YES, NO, OPEN = True, False, None

RULE = "arn:aws:events:eu-west-1:111111111111:rule/breakglass-relay-management"
RELAY_RULES = "arn:aws:events:*:111111111111:rule/breakglass-relay*"
# AWS's own example of where StringLike matches and ArnLike does not.
FINANCE = "arn:aws:someservice:*:111122223333:finance/*"
STORE = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"

# (page, operator, value or values of the policy, value or values of the request or None, holds)
ONE_KEY = [
    (OPERATORS, "StringEquals", "a", "a", YES),
    (OPERATORS, "StringEquals", "a", "A", NO),
    (OPERATORS, "StringEquals", "a*", "ab", NO),
    (OPERATORS, "StringEquals", "a*", "a*", YES),
    (OPERATORS, "StringEquals", "a", None, NO),
    (LOGIC, "StringEquals", ["a", "b"], "b", YES),
    (LOGIC, "StringEquals", ["a", "b"], "c", NO),
    (OPERATORS, "StringEquals", 3600, "3600", YES),
    (OPERATORS, "StringEquals", True, "true", YES),
    (OPERATORS, "StringNotEquals", "a", "b", YES),
    (OPERATORS, "StringNotEquals", "a", "a", NO),
    (OPERATORS, "StringNotEquals", "a", None, YES),
    (LOGIC, "StringNotEquals", ["a", "b"], "b", NO),
    (LOGIC, "StringNotEquals", ["a", "b"], "c", YES),
    (OPERATORS, "StringEqualsIgnoreCase", "Ab", "aB", YES),
    (OPERATORS, "StringEqualsIgnoreCase", "ab", "ac", NO),
    (OPERATORS, "StringNotEqualsIgnoreCase", "AB", "ab", NO),
    (OPERATORS, "StringNotEqualsIgnoreCase", "ab", None, YES),
    (OPERATORS, "StringLike", "a*c?", "abbcd", YES),
    (OPERATORS, "StringLike", "a*c?", "abbc", NO),
    (OPERATORS, "StringLike", "A*", "ab", NO),
    (OPERATORS, "StringLike", "*", "", YES),
    (OPERATORS, "StringLike", "*", None, NO),
    (OPERATORS, "StringLike", FINANCE, STORE, YES),
    (OPERATORS, "StringNotLike", "a*", "ab", NO),
    (OPERATORS, "StringNotLike", "a*", "b", YES),
    (OPERATORS, "StringNotLike", "a*", None, YES),
    (OPERATORS, "ArnLike", FINANCE, STORE, NO),
    (OPERATORS, "ArnLike", RELAY_RULES, RULE, YES),
    (OPERATORS, "ArnEquals", RELAY_RULES, RULE, YES),
    (OPERATORS, "ArnLike", RELAY_RULES, RULE.replace("111111111111", "222222222222"), NO),
    (OPERATORS, "ArnLike", RELAY_RULES, RULE.replace("rule/", "rule/hub/"), NO),
    (OPERATORS, "ArnLike", "arn:aws:logs:*:1:log-group:*", "arn:aws:logs:eu:1:log-group:a:log-stream:b", YES),
    (OPERATORS, "ArnLike", "arn:aws:sns:*:1:t", "arn:aws:SNS:eu:1:t", NO),
    (OPERATORS, "ArnLike", RELAY_RULES, None, NO),
    (OPERATORS, "ArnLike", "*", RULE, OPEN),
    (OPERATORS, "ArnLike", RELAY_RULES, "not an ARN", OPEN),
    (OPERATORS, "ArnNotLike", RELAY_RULES, RULE, NO),
    (OPERATORS, "ArnNotLike", RELAY_RULES, None, YES),
    (OPERATORS, "ArnNotEquals", FINANCE, STORE, YES),
    (OPERATORS, "Bool", "true", "true", YES),
    (OPERATORS, "Bool", True, "true", YES),
    (OPERATORS, "Bool", "True", "true", YES),
    (OPERATORS, "Bool", "true", "false", NO),
    (OPERATORS, "Bool", "false", None, NO),
    (OPERATORS, "Bool", "yes", "true", OPEN),
    (OPERATORS, "BoolIfExists", "false", None, YES),
    (OPERATORS, "BoolIfExists", "false", "false", YES),
    (OPERATORS, "BoolIfExists", "false", "true", NO),
    (OPERATORS, "Null", "true", None, YES),
    (OPERATORS, "Null", "true", "x", NO),
    (OPERATORS, "Null", "false", "x", YES),
    (OPERATORS, "Null", False, None, NO),
    (OPERATORS, "Null", ["true", "false"], "x", YES),
    (EXAMPLES, "Null", "false", "", NO),
    (OPERATORS, "Null", "maybe", "x", OPEN),
    (OPERATORS, "NullIfExists", "true", "x", OPEN),
    (OPERATORS, "NumericEquals", "10", "10.0", YES),
    (OPERATORS, "NumericNotEquals", "10", "10", NO),
    (OPERATORS, "NumericNotEquals", "10", None, YES),
    (OPERATORS, "NumericLessThan", "10", "9", YES),
    (OPERATORS, "NumericLessThan", "10", "10", NO),
    (OPERATORS, "NumericLessThanEquals", "3600", "3600", YES),
    (OPERATORS, "NumericLessThanEquals", "3600", "7200", NO),
    (OPERATORS, "NumericLessThanEquals", 3600, "899", YES),
    (OPERATORS, "NumericLessThanEquals", "3600", None, NO),
    (OPERATORS, "NumericGreaterThan", "-1.5", "-1", YES),
    (OPERATORS, "NumericGreaterThanEquals", "10", "9", NO),
    (OPERATORS, "NumericLessThan", "ten", "9", OPEN),
    (OPERATORS, "NumericLessThan", "10", "9 seconds", OPEN),
    (OPERATORS, "DateEquals", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00+01:00", YES),
    (OPERATORS, "DateNotEquals", "2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z", YES),
    (OPERATORS, "DateGreaterThan", "2020-01-01T00:00:01Z", "2026-11-22T10:00:00Z", YES),
    (OPERATORS, "DateLessThan", "2020-01-01", "2026-11-22T10:00:00Z", NO),
    (OPERATORS, "DateLessThanEquals", "1577836800", "2020-01-01T00:00:00Z", YES),
    (OPERATORS, "DateGreaterThanEquals", "2020-01", "2020-01-01T00:00:00.5Z", YES),
    (OPERATORS, "DateGreaterThan", "2020-01-01", None, NO),
    (OPERATORS, "DateGreaterThan", "2020-13-01", "2026-11-22", OPEN),
    (OPERATORS, "DateGreaterThan", "2020", "2026-11-22", OPEN),
    (OPERATORS, "DateGreaterThan", "2020-01-01*", "2026-11-22", OPEN),
    (OPERATORS, "IpAddress", "203.0.113.0/24", "203.0.113.9", YES),
    (OPERATORS, "IpAddress", "203.0.113.0/24", "203.0.114.9", NO),
    (OPERATORS, "IpAddress", "203.0.113.9", "203.0.113.9", YES),
    (OPERATORS, "IpAddress", "203.0.113.9", None, NO),
    (OPERATORS, "IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", YES),
    (OPERATORS, "IpAddress", ["203.0.113.0/24", "2001:DB8::/32"], "203.0.113.9", YES),
    (OPERATORS, "IpAddress", "2001:DB8::/32", "203.0.113.9", NO),
    (OPERATORS, "IpAddress", "2001:db8::1", "2001:db8::1", OPEN),
    (OPERATORS, "IpAddress", "203.0.113.0/255.255.255.0", "203.0.113.9", OPEN),
    (OPERATORS, "IpAddress", "203.0.113.0/24", "AWS Internal", OPEN),
    (OPERATORS, "NotIpAddress", "203.0.113.0/24", "203.0.113.9", NO),
    (OPERATORS, "NotIpAddress", "203.0.113.0/24", "198.51.100.1", YES),
    (OPERATORS, "NotIpAddress", "203.0.113.0/24", None, YES),
    (OPERATORS, "StringEqualsIfExists", "a", None, YES),
    (OPERATORS, "StringEqualsIfExists", "a", "b", NO),
    (OPERATORS, "StringNotEqualsIfExists", "a", None, YES),
    (OPERATORS, "ArnLikeIfExists", RELAY_RULES, None, YES),
    (OPERATORS, "NumericLessThanIfExists", "10", "11", NO),
    (OPERATORS, "IpAddressIfExists", "203.0.113.0/24", None, YES),
    (OPERATORS, "BinaryEquals", "QQ==", "QQ==", OPEN),
    (OPERATORS, "StringsEqual", "a", "a", OPEN),
    (OPERATORS, "stringequals", "a", "a", OPEN),
    (OPERATORS, "ForSomeValues:StringEquals", "a", ["a"], OPEN),
    (SETS, "ForAnyValue:StringEquals", ["a", "b"], ["b", "c"], YES),
    (SETS, "ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], NO),
    (SETS, "ForAnyValue:StringEquals", "a", None, NO),
    (SETS, "ForAnyValue:StringEquals", "a", [], NO),
    (SETS, "ForAnyValue:StringLike", "*", [""], NO),
    (SETS, "ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], YES),
    (SETS, "ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], NO),
    (SETS, "ForAnyValue:StringNotEquals", "a", None, NO),
    (SETS, "ForAllValues:StringEquals", ["a", "b", "c"], ["a", "b"], YES),
    (SETS, "ForAllValues:StringEquals", ["a", "b"], ["a", "c"], NO),
    (SETS, "ForAllValues:StringEquals", "a", None, YES),
    (SETS, "ForAllValues:StringEquals", "a", [""], YES),
    (SETS, "ForAllValues:StringNotLike", "a*", ["b", "c"], YES),
    (SETS, "ForAllValues:StringNotLike", "a*", ["b", "ab"], NO),
    (SETS, "ForAllValues:StringEqualsIfExists", "a", None, YES),
    (SETS, "ForAnyValue:StringEqualsIfExists", "a", None, OPEN),
    (SETS, "ForAnyValue:StringEquals", "a", "a", YES),
    (SETS, "StringEquals", "a", ["a"], YES),
    (SETS, "StringEquals", "a", ["a", "b"], OPEN),
    (ELEMENT, "StringEquals", [], "a", OPEN),
    (ELEMENT, "StringEquals", {"a": "b"}, "a", OPEN),
    (ELEMENT, "StringEquals", ["a", None], "a", OPEN),
]


def holds(condition, context, *, variables=True):
    lists = {key: [value] if isinstance(value, str) else value for key, value in context.items()}
    lowered = {key.lower(): tuple(values) for key, values in lists.items()}
    return condition_holds(condition, lowered, variables=variables)


@pytest.mark.parametrize(("page", "operator", "written", "requested", "expected"), ONE_KEY)
def test_one_key(page, operator, written, requested, expected):
    context = {} if requested is None else {"aws:Key": requested}
    answer = holds({operator: {"AWS:key": written}}, context)
    assert answer.holds is expected, (page, answer.why)
    assert answer.why or expected


# Each with its page, a condition, a context, and whether the condition holds.
SEVERAL_KEYS = [
    (LOGIC, {}, {}, YES),
    (LOGIC, {"StringEquals": {"k:a": "1", "k:b": "2"}}, {"k:a": "1", "k:b": "2"}, YES),
    (LOGIC, {"StringEquals": {"k:a": "1", "k:b": "2"}}, {"k:a": "1", "k:b": "3"}, NO),
    (LOGIC, {"StringEquals": {"k:a": "1"}, "Bool": {"k:b": "true"}}, {"k:a": "1", "k:b": "true"}, YES),
    (LOGIC, {"StringEquals": {"k:a": "1"}, "Bool": {"k:b": "true"}}, {"k:a": "1"}, NO),
    (LOGIC, {"StringEquals": {"k:a": "1"}, "Odd": {"k:b": "true"}}, {"k:a": "1"}, OPEN),
    (LOGIC, {"Odd": {"k:b": "true"}, "StringEquals": {"k:a": "1"}}, {"k:a": "2"}, NO),
    (LOGIC, {"StringEquals": {"k:b": "1"}}, {"k:a": "1", "k:unknown": "x"}, NO),
    (ELEMENT, {"StringEquals": {}}, {}, OPEN),
    (ELEMENT, {"StringEquals": "k:a"}, {"k:a": "1"}, OPEN),
    (ELEMENT, "StringEquals", {}, OPEN),
    (ELEMENT, None, {}, OPEN),
    (
        EXAMPLES,
        {"Null": {"aws:TagKeys": "false"}, "ForAllValues:StringLike": {"aws:TagKeys": ["key1*", "key2*"]}},
        {},
        NO,
    ),
    (
        EXAMPLES,
        {"Null": {"aws:TagKeys": "false"}, "ForAllValues:StringLike": {"aws:TagKeys": ["key1*", "key2*"]}},
        {"aws:tagkeys": ["key1-a", "key2"]},
        YES,
    ),
]


@pytest.mark.parametrize(("page", "condition", "context", "expected"), SEVERAL_KEYS)
def test_several_keys(page, condition, context, expected):
    assert holds(condition, context).holds is expected, page


# (page, operator, value of the policy, value of the request, context besides it, holds)
WITH_VARIABLES = [
    (VARIABLES, "StringEquals", "${aws:username}", "Ann", {"AWS:UserName": "Ann"}, YES),
    (VARIABLES, "StringLike", "home/${aws:username}/*", "home/Ann/x", {"aws:username": "Ann"}, YES),
    (VARIABLES, "StringLike", "home/${aws:username}/*", "home/Bob/x", {"aws:username": "Ann"}, NO),
    (VARIABLES, "StringLike", "home/${aws:username}/*", "home//x", {}, NO),
    (VARIABLES, "StringLike", ["home/*", "${aws:username}"], "home/x", {}, OPEN),
    (VARIABLES, "StringNotLike", "home/${aws:username}/*", "home/Ann/x", {}, OPEN),
    (VARIABLES, "StringNotEquals", ["${aws:username}", "x"], "x", {}, NO),
    (VARIABLES, "StringEquals", "${aws:userid, 'anonymous'}", "anonymous", {}, YES),
    (VARIABLES, "StringEquals", "${aws:userid, 'anonymous'}", "AIDA1", {"aws:userid": "AIDA1"}, YES),
    (VARIABLES, "StringEquals", "${aws:userid, ''}", "", {}, YES),
    (VARIABLES, "StringEquals", "a${*}b${?}c${$}", "a*b?c$", {}, YES),
    (VARIABLES, "StringLike", "a${*}b", "axb", {}, NO),
    (
        VARIABLES,
        "StringEquals",
        "${aws:PrincipalTag/team name}",
        "blue",
        {"aws:principaltag/team name": "blue"},
        YES,
    ),
    (VARIABLES, "StringEquals", "${aws:CalledVia}", "a", {"aws:CalledVia": ["a", "b"]}, NO),
    (VARIABLES, "StringEquals", "${aws:CalledVia, 'a'}", "a", {"aws:CalledVia": ["a", "b"]}, NO),
    (VARIABLES, "StringEquals", "${aws:username", "Ann", {"aws:username": "Ann"}, OPEN),
    (VARIABLES, "StringEquals", "${aws:username, Ann}", "Ann", {}, OPEN),
    (VARIABLES, "StringEquals", "${}", "Ann", {}, OPEN),
    (VARIABLES, "StringLike", "${aws:username}", "Ann", {"aws:username": "A*"}, OPEN),
    (
        VARIABLES,
        "ArnEquals",
        "arn:aws:iam::111111111111:user/${aws:username}",
        "arn:aws:iam::111111111111:user/Ann",
        {"aws:username": "Ann"},
        YES,
    ),
    (VARIABLES, "ArnLike", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/Ann", {}, NO),
    (VARIABLES, "NumericEquals", "${aws:EpochTime}", "5", {"aws:EpochTime": "5"}, OPEN),
    (VARIABLES, "IpAddress", "${aws:SourceIp}", "203.0.113.9", {"aws:SourceIp": "203.0.113.9"}, OPEN),
    (VARIABLES, "StringLikeIfExists", "${aws:username}", None, {}, YES),
]


@pytest.mark.parametrize(("page", "operator", "written", "requested", "context", "expected"), WITH_VARIABLES)
def test_policy_variables(page, operator, written, requested, context, expected):
    if requested is not None:
        context = {**context, "k:value": requested}
    assert holds({operator: {"k:value": written}}, context).holds is expected, page


@pytest.mark.parametrize(
    ("page", "requested", "expected"), [(VERSION, "Ann", NO), (VERSION, "${aws:username}", YES)]
)
def test_the_old_version_takes_a_variable_as_text(page, requested, expected):
    context = {"k:value": requested, "aws:username": "Ann"}
    condition = {"StringEquals": {"k:value": "${aws:username}"}}
    assert holds(condition, context, variables=False).holds is expected, page


def test_a_missing_key_is_named():
    assert holds({"StringEquals": {"aws:SourceAccount": "1"}}, {}).why == (
        "StringEquals: the request carries no aws:SourceAccount"
    )


def test_a_mismatch_shows_both_values():
    answer = holds({"ArnLike": {"aws:SourceArn": "arn:a:b:c:d:e"}}, {"aws:SourceArn": "arn:a:b:c:d:f"})
    assert answer.why == "ArnLike: aws:SourceArn is 'arn:a:b:c:d:f', the policy says 'arn:a:b:c:d:e'"


def test_a_number_that_python_does_not_write_is_open():
    assert holds({"NumericEquals": {"k:a": 10**5000}}, {"k:a": "1"}).holds is None


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
NAMES = st.sampled_from(sorted({row[1] for row in ONE_KEY}))
TEXT = st.text("aA1*?:/${}', .-", max_size=12)


@given(st.dictionaries(NAMES | st.text(), st.dictionaries(TEXT, TEXT | st.lists(TEXT) | JSON) | JSON), JSON)
def test_nothing_raises(condition, other):
    for variables in (True, False):
        for context in ({}, {"a": ("",)}, {"a": ("1", "a:b")}, {"": ("1",)}):
            assert condition_holds(condition, context, variables=variables).holds in (True, False, None)
            assert condition_holds(other, context, variables=variables).holds in (True, False, None)


@given(NAMES, TEXT | st.lists(TEXT), st.lists(TEXT, max_size=3))
def test_a_known_key_never_raises(name, written, requested):
    assert holds({name: {"k:a": written}}, {"k:a": requested}).holds in (True, False, None)


NEGATIONS = [
    ("StringEquals", "StringNotEquals"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ("StringLike", "StringNotLike"),
    ("ArnLike", "ArnNotLike"),
    ("NumericEquals", "NumericNotEquals"),
    ("DateEquals", "DateNotEquals"),
    ("IpAddress", "NotIpAddress"),
]


@pytest.mark.parametrize(("positive", "negated"), NEGATIONS)
@given(
    st.lists(st.text("ab1:*?.-", max_size=8), min_size=1, max_size=3),
    st.none() | st.text("ab1:.-", max_size=8),
)
def test_a_negated_operator_answers_the_opposite(positive, negated, written, requested):
    context = {} if requested is None else {"k:a": requested}
    yes = holds({positive: {"k:a": written}}, context).holds
    no = holds({negated: {"k:a": written}}, context).holds
    assert no is (None if yes is None else not yes)


@pytest.mark.parametrize(
    "operator", ["StringEquals", "StringNotEqualsIfExists", "ForAllValues:StringLike", "Null"]
)
@pytest.mark.parametrize(
    "key", ["aws:SourceOrgID", "AWS:ResourceTag/team", "kms:EncryptionContext:aws:sns:topicArn"]
)
def test_a_key_of_which_nothing_is_known_leaves_the_answer_open(operator, key):
    context = {"aws:sourceorgid": None, "aws:resourcetag": None, "kms:encryptioncontext": None}
    assert condition_holds({operator: {key: "true"}}, context, variables=True).holds is OPEN
    assert (
        condition_holds({"Bool": {"aws:x": "true"}, operator: {key: "true"}}, context, variables=True).holds
        is NO
    )
    variable = {"StringEquals": {"aws:y": f"${{{key}, 'default'}}"}}
    assert condition_holds(variable, context | {"aws:y": ("true",)}, variables=True).holds is OPEN
