"""What is shown of text that could steer a terminal or turn a line around."""

import pytest

from alertpath.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, Zoë, 深夜", "plain text, Zoë, 深夜"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("\ud800", "\\ud800"),
        ("one\ntwo", "one\\ntwo"),
    ],
)
def test_what_cannot_be_seen_is_escaped(text, shown):
    assert visible(text) == shown


def test_a_character_can_be_kept():
    assert visible("one\ntwo\r", keep="\n") == "one\ntwo\\r"
