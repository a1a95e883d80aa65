"""The single-value operators: tables whose answers are those of AWS's matcher, and independent references.

The tables were checked against event-ruler 2.1.0, except for the limits on numbers, which only the page on
operators states.
"""

import operator
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alertpath.eventbridge.operators import PatternError, UnsupportedOperator, value_test
from alertpath.eventbridge.pattern import matches


def holds(test, value):
    answer = value_test(test, "$.f[0]")(value)
    assert matches({"f": [test]}, {"f": value}) is answer
    return answer


# (the test, values that pass, values that do not)
WILDCARDS = [
    ("", [""], ["a", None]),
    ("a", ["a"], ["A", "ab", "ba", ""]),
    ("*", ["", "a", "*", "a\nb"], [5, None, True]),
    ("a*", ["a", "ab", "a\n"], ["", "ba", "A"]),
    ("*a", ["a", "ba"], ["ab", "a\n"]),
    ("*a*", ["a", "bab"], ["", "b"]),
    ("a*a", ["aa", "aba"], ["a"]),
    ("ab*ba", ["abba", "abxba"], ["aba"]),
    ("a*a*a", ["aaa", "abaca"], ["aa", "aba"]),
    ("a*b*c", ["abc", "axbxc", "abbcc"], ["ac", "acb", "cba"]),
    ("a*c", ["a\nc"], ["a\nc\n"]),
    ("a.c*", ["a.c", "a.cd"], ["abcd"]),
    ("[ab]*(c|d)?", ["[ab](c|d)?"], ["ac", "bd"]),
    ("é*😀", ["é😀", "éa😀"], ["e😀"]),
    ('"*', ['"x'], ["x"]),
    (r"a\*c", ["a*c"], ["abc", r"a\*c"]),
    (r"a\*", ["a*"], ["ab"]),
    (r"a\**", ["a*", "a*b"], ["a", "ab"]),
    (r"a*\*", ["a*", "ab*"], ["ab"]),
    (r"\*\*", ["**"], ["*", "ab"]),
    (r"a\\*", ["a\\", r"a\b"], ["a*", "ab"]),
    (r"*\\", ["\\", "a\\"], ["a"]),
    (r"a\\\*", [r"a\*"], [r"a\b"]),
]
NUMBERS = [
    (["=", 5], [5, 5.0], ["5", 5.000001, True, None]),
    (["=", 301.8], [301.8, 3.018e2], [301.800001]),
    (["=", 0], [0, -0.0], [False, "0", 1e-6]),
    (["<", 5], [4.999999, -5, -6e9], [5, 6, "4"]),
    (["<=", 5], [5, 5.0], [5.000001]),
    ([">", 5], [5.000001, 6e9], [5, 4]),
    ([">=", 5], [5, 6], [4.999999, True]),
    ([">", 0, "<=", 5], [1e-6, 5], [0, 5.000001]),
    ([">=", 0, "<", 5], [0, 4.999999], [-1e-6, 5]),
    ([">", 0, "<", 5], [1], [0, 5]),
    ([">=", -5, "<=", -1], [-5, -1], [-5.1, 0]),
    (["<=", 5e9], [5e9, 5_000_000_000], [5_000_000_001]),
    ([">=", -5e9, "<=", 5e9], [-5e9, 5e9, 0], []),
    (["=", 4999999999.999999], [4999999999.999999], [4999999999.999998, 5e9]),
]
BLOCKS = [
    ("10.0.0.0/24", ["10.0.0.0", "10.0.0.255"], ["10.0.1.0", "9.255.255.255", "10.0.0", "a", 5, None]),
    ("10.0.0.7/24", ["10.0.0.1", "10.0.0.9"], ["10.0.1.0"]),
    ("10.0.0.7/31", ["10.0.0.6", "10.0.0.7"], ["10.0.0.5", "10.0.0.8"]),
    ("10.0.0.7/08", ["10.255.0.0"], ["11.0.0.0"]),
    ("1.2.3.4/0", ["0.0.0.1", "255.255.255.255"], ["256.0.0.0", "1.2.3.4.5"]),
    ("010.0.0.0/8", ["10.1.1.1", "010.0.0.01"], ["8.0.0.1"]),
    ("10.0.0.0/8", ["::ffff:a00:1"], ["::ffff:10.0.0.1", " 10.0.0.1", "10.0.0.1/32", "167772161"]),
    ("::ffff:a00:1/24", ["10.0.0.9", "::ffff:a00:2"], ["10.0.1.0"]),
    (
        "2001:db8::/32",
        ["2001:db8::1", "2001:DB8:0:0::1", "2001:0db8::0001"],
        ["2001:db9::", "2001:db8::1%eth0"],
    ),
    ("2001:db8::1/127", ["2001:db8::"], ["2001:db8::2", "[2001:db8::1]"]),
    ("::/0", ["::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], [":", ":::", "1:2:3:4:5:6:7:8:9", "g::"]),
]
ADDRESSES = [
    ("10.0.0.1", ["10.0.0.1", "010.0.0.1", "::ffff:a00:1"], ["10.0.0.2", "::ffff:10.0.0.1"]),
    ("2001:DB8::A", ["2001:db8::a", "2001:db8:0::a"], ["2001:db8::b", None]),
    ("::ffff:1.2.3.4", ["::ffff:1.2.3.4"], ["1.2.3.4"]),
    ("10.0.0", ["10.0.0"], ["10.0.0.0"]),
]
REFUSALS = [
    ("a", ["b", "A", "", 5, None, True], ["a"]),
    (5, ["5", 6, None, True, 0.1234567], [5, 5.0]),
    ([1, 2], [3, "1"], [1, 2.0]),
    ("::1", ["0::1"], ["::1"]),
    ({"wildcard": "a*"}, ["b", "A", 5, None], ["a", "ab"]),
    ({"wildcard": "*"}, [5, None], ["", "a"]),
    ({"wildcard": ""}, ["a"], [""]),
    ({"wildcard": ["a*", "*b"]}, ["c", "ba"], ["ab", "ac", "cb"]),
    ({"wildcard": [r"a\*"]}, ["ab"], ["a*"]),
    ({"prefix": ["a", "b"]}, ["ca", 5], ["ab", "ba"]),
    ({"suffix": ["a", "b"]}, ["ac", None], ["ca", "cb"]),
    ({"equals-ignore-case": ["A", "b"]}, ["ab", 5], ["a", "B"]),
    ({"equals-ignore-case": ""}, ["a"], [""]),
]
TABLE = [
    *(({"wildcard": row[0]}, *row[1:]) for row in WILDCARDS),
    *(({"numeric": row[0]}, *row[1:]) for row in NUMBERS),
    *(({"cidr": row[0]}, *row[1:]) for row in BLOCKS),
    *(({"anything-but": row[0]}, *row[1:]) for row in REFUSALS),
    *ADDRESSES,
]


@pytest.mark.parametrize(("test", "passing", "failing"), TABLE, ids=[str(row[0]) for row in TABLE])
def test_what_passes_and_what_does_not(test, passing, failing):
    assert [value for value in passing if not holds(test, value)] == []
    assert [value for value in failing if holds(test, value)] == []


# (operator, operand, a part of the message)
REFUSED = [
    *(
        ("wildcard", operand, "it must be text")
        for operand in (5, None, ["a*"], {"equals-ignore-case": "A*"})
    ),
    *(("wildcard", operand, "two stars in a row") for operand in ("**", "a**b", "***", r"\***")),
    *(("wildcard", operand, "a backslash stands before") for operand in ("\\", r"a\b", r"*\\" + "\\", r"\n")),
    *(
        ("numeric", operand, "must be one of = < <= > >= and a number, or a range")
        for operand in (
            5,
            None,
            ">",
            {},
            [],
            [">"],
            [5],
            [5, ">"],
            ["!=", 5],
            [["="], 5],
            [None, 5],
            [">", 1, "<"],
            [">", 1, ">", 2],
            [">", 1, "=", 2],
            ["=", 1, "<", 2],
            ["<", 5, ">", 1],
            ["<=", 5, ">=", 1],
            [">", 1, "<", 5, "<", 4],
        )
    ),
    *(("numeric", ["=", number], "it must be a number") for number in ("1", None, True, [1], {})),
    *(("numeric", [">", 1, "<", number], "[3] is a") for number in ("2", None, True)),
    *(
        ("numeric", ["=", number], "numeric takes -5000000000 to 5000000000")
        for number in (5_000_000_001, -5_000_000_000.1, 10**400, float("inf"), float("nan"))
    ),
    *(("numeric", ["<", number], "at most 6 digits") for number in (0.1234567, 1e-7, -1.0000001)),
    *(
        ("numeric", [">", lower, "<", upper], "the lower bound of a range must be less")
        for lower, upper in ((5, 5), (5.0, 5), (6, 5), (0, -0.0))
    ),
    *(("cidr", operand, "it must be text") for operand in (5, None, ["10.0.0.0/8"], {})),
    *(
        ("cidr", operand, "must be an IPv4 or IPv6 address")
        for operand in (
            "",
            "/8",
            "x/8",
            "10.0.0/8",
            "10.0.0.256/8",
            " 10.0.0.0/8",
            "10.0.0.0.0/8",
            "1.2.3.٤/8",
            ":/8",
            "::1::2/8",
            "1:2:3:4:5:6:7:8:9/8",
            "::ffff:10.0.0.1/100",
            "2001:db8::%eth0/32",
        )
    ),
    *(
        ("cidr", f"10.0.0.0{end}", "must end in a slash and 0 to 31")
        for end in ("", "/", "/x", "/-1", "/32", "/33", "/1000", "/ 8", "/8/8", "/255.0.0.0")
    ),
    *(("cidr", f"::1{end}", "must end in a slash and 0 to 127") for end in ("", "/128", "/129")),
    ("cidr", "::ffff:a00:1/104", "must end in a slash and 0 to 31"),
    *(
        ("anything-but", {name: operand}, "anything-but takes equals-ignore-case, prefix, suffix, wildcard")
        for name, operand in (("numeric", [">", 0]), ("cidr", "10.0.0.0/8"), ("exists", True), ("x", "y"))
    ),
    *(("anything-but", {"wildcard": operand}, "it must be text") for operand in (5, ["a", 5], None, {})),
    ("anything-but", {"wildcard": []}, "holds nothing to exclude"),
    ("anything-but", {"wildcard": ["a", "b**"]}, "two stars in a row"),
    ("anything-but", {"wildcard": "\\a"}, "a backslash stands before"),
    ("anything-but", [5, "a"], "must be text, a number, or a list"),
]


@pytest.mark.parametrize(("name", "operand", "part"), REFUSED)
def test_what_aws_refuses_is_refused_with_its_place(name, operand, part):
    with pytest.raises(PatternError) as refusal:
        value_test({name: operand}, "$.f[0]")
    assert str(refusal.value).startswith(f"$.f[0].{name}")
    assert part in str(refusal.value)
    assert not isinstance(refusal.value, UnsupportedOperator)


def test_a_wildcard_with_many_stars_fails_quickly():
    assert holds({"wildcard": "a*" * 1_000 + "b"}, "a" * 100_000) is False


def fits(wildcard, text):
    """Reference for wildcards without escapes: which beginnings of the text fit, sign by sign."""
    row = [True] + [False] * len(text)
    for sign in wildcard:
        if sign == "*":
            row = [any(row[: end + 1]) for end in range(len(row))]
        else:
            row = [False] + [row[end] and text[end] == sign for end in range(len(text))]
    return row[-1]


def escaped(text):
    return text.replace("\\", r"\\").replace("*", r"\*")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet="aAb*\\", max_size=4)
)
LIMITS = st.integers(-5_000_000_000, 5_000_000_000) | st.integers(-9_000_000, 9_000_000).map(
    lambda millionths: millionths / 1_000_000
)
COMPARE = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ADDRESS = st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address)


class TestAgainstReferences:
    @given(wildcard=st.text(alphabet="ab*.\n", max_size=8), text=st.text(alphabet="ab.\n", max_size=8))
    def test_wildcard_agrees_with_dynamic_programming(self, wildcard, text):
        assume("**" not in wildcard)
        assert holds({"wildcard": wildcard}, text) is fits(wildcard, text)

    @given(parts=st.lists(st.text(alphabet="a*\\", min_size=1, max_size=3), max_size=4), filling=st.text())
    def test_wildcard_takes_its_own_parts_whatever_stands_for_a_star(self, parts, filling):
        test = {"wildcard": "*".join(escaped(part) for part in parts)}
        assert holds(test, filling.join(parts)) is True

    @given(text=st.text(alphabet="a*\\"), other=st.text(alphabet="a*\\"))
    def test_an_escaped_text_is_exact(self, text, other):
        assert holds({"wildcard": escaped(text)}, text) is True
        assert holds({"wildcard": escaped(text)}, other) is (text == other)

    @given(sign=st.sampled_from(sorted(COMPARE)), limit=LIMITS, value=LIMITS | SCALARS, same=st.booleans())
    def test_numeric_agrees_with_python(self, sign, limit, value, same):
        value = limit if same else value
        number = isinstance(value, int | float) and not isinstance(value, bool)
        assert holds({"numeric": [sign, limit]}, value) is (number and COMPARE[sign](value, limit))

    @given(
        lower=st.sampled_from([">", ">="]),
        upper=st.sampled_from(["<", "<="]),
        bounds=st.tuples(LIMITS, LIMITS).map(sorted),
        value=LIMITS,
        at=st.sampled_from(["lower", "upper", "anywhere"]),
    )
    def test_a_range_is_both_of_its_comparisons(self, lower, upper, bounds, value, at):
        low, high = bounds
        assume(low < high)
        value = {"lower": low, "upper": high}.get(at, value)
        expected = holds({"numeric": [lower, low]}, value) and holds({"numeric": [upper, high]}, value)
        assert holds({"numeric": [lower, low, upper, high]}, value) is expected

    @given(base=ADDRESS, other=ADDRESS, data=st.data())
    def test_cidr_agrees_with_ipaddress(self, base, other, data):
        # An IPv4 address written as an IPv6 one is an IPv4 address to AWS, and not to `ipaddress`.
        assume(not any(getattr(address, "ipv4_mapped", None) for address in (base, other)))
        bits = data.draw(st.integers(0, base.max_prefixlen - 1))
        block = ip_network(f"{base}/{bits}", strict=False)
        after = type(base)((int(block[-1]) + 1) % 2**base.max_prefixlen)
        for address in (other, base, block[0], block[-1], after):
            if getattr(address, "ipv4_mapped", None):
                continue
            expected = address in block
            assert holds({"cidr": f"{base}/{bits}"}, str(address)) is expected
            assert holds({"cidr": f"{base}/{bits}"}, address.exploded) is expected

    @given(
        leaf=SCALARS,
        name=st.sampled_from(["prefix", "suffix", "equals-ignore-case", "wildcard"]),
        texts=st.lists(st.text(alphabet="aAb", min_size=1, max_size=3), min_size=1, max_size=3),
    )
    def test_anything_but_is_the_negation_of_its_operator(self, leaf, name, texts):
        any_holds = any(holds({name: text}, leaf) for text in texts)
        assert holds({"anything-but": {name: texts}}, leaf) is not any_holds
        assert holds({"anything-but": {name: texts[0]}}, leaf) is not holds({name: texts[0]}, leaf)

    @given(
        leaf=SCALARS,
        values=st.lists(st.text(alphabet="aAb", max_size=3), min_size=1, max_size=3)
        | st.lists(st.integers(-9, 9) | st.floats(-9, 9), min_size=1, max_size=3),
    )
    def test_anything_but_is_the_negation_of_its_values(self, leaf, values):
        any_holds = any(holds(value, leaf) for value in values)
        assert holds({"anything-but": values}, leaf) is not any_holds
        assert holds({"anything-but": values[0]}, leaf) is not holds(values[0], leaf)


NAMES = ["anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"]
ANY_JSON = st.recursive(
    SCALARS | st.floats() | st.text() | st.sampled_from([*COMPARE, "10.0.0.0/8", "::1", "**"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
    max_leaves=8,
)


@given(
    name=st.sampled_from([*NAMES, "exactly"]), operand=ANY_JSON, value=ANY_JSON, inner=st.sampled_from(NAMES)
)
def test_any_operand_and_any_value_raise_nothing_but_a_pattern_error(name, operand, value, inner):
    for item in (operand, {name: operand}, {"anything-but": {inner: operand}}):
        try:
            test = value_test(item, "$")
        except PatternError:
            continue
        assert test(value) in (True, False)
