"""How answers in three values combine, and how they quote a document."""

import pytest

from alertpath.iam.answer import Answer, every, one_of, shown, some, texts_of

YES, NO, OPEN = Answer(True, "yes"), Answer(False, "no"), Answer(None, "open")
UNRESOLVED = Answer(False, "no value", unresolved=True)


@pytest.mark.parametrize(
    ("answers", "all_of_them", "one_of_them"),
    [
        ([], True, False),
        ([YES, YES], True, True),
        ([YES, NO], False, True),
        ([YES, OPEN], None, True),
        ([NO, OPEN], False, None),
        ([NO, NO], False, False),
    ],
)
def test_a_decisive_answer_outweighs_what_cannot_be_told(answers, all_of_them, one_of_them):
    assert every(answers).holds is all_of_them
    assert every(answers[::-1]).holds is all_of_them
    assert some(answers).holds is one_of_them
    assert some(answers[::-1]).holds is one_of_them


@pytest.mark.parametrize(
    ("answers", "negated", "holds"),
    [
        ([YES, NO], False, True),
        ([NO], True, True),
        ([YES], True, False),
        ([OPEN, NO], True, None),
        ([YES, UNRESOLVED], False, None),
        ([UNRESOLVED], False, False),
        ([UNRESOLVED], True, None),
        ([YES, UNRESOLVED], True, False),
    ],
)
def test_a_variable_without_a_value_never_makes_a_yes(answers, negated, holds):
    assert one_of(answers, negated=negated).holds is holds


def test_an_element_is_text_or_a_list_of_text():
    assert texts_of("a", "Action") == ["a"]
    assert texts_of(["a", "b"], "Action") == ["a", "b"]
    for odd in (None, [], ["a", 1], {"a": "b"}):
        answer = texts_of(odd, "Action")
        assert isinstance(answer, Answer)
        assert answer.holds is None


def test_long_text_is_cut_short():
    assert len(shown("x" * 1000)) == 82
