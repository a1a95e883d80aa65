"""The matcher against AWS's own answers, against tables of single habits, and against invented input."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alertpath.eventbridge.pattern import (
    MAX_BRANCHES,
    MAX_DEPTH,
    Event,
    PatternError,
    UnsupportedOperator,
    matches,
)

CASES = json.loads((Path(__file__).parent / "pattern_cases.json").read_text(encoding="utf-8"))


def named(cases: list[dict]) -> list:
    return [pytest.param(case, id=case["name"]) for case in cases]


class TestAgainstTheAnswersOfAws:
    def test_the_cases_are_whole(self):
        invalid = [case for case in CASES if case["expect"] == "invalid"]
        assert (len(CASES), len(invalid)) == (63, 10)

    @pytest.mark.parametrize("case", named([case for case in CASES if case["expect"] != "invalid"]))
    def test_the_answer_is_the_answer_of_aws(self, case):
        event = json.loads(case["event"])
        assert matches(case["pattern"], event) is case["expect"]
        assert matches(json.loads(case["pattern"]), event) is case["expect"]

    @pytest.mark.parametrize("case", named([case for case in CASES if case["expect"] == "invalid"]))
    def test_what_aws_refuses_is_refused(self, case):
        with pytest.raises(PatternError) as refusal:
            matches(case["pattern"], json.loads(case["event"]))
        assert not isinstance(refusal.value, UnsupportedOperator)


# (what it shows, the tests on field f, the value of f, the answer)
ONE_FIELD = [
    ("a string equals itself", ["a"], "a", True),
    ("a string is compared with its case", ["a"], "A", False),
    ("the list of tests is an or", ["a", "b"], "b", True),
    ("a whole number equals its decimal form", [5], 5.0, True),
    ("a decimal form equals the whole number", [300.0], 300, True),
    ("a number is not its text", [5], "5", False),
    ("text is not its number", ["5"], 5, False),
    ("a twelve digit account number equals itself", [111111111111], 111111111111, True),
    ("one is not true", [1], True, False),
    ("true is not one", [True], 1, False),
    ("zero is not false", [0], False, False),
    ("true is true", [True], True, True),
    ("false is not true", [True], False, False),
    ("null is not the empty string", [None], "", False),
    ("null is not the text null", [None], "null", False),
    ("null finds no element in an empty list", [None], [], False),
    ("an exact value finds nothing at an object", ["a"], {"a": "a"}, False),
    ("a list matches by any element", ["b"], ["a", "b"], True),
    ("a list within a list matches by any element", ["b"], [["a"], [["b"]]], True),
    ("a prefix may be the whole text", [{"prefix": "ab"}], "ab", True),
    ("a prefix does not match in the middle", [{"prefix": "b"}], "ab", False),
    ("a prefix is compared with its case", [{"prefix": "A"}], "ab", False),
    ("a prefix is not a regular expression", [{"prefix": "a."}], "ab", False),
    ("the empty prefix matches any text", [{"prefix": ""}], "ab", True),
    ("the empty prefix matches no number", [{"prefix": ""}], 5, False),
    ("a suffix may be the whole text", [{"suffix": "ab"}], "ab", True),
    ("a suffix does not match at the start", [{"suffix": "a"}], "ab", False),
    ("a suffix sees a last newline", [{"suffix": "b"}], "ab\n", False),
    ("a suffix is not a regular expression", [{"suffix": ".b"}], "aab", False),
    ("a suffix in any case", [{"suffix": {"equals-ignore-case": "UsEr"}}], "BreakglassUSER", True),
    (
        "a suffix in any case is still a suffix",
        [{"suffix": {"equals-ignore-case": "Break"}}],
        "breakglass",
        False,
    ),
    (
        "a prefix in any case is still a prefix",
        [{"prefix": {"equals-ignore-case": "Glass"}}],
        "breakglass",
        False,
    ),
    ("equal but for the case", [{"equals-ignore-case": "BreakglassUser"}], "breakGLASSuser", True),
    ("ignore-case means the whole text", [{"equals-ignore-case": "break"}], "breakglass", False),
    ("ignore-case sees a last newline", [{"equals-ignore-case": "a"}], "A\n", False),
    ("ignore-case is not a regular expression", [{"equals-ignore-case": "a.c"}], "ABC", False),
    ("ignore-case of nothing is nothing", [{"equals-ignore-case": ""}], "", True),
    ("ignore-case does not take ß for ss", [{"equals-ignore-case": "straße"}], "strasse", False),
    ("ignore-case does not take ss for ß", [{"equals-ignore-case": "strasse"}], "straße", False),
    ("anything but a text refuses it", [{"anything-but": "a"}], "a", False),
    ("anything but a text takes a number", [{"anything-but": "5"}], 5, True),
    ("anything but a text takes null", [{"anything-but": "a"}], None, True),
    ("anything but a number refuses its decimal form", [{"anything-but": 5}], 5.0, False),
    ("anything but a number takes text", [{"anything-but": 5}], "5", True),
    ("anything but one takes true", [{"anything-but": 1}], True, True),
    ("anything but zero takes another number", [{"anything-but": 0}], 1, True),
    ("anything but a list refuses each member", [{"anything-but": [1, 2]}], 2, False),
    ("anything but is not fooled by an object", [{"anything-but": "a"}], {"b": "c"}, False),
    ("a list passes anything but by one other element", [{"anything-but": ["a", "b"]}], ["a", "c"], True),
    (
        "a list of refused elements does not pass anything but",
        [{"anything-but": ["a", "b"]}],
        ["a", "b"],
        False,
    ),
    ("anything but a prefix refuses it", [{"anything-but": {"prefix": "a"}}], "ab", False),
    ("anything but a prefix takes a number", [{"anything-but": {"prefix": "1"}}], 12, True),
    ("anything but prefixes refuses each", [{"anything-but": {"prefix": ["a", "b"]}}], "bc", False),
    ("anything but a suffix refuses it", [{"anything-but": {"suffix": "b"}}], "ab", False),
    ("anything but a suffix takes others", [{"anything-but": {"suffix": "b"}}], "ba", True),
    ("anything but suffixes refuses each", [{"anything-but": {"suffix": ["a", "b"]}}], "cb", False),
    (
        "anything but a name in any case refuses it",
        [{"anything-but": {"equals-ignore-case": "A"}}],
        "a",
        False,
    ),
    (
        "anything but names in any case takes others",
        [{"anything-but": {"equals-ignore-case": ["A"]}}],
        "b",
        True,
    ),
    ("null exists", [{"exists": True}], None, True),
    ("an object does not exist as a value", [{"exists": True}], {"a": 1}, False),
    ("an empty object is absent", [{"exists": False}], {}, True),
    ("an empty list does not exist", [{"exists": True}], [], False),
    ("a list of objects is absent", [{"exists": False}], [{"a": 1}], True),
    ("a value in a list exists", [{"exists": True}], [1], True),
    ("present with the wrong value is not absent", ["a", {"exists": False}], "b", False),
]


@pytest.mark.parametrize(
    ("tests", "value", "answer"), [pytest.param(*row[1:], id=row[0]) for row in ONE_FIELD]
)
def test_one_field(tests, value, answer):
    assert matches({"f": tests}, {"f": value}) is answer


# (what it shows, pattern, event, answer)
SHAPES = [
    ("fields are an and", {"a": [1], "b": [2]}, {"a": 1, "b": 3}, False),
    ("all fields hold", {"a": [1], "b": [2]}, {"a": 1, "b": 2, "c": 3}, True),
    ("a field that is missing does not match", {"a": [None]}, {}, False),
    ("an absent field is absent", {"a": [{"exists": False}]}, {"b": 1}, True),
    ("a field under an absent object is absent", {"a": {"b": [{"exists": False}]}}, {"c": 1}, True),
    ("a dotted name in the pattern finds a nested field", {"a.b": ["x"]}, {"a": {"b": "x"}}, True),
    ("a dotted name is not one level", {"a.b": ["x"]}, {"a": {"c": "x"}, "b": "x"}, False),
    ("a value and an object may share a name", {"a": ["x"], "a.b": [1]}, {"a": ["x", {"b": 1}]}, True),
    ("operators are field names outside $or", {"prefix": ["x"], "=": [1]}, {"prefix": "x", "=": 1}, True),
    ("the second alternative holds", {"$or": [{"a": [1]}, {"b": [2]}]}, {"a": 2, "b": 2}, True),
    ("siblings of $or have to hold", {"x": [1], "$or": [{"a": [1]}, {"b": [2]}]}, {"x": 2, "a": 1}, False),
    ("siblings of $or hold", {"x": [1], "$or": [{"a": [1]}, {"b": [2]}]}, {"x": 1, "b": 2}, True),
    ("an alternative is an and", {"$or": [{"a": [1], "b": [2]}, {"c": [3]}]}, {"a": 1, "b": 9}, False),
    ("$or within $or", {"$or": [{"a": [1]}, {"$or": [{"b": [2]}, {"c": [3]}]}]}, {"c": 3}, True),
    ("$or below a field", {"d": {"$or": [{"a": [1]}, {"b": {"c": [2]}}]}}, {"d": {"b": {"c": 2}}}, True),
    ("$or below a field stays below it", {"d": {"$or": [{"a": [1]}, {"b": [2]}]}}, {"a": 1, "b": 2}, False),
    ("alternatives may test the same field", {"$or": [{"a": [1]}, {"a": [2]}]}, {"a": 2}, True),
    (
        "two $or multiply",
        {"$or": [{"a": [1]}, {"b": [2]}], "d": {"$or": [{"e": [3]}, {"f": [4]}]}},
        {"b": 2, "d": {"f": 4}},
        True,
    ),
    (
        "one of two $or is not enough",
        {"$or": [{"a": [1]}, {"b": [2]}], "d": {"$or": [{"e": [3]}, {"f": [4]}]}},
        {"b": 2, "d": {"f": 5}},
        False,
    ),
    (
        "one element holds both fields",
        {"r": {"t": ["x"], "n": [2]}},
        {"r": [{"t": "y", "n": 2}, {"t": "x", "n": 2}]},
        True,
    ),
    (
        "fields of two elements do not combine across $or",
        {"r": {"t": ["x"], "$or": [{"n": [2]}, {"n": [3]}]}},
        {"r": [{"t": "x", "n": 1}, {"t": "y", "n": 2}]},
        False,
    ),
    (
        "fields of two elements do not combine across an inner list",
        {"r": {"t": ["x"], "s": {"n": [2]}}},
        {"r": [{"t": "x", "s": [{"n": 1}]}, {"t": "y", "s": [{"n": 2}]}]},
        False,
    ),
    (
        "fields of two lists combine",
        {"r": {"t": [1]}, "s": {"t": [2]}},
        {"r": [{}, {"t": 1}], "s": [{"t": 2}]},
        True,
    ),
    (
        "a later field is absent from the chosen element",
        {"r": {"a": ["x"], "b": [{"exists": False}]}},
        {"r": [{"a": "x"}, {"a": "y", "b": 1}]},
        True,
    ),
    (
        "an earlier field counts as present in any element",
        {"r": {"b": [{"exists": False}], "c": ["x"]}},
        {"r": [{"c": "x"}, {"c": "y", "b": 1}]},
        False,
    ),
]


@pytest.mark.parametrize(
    ("pattern", "event", "answer"), [pytest.param(*row[1:], id=row[0]) for row in SHAPES]
)
def test_shapes(pattern, event, answer):
    assert matches(pattern, event) is answer


# (pattern, a part of the message: the place and the fault)
REFUSED = [
    ("", "not JSON"),
    ("{", "not JSON"),
    ('{"a": [1]} x', "not JSON"),
    ('{"a": [NaN]}', "NaN is not a JSON number"),
    ('{"a": [-Infinity]}', "-Infinity is not a JSON number"),
    ('{"a": [1e999]}', "$.a[0] is inf"),
    ("[]", "the pattern is a list"),
    ("null", "the pattern is a null"),
    ({"a": [float("nan")]}, "$.a[0] is nan"),
    ({"a": [("x",)]}, "$.a[0] is a tuple"),
    ({1: ["x"]}, "$ has a key that is a number"),
    ({"a": {}}, "$.a is an empty object"),
    ({"a": []}, "$.a is an empty list"),
    ({"a": None}, "$.a is a null"),
    ({"a": "x"}, "$.a is a string"),
    ({"a": {"b": 5}}, "$.a.b is a number"),
    ({"a": ["x", ["y"]]}, "$.a[1] is a list"),
    ({"a": [{}]}, "$.a[0] has 0 keys"),
    ({"a": [{"prefix": "x", "suffix": "y"}]}, "$.a[0] has 2 keys"),
    ({"a": [{1: "x"}]}, "$.a[0] has a key that is a number"),
    ({"a": [{"PREFIX": "x"}]}, "no operator 'PREFIX'"),
    ({"a": [{"prefix": None}]}, "$.a[0].prefix is a null"),
    ({"a": [{"prefix": {"suffix": "x"}}]}, "$.a[0].prefix.suffix"),
    ({"a": [{"prefix": {}}]}, "$.a[0].prefix has 0 keys"),
    ({"a": [{"prefix": {"equals-ignore-case": ["x"]}}]}, "$.a[0].prefix.equals-ignore-case is a list"),
    ({"a": [{"suffix": 5}]}, "$.a[0].suffix is a number"),
    ({"a": [{"suffix": {"equals-ignore-case": 5}}]}, "$.a[0].suffix.equals-ignore-case is a number"),
    ({"a": [{"equals-ignore-case": ["x"]}]}, "$.a[0].equals-ignore-case is a list"),
    ({"a": [{"exists": "true"}]}, "$.a[0].exists is a string"),
    ({"a": [{"exists": 1}]}, "$.a[0].exists is a number"),
    ({"a": [{"exists": None}]}, "$.a[0].exists is a null"),
    ({"a": [{"anything-but": []}]}, "$.a[0].anything-but must be"),
    ({"a": [{"anything-but": None}]}, "$.a[0].anything-but must be"),
    ({"a": [{"anything-but": True}]}, "$.a[0].anything-but must be"),
    ({"a": [{"anything-but": [1, True]}]}, "$.a[0].anything-but must be"),
    ({"a": [{"anything-but": ["x", None]}]}, "$.a[0].anything-but must be"),
    ({"a": [{"anything-but": [["x"]]}]}, "$.a[0].anything-but must be"),
    ({"a": [{"anything-but": float("inf")}]}, "$.a[0].anything-but is inf"),
    ({"a": [{"anything-but": {}}]}, "$.a[0].anything-but has 0 keys"),
    ({"a": [{"anything-but": {"exists": True}}]}, "$.a[0].anything-but.exists"),
    ({"a": [{"anything-but": {"anything-but": "x"}}]}, "$.a[0].anything-but.anything-but"),
    ({"a": [{"anything-but": {"prefix": ""}}]}, "$.a[0].anything-but.prefix holds nothing"),
    ({"a": [{"anything-but": {"prefix": 5}}]}, "$.a[0].anything-but.prefix is a number"),
    ({"a": [{"anything-but": {"prefix": ["x", ""]}}]}, "$.a[0].anything-but.prefix holds nothing"),
    (
        {"a": [{"anything-but": {"prefix": {"equals-ignore-case": "x"}}}]},
        "$.a[0].anything-but.prefix is a JSON object",
    ),
    ({"a": [{"anything-but": {"suffix": []}}]}, "$.a[0].anything-but.suffix holds nothing"),
    (
        {"a": [{"anything-but": {"equals-ignore-case": [1]}}]},
        "$.a[0].anything-but.equals-ignore-case is a number",
    ),
    ({"$or": {"a": [1]}}, "$.$or must be a list of at least two"),
    ({"d": {"$or": [{"a": [1]}]}}, "$.d.$or must be a list of at least two"),
    ({"$or": [{"a": [1]}, ["x"]]}, "$.$or[1] is a list"),
    ({"$or": [{"a": [1]}, {}]}, "$.$or[1] is an empty object"),
    ({"$or": [{"a": [1]}, {"prefix": ["x"]}]}, "reserves the name 'prefix'"),
    ({"$or": [{"a": [1]}, {"b": {"<=": [1]}}]}, "reserves the name '<='"),
]


@pytest.mark.parametrize(("pattern", "part"), REFUSED)
@pytest.mark.parametrize("event", [{}, {"a": "x"}], ids=["empty event", "event"])
def test_a_pattern_that_aws_refuses_is_refused_with_its_place_whatever_the_event(pattern, part, event):
    with pytest.raises(PatternError) as refusal:
        matches(pattern, event)
    assert part in str(refusal.value)
    assert not isinstance(refusal.value, UnsupportedOperator)


def test_the_rest_of_the_pattern_is_checked_although_an_early_field_already_fails():
    with pytest.raises(PatternError, match=r"\$\.z is a string"):
        matches({"a": ["x"], "z": "y"}, {"a": "other"})


def test_an_operator_that_aws_has_and_we_lack_is_named_with_its_path():
    with pytest.raises(UnsupportedOperator) as refusal:
        matches({"d": {"f": ["x", {"exactly": "y"}]}}, {})
    assert str(refusal.value).startswith("$.d.f[1]: the operator 'exactly'")


def test_an_operator_that_we_lack_is_named_inside_anything_but():
    with pytest.raises(UnsupportedOperator) as refusal:
        matches({"f": [{"anything-but": {"exactly": "y"}}]}, {})
    assert str(refusal.value).startswith("$.f[0].anything-but: the operator 'exactly'")


@pytest.mark.parametrize(
    "pattern",
    [
        {"a": [1], "$or": [{"a": [2]}, {"b": [1]}]},
        {"$or": [{"a": [2]}, {"b": [1]}], "a": [1]},
        {"a": {"b": [1]}, "a.b": [2]},
        {"$or": [{"a": {"b": [1]}}, {"c": [1]}], "a": {"$or": [{"b": [1]}, {"d": [1]}]}},
    ],
)
def test_a_field_tested_twice_in_one_branch_is_refused_because_aws_would_drop_a_test(pattern):
    with pytest.raises(UnsupportedOperator, match="a second time"):
        matches(pattern, {})


def test_of_two_equal_keys_the_last_one_counts_even_if_the_first_is_wrong():
    assert matches('{"a": "not a list", "a": ["x"]}', {"a": "x"}) is True


@pytest.mark.parametrize("pattern", ["{}", {}])
def test_a_wrong_pattern_is_refused_each_time(pattern):
    for _ in range(2):
        with pytest.raises(PatternError, match="empty object"):
            matches(pattern, {})


def test_an_event_for_many_patterns_is_matched_as_any_other():
    event = Event({"a": "x", "b": [{"c": "y", "d": 1}, {"c": "z", "d": 2}]})
    for pattern, answer in (
        ({"a": ["x"], "b": {"c": ["y"]}}, True),
        ({"b": {"c": ["y"], "d": [2]}}, False),
        ({"b": {"c": ["z"], "d": [2]}}, True),
        ({"e": [{"exists": False}]}, True),
    ):
        assert matches(pattern, event) is answer
        assert matches(pattern, dict(event)) is answer


def test_the_same_list_in_two_fields_is_two_lists():
    shared = [{"c": 1}, {"c": 2}]
    assert matches({"a": {"c": [1]}, "b": {"c": [2]}}, {"a": shared, "b": shared})


class TestLimits:
    @staticmethod
    def nested(levels: int) -> dict:
        pattern: dict = {"a": ["x"]}
        for _ in range(levels):
            pattern = {"a": pattern}
        return pattern

    def test_the_deepest_pattern_that_is_read(self):
        event: dict = json.loads(json.dumps(self.nested(MAX_DEPTH)))
        assert matches(self.nested(MAX_DEPTH), event) is True

    def test_one_level_more_is_refused(self):
        with pytest.raises(PatternError, match=f"at most {MAX_DEPTH} levels"):
            matches(self.nested(MAX_DEPTH + 1), {})

    @pytest.mark.parametrize("text", ['{"a":' * 100_000, '{"a":' + "[" * 100_000], ids=["objects", "lists"])
    def test_json_text_deeper_than_python_can_parse_is_refused(self, text):
        with pytest.raises(PatternError, match=f"at most {MAX_DEPTH} levels"):
            matches(text, {})

    def test_or_in_or_counts_as_depth(self):
        pattern: dict = {"a": ["x"]}
        for _ in range(5_000):
            pattern = {"$or": [pattern, {"b": ["y"]}]}
        with pytest.raises(PatternError, match=f"at most {MAX_DEPTH} levels"):
            matches(pattern, {})

    def test_an_event_deeper_than_python_recurses_is_still_answered(self):
        deep_objects: dict = {"a": "x"}
        deep_list: object = "x"
        for _ in range(3_000):
            deep_objects = {"a": deep_objects}
            deep_list = [deep_list]
        event = {"o": deep_objects, "l": deep_list, "f": "y"}
        assert matches({"f": ["y"], "l": ["x"]}, event) is True
        assert matches({"o": {"a": ["x"]}}, event) is False

    def test_a_number_too_long_for_python_is_refused(self):
        with pytest.raises(PatternError, match="not JSON"):
            matches('{"a": [' + "9" * 5_000 + "]}", {})

    def test_a_thousand_branches_are_answered_and_more_are_refused(self):
        ten = [{"a": [i]} for i in range(10)]
        pattern = {name: {"$or": ten} for name in "xyz"}
        event = {name: {"a": 9} for name in "xyz"}
        assert MAX_BRANCHES == 1000
        assert matches(pattern, event) is True
        with pytest.raises(PatternError, match="more than 1000 combinations"):
            matches({**pattern, "w": {"$or": ten[:2]}}, event)
        with pytest.raises(PatternError, match="more than 1000 combinations"):
            matches({"$or": [{"a": [i]} for i in range(1001)]}, event)

    def test_unrelated_lists_do_not_multiply(self):
        event = {name: [{"v": i} for i in range(300)] for name in "abcdef"}
        assert matches({name: {"v": [{"exists": True}]} for name in "abcdef"}, event) is True
        assert matches({**{name: {"v": [{"exists": True}]} for name in "abcdef"}, "g": [1]}, event) is False

    def test_what_is_no_json_value_in_an_event_equals_nothing_and_exists(self):
        event = {"nan": float("nan"), "object": object()}
        assert matches({"nan": [0]}, event) is False
        assert matches({"nan": [{"anything-but": 0}]}, event) is True
        assert matches({"nan": [{"exists": True}], "object": [{"exists": True}]}, event) is True


TEXT = st.text(max_size=4)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT
KEYS = st.sampled_from(
    [
        "a",
        "b",
        "a.b",
        "",
        "$or",
        "prefix",
        "suffix",
        "anything-but",
        "exists",
        "equals-ignore-case",
        "wildcard",
        "numeric",
        "cidr",
        "exactly",
    ]
)
FIELDS = st.sampled_from(["a", "b", "c", "a.b", "", "."])
ANY_JSON = st.recursive(
    SCALARS | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | TEXT, inner, max_size=4),
    max_leaves=12,
)
EVENTS = st.dictionaries(
    FIELDS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=3,
)
AFFIX = st.sampled_from(["", "a", "ab", "B"])
TESTS = st.one_of(
    SCALARS,
    AFFIX,
    st.builds(lambda text: {"prefix": text}, AFFIX),
    st.builds(lambda text: {"suffix": {"equals-ignore-case": text}}, AFFIX),
    st.builds(lambda text: {"anything-but": text}, AFFIX | NUMBERS),
    st.builds(lambda yes: {"exists": yes}, st.booleans()),
)
VALID = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.lists(TESTS, min_size=1, max_size=3)
    | st.dictionaries(
        st.sampled_from(["a", "b"]), st.lists(TESTS, min_size=1, max_size=2), min_size=1, max_size=2
    ),
    min_size=1,
    max_size=3,
)


def outcome(pattern: str | dict, event: dict) -> object:
    try:
        return matches(pattern, event)
    except PatternError:
        return "refused"


def backwards(node: Any) -> Any:
    """The same JSON with the keys of every object in the opposite order."""
    if isinstance(node, dict):
        return {key: backwards(value) for key, value in reversed(node.items())}
    return [backwards(value) for value in node] if isinstance(node, list) else node


def leaves(node: object, names: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    if isinstance(node, dict):
        return [leaf for name, value in node.items() for leaf in leaves(value, (*names, name))]
    if isinstance(node, list):
        return [leaf for value in node for leaf in leaves(value, names)]
    return [(names, node)]


def nest(names: tuple[str, ...], tests: list) -> dict:
    return {names[0]: nest(names[1:], tests) if names[1:] else tests}


class TestInventedInput:
    @given(pattern=ANY_JSON, event=st.dictionaries(KEYS | TEXT, ANY_JSON, max_size=4))
    def test_any_json_raises_nothing_but_a_pattern_error(self, pattern, event):
        assert outcome(json.dumps(pattern), event) in (True, False, "refused")
        assert outcome(pattern, event) in (True, False, "refused")

    @given(text=st.text(max_size=40), event=EVENTS)
    def test_any_text_raises_nothing_but_a_pattern_error(self, text, event):
        assert outcome(text, event) in (True, False, "refused")

    @given(operand=ANY_JSON, operator=KEYS, value=ANY_JSON)
    def test_any_operand_raises_nothing_but_a_pattern_error(self, operand, operator, value):
        assert outcome({"f": [{operator: operand}]}, {"f": value}) in (True, False, "refused")
        assert outcome({"f": [{"anything-but": {operator: operand}}]}, {"f": value}) in (
            True,
            False,
            "refused",
        )

    @given(pattern=VALID, event=EVENTS)
    def test_text_and_parsed_pattern_have_the_same_answer(self, pattern, event):
        assert matches(json.dumps(pattern), event) is matches(pattern, event)

    @given(event=EVENTS, data=st.data())
    def test_a_pattern_made_from_a_leaf_of_the_event_always_matches(self, event, data):
        found = leaves(event)
        assume(found)
        names, value = data.draw(st.sampled_from(found))
        assert matches(nest(names, [value]), event) is True
        assert matches(nest(names, [{"exists": True}]), event) is True
        assert matches(nest(names, [{"exists": False}]), event) is False

    @given(
        leaf=SCALARS | AFFIX | st.sampled_from([0, 1, 5, 5.0]),
        value=NUMBERS | AFFIX | st.sampled_from([0, 1, 5]),
    )
    def test_anything_but_is_the_negation_of_exact_for_a_scalar(self, leaf, value):
        event = {"f": leaf}
        assert matches({"f": [{"anything-but": value}]}, event) is not matches({"f": [value]}, event)
        assert matches({"f": [{"anything-but": [value]}]}, event) is not matches({"f": [value]}, event)

    @given(
        leaf=SCALARS | AFFIX, operator=st.sampled_from(["prefix", "suffix", "equals-ignore-case"]), text=AFFIX
    )
    def test_anything_but_is_the_negation_of_its_operator_for_a_scalar(self, leaf, operator, text):
        assume(text or operator == "equals-ignore-case")
        event = {"f": leaf}
        positive = matches({"f": [{operator: text}]}, event)
        assert matches({"f": [{"anything-but": {operator: text}}]}, event) is not positive

    @given(pattern=VALID | st.dictionaries(KEYS, ANY_JSON, max_size=3), event=EVENTS)
    def test_the_order_of_keys_changes_nothing(self, pattern, event):
        assert outcome(backwards(pattern), backwards(event)) == outcome(pattern, event)

    @given(one=VALID, other=VALID, event=EVENTS)
    def test_or_holds_exactly_when_an_alternative_holds(self, one, other, event):
        assert matches({"$or": [one, other]}, event) is (matches(one, event) or matches(other, event))

    @given(
        elements=st.lists(
            st.fixed_dictionaries({}, optional={"t": st.sampled_from("xy"), "n": st.sampled_from([1, 2])}),
            max_size=4,
        )
    )
    def test_two_fields_hold_exactly_when_one_element_of_the_list_has_both(self, elements):
        expected = any(element.get("t") == "x" and element.get("n") == 2 for element in elements)
        assert matches({"r": {"t": ["x"], "n": [2]}}, {"r": elements}) is expected
        assert matches({"d": {"r": {"t": ["x"], "n": [2]}}}, {"d": [{"r": elements}]}) is expected

    @given(text=st.text(alphabet="aAbB", max_size=4), value=st.text(alphabet="aAbB", max_size=4))
    def test_text_operators_agree_with_python(self, text, value):
        low, value_low = text.lower(), value.lower()
        answers = {
            json.dumps({"prefix": text}): value.startswith(text),
            json.dumps({"suffix": text}): value.endswith(text),
            json.dumps({"equals-ignore-case": text}): value_low == low,
            json.dumps({"prefix": {"equals-ignore-case": text}}): value_low.startswith(low),
            json.dumps({"suffix": {"equals-ignore-case": text}}): value_low.endswith(low),
        }
        assert {test: matches(f'{{"f": [{test}]}}', {"f": value}) for test in answers} == answers
