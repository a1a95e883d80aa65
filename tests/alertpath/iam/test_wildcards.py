"""Wildcards and text without variables; policy variables are tested where conditions use them."""

from hypothesis import given
from hypothesis import strategies as st

from alertpath.iam.wildcards import Wild, expanded, fits, tokens


def simple_fits(pattern, text):
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(simple_fits(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and simple_fits(pattern[1:], text[1:])


@given(st.text("ab:*?", max_size=8), st.text("ab:", max_size=8))
def test_wildcards_as_a_plain_recursion_has_them(pattern, text):
    assert fits(tokens(pattern), text) is simple_fits(pattern, text)


def test_wildcards_take_no_exponential_time():
    assert not fits(tokens("*a" * 200 + "b"), "a" * 2000)


def test_wildcards_inside_a_segment_stop_at_a_colon():
    assert fits(["a", Wild.MANY_INSIDE, ":", Wild.ONE_INSIDE], "abc:d")
    assert not fits([Wild.MANY_INSIDE], "a:b")
    assert not fits([Wild.ONE_INSIDE], ":")


@given(st.text("aA1*?:/${}', .-", max_size=12))
def test_text_without_variables_is_expanded_as_it_is(text):
    if "${" not in text:
        assert expanded(text, {}) == tokens(text)
