import json

import pytest
from breakglass_policies.plain import any_known, items, known_name, plain, title, unknown_last
from pulumi_policy.proxy import UnknownValueError, unknown_checking_proxy


def test_plain_values_compare_and_serialise():
    value = {"list": [1, {"deep": None}], "text": "x", "flag": True}
    proxied = unknown_checking_proxy(value)
    assert plain(proxied) == value
    assert json.loads(json.dumps(plain(proxied))) == value
    assert plain(proxied["list"]) == [1, {"deep": None}]


def test_plain_raises_on_an_unknown_value_deep_inside(unknown):
    with pytest.raises(UnknownValueError) as raised:
        plain(unknown_checking_proxy({"list": [{"deep": unknown}]}))
    assert raised.value.props == ["list", "0", "deep"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, []), ("text", ["text"]), (["a", "b"], ["a", "b"]), ([], []), (7, [7]), (False, [False])],
)
def test_items(value, expected):
    assert list(items(value)) == expected


def test_items_of_a_proxy_are_not_read(unknown):
    proxied = unknown_checking_proxy({"list": [unknown, "known"]})
    assert len(items(proxied["list"])) == 2
    assert items(proxied["list"])[1] == "known"


def test_known_name(unknown):
    props = unknown_checking_proxy({"name": "x", "later": unknown, "number": 7, "empty": ""})
    names = {key: known_name(props, key) for key in ("name", "later", "number", "empty", "missing")}
    assert names == {"name": "x", "later": None, "number": None, "empty": None, "missing": None}


def parts(unknown):
    def known():
        yield "first"

    def not_known():
        yield "before"
        yield plain(unknown_checking_proxy({"x": unknown})["x"])
        yield "never"

    return known, not_known


def test_unknown_last_yields_all_that_is_known_before_it_raises(unknown):
    known, not_known = parts(unknown)
    values = unknown_last(not_known(), known(), not_known())
    assert [next(values), next(values), next(values)] == ["before", "first", "before"]
    with pytest.raises(UnknownValueError):
        next(values)


def test_unknown_last_of_known_parts_does_not_raise(unknown):
    known, _ = parts(unknown)
    assert list(unknown_last(known(), known())) == ["first", "first"]


def test_any_known_prefers_what_is_known(unknown):
    candidates = [unknown_checking_proxy({"x": value}) for value in (unknown, "no", "yes")]
    assert any_known(candidates, lambda candidate: candidate["x"] == "yes")
    assert not any_known(candidates[1:], lambda candidate: candidate["x"] == "other")
    with pytest.raises(UnknownValueError):
        any_known(candidates, lambda candidate: candidate["x"] == "other")


def test_title_is_the_last_part_of_the_type_and_the_name():
    assert title("aws:iam/role:Role", "break-glass") == "Role 'break-glass'"
