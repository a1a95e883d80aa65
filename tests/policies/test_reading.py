"""What a policy sees of a resource."""

import json
import re
from pathlib import Path

import pulumi
import pytest
from breakglass_policies.reading import NAMES, any_known, as_json, each, items, known_properties, known_text
from pulumi_policy.proxy import UnknownValueError, unknown_checking_proxy

import components


def test_values_compare_and_serialise():
    value = {"list": [1, {"deep": None}], "text": "x", "flag": True}
    proxied = unknown_checking_proxy(value)
    assert as_json(proxied) == value
    assert json.loads(json.dumps(as_json(proxied))) == value
    assert as_json(proxied["list"]) == [1, {"deep": None}]


@pytest.mark.parametrize(
    "asset", [pulumi.FileAsset("x"), pulumi.AssetArchive({"x.py": pulumi.StringAsset("")})]
)
def test_an_asset_becomes_its_kind(asset):
    assert as_json({"code": asset}) == {"code": type(asset).__name__}


def test_an_unknown_value_deep_inside_is_raised(unknown):
    with pytest.raises(UnknownValueError) as raised:
        as_json(unknown_checking_proxy({"list": [{"deep": unknown}]}))
    assert raised.value.props == ["list", "0", "deep"]


def test_known_properties_mark_what_is_unknown(unknown):
    props = unknown_checking_proxy({"name": "x", "list": ["a", unknown]})
    assert known_properties(props) == {"name": "x", "list": None}
    assert known_properties(props, "later") == {"name": "x", "list": "later"}


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


def test_known_text(unknown):
    props = unknown_checking_proxy({"name": "x", "later": unknown, "number": 7, "empty": ""})
    names = {key: known_text(props, key) for key in ("name", "later", "number", "empty", "missing")}
    assert names == {"name": "x", "later": None, "number": None, "empty": None, "missing": None}


def test_each_yields_all_that_is_known_before_it_raises(unknown):
    props = unknown_checking_proxy({"known": "first", "later": unknown})

    def look(key):
        yield f"looked at {key}"
        yield props[key]

    found = each(["later", "known", "later"], look)
    assert [next(found) for _ in range(4)] == [
        "looked at later",
        "looked at known",
        "first",
        "looked at later",
    ]
    with pytest.raises(UnknownValueError):
        next(found)
    assert list(each(["known"], look)) == ["looked at known", "first"]


def test_any_known_prefers_what_is_known(unknown):
    candidates = [unknown_checking_proxy({"x": value}) for value in (unknown, "no", "yes")]
    assert any_known(candidates, lambda candidate: candidate["x"] == "yes")
    assert not any_known(candidates[1:], lambda candidate: candidate["x"] == "other")
    with pytest.raises(UnknownValueError):
        any_known(candidates, lambda candidate: candidate["x"] == "other")


def test_the_components_have_the_names_that_policies_know():
    """A renamed component would take its user, role or key out of the policies' sight."""
    sources = Path(components.__file__).parent.glob("*.py")
    found = {name for path in sources for name in re.findall(r'"breakglass:index:(\w+)"', path.read_text())}
    assert found == {*NAMES, "BreakGlassAlerts", "BreakGlassWatchdog", "BreakGlassRelay"}
