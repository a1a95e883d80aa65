"""The command line: exit codes, what is said, and input that is none."""

import contextlib
import json
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertpath.__main__ import main
from alertpath.model import UnreadableInput, deployment, from_stack_export
from alertpath.proof import prove
from tests.alertpath.exports import export
from tests.alertpath.faults import FAULTS

REGIONS = ["us-east-1", "eu-west-1"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    exports = {stack: export(stack, REGIONS) for stack in ("mgmt", "member")}
    for stack, content in exports.items():
        (folder / f"{stack}.json").write_text(json.dumps(content))
    fault = next(fault for fault in FAULTS if fault.name == "key policy hardened with SourceAccount")
    fault.inject(exports)
    (folder / "hardened.json").write_text(json.dumps(exports["mgmt"]))
    return folder


def test_intact_stacks_end_with_zero(files, capsys):
    assert main([str(files / "mgmt.json"), str(files / "member.json")]) == 0
    out = capsys.readouterr().out
    assert "Would the alarm ring?" in out
    assert "user-sign-in" in out
    assert "2 of 2" in out
    assert "scenarios end as they must" in out


def test_a_fault_ends_with_one_and_names_resource_and_reason(files, capsys):
    assert main([str(files / "hardened.json"), str(files / "member.json")]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "the key's policy does not allow it" in out
    assert "aws:SourceAccount" in out
    assert "break-glass-alerts-key" in out


def test_json_holds_every_judgement(files, capsys):
    assert main([str(files / "hardened.json"), str(files / "member.json"), "--json"]) == 1
    judgements = json.loads(capsys.readouterr().out)
    bad = [one for one in judgements if not one["good"]]
    assert 0 < len(bad) < len(judgements)
    assert {one["outcome"] for one in bad} == {"lost"}
    assert all(one["resource"].endswith("break-glass-alerts-key") for one in bad)


def test_names_in_an_export_do_not_steer_the_terminal(files, tmp_path, capsys):
    text = (files / "hardened.json").read_text().replace("alerts-key", "alerts-key\\u001b[2J\\u202e[red]")
    (tmp_path / "hostile.json").write_text(text)
    assert main([str(tmp_path / "hostile.json"), str(files / "member.json")]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "alerts-key\\x1b[2J\\u202e[red]" in "".join(out.split())


def test_without_the_hub_nothing_can_be_proven(files, capsys):
    assert main([str(files / "member.json")]) == 2
    assert "no stack with the hub" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    ["", "not json", "[]", "null", "{}", '{"deployment": null}', '{"deployment": {"resources": 5}}',
     '{"deployment": {"resources": [5]}}', '{"deployment": {"resources": [{"type": 1}]}}'],
)  # fmt: skip
def test_what_is_no_stack_export_ends_with_two_and_names_the_file(tmp_path, capsys, content):
    file = tmp_path / "odd.json"
    file.write_text(content)
    assert main([str(file)]) == 2
    err = capsys.readouterr().err
    assert "odd.json: not the output of `pulumi stack export`" in err
    assert "Error" not in err


@pytest.mark.parametrize("deployment", [{"manifest": {}}, {"resources": None}, {"resources": []}])
def test_a_stack_that_was_never_deployed_is_said_to_hold_nothing(files, tmp_path, capsys, deployment):
    file = tmp_path / "new.json"
    file.write_text(json.dumps({"version": 3, "deployment": deployment}))
    assert main([str(files / "mgmt.json"), str(file)]) == 2
    assert "new.json: holds no resources, as the export of a stack never deployed" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_export_may_be_in_any_encoding_of_json(files, tmp_path, encoding):
    file = tmp_path / "mgmt.json"
    file.write_text((files / "mgmt.json").read_text(), encoding)
    assert main([str(file), str(files / "member.json")]) == 0


@pytest.mark.parametrize("content", ["é".encode("latin-1"), b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_not_json_is_said(tmp_path, capsys, content):
    file = tmp_path / "odd.json"
    file.write_bytes(content)
    assert main([str(file)]) == 2
    assert capsys.readouterr().err.endswith(
        "odd.json: not the output of `pulumi stack export`: not JSON text in UTF-8\n"
    )


def test_a_report_never_replaces_an_export(files, tmp_path, capsys):
    file, link = tmp_path / "mgmt.json", tmp_path / "link.html"
    file.write_bytes(before := (files / "mgmt.json").read_bytes())
    link.symlink_to(file)
    for html in (file, link):
        with pytest.raises(SystemExit, match="2"):
            main([str(file), "--html", str(html)])
        assert "must be another file" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_file_that_cannot_be_read_ends_with_two(tmp_path, capsys):
    assert main([str(tmp_path / "absent.json")]) == 2
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert main([str(tmp_path / "binary")]) == 2
    assert "absent.json" in capsys.readouterr().err


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused(content):
    with contextlib.suppress(UnreadableInput):
        prove(deployment(from_stack_export(json.dumps(content), "fuzz")))


KEPT = ("user-sign-in", "drill", "key-change", "record")
"""Detections whose rules and targets are spoilt: those of the others have the same properties."""


@cache
def small_export() -> dict[str, list[dict[str, Any]]]:
    """The management stack in one Region, by type of resource, without the rules of most detections."""
    by_type: dict[str, list[dict[str, Any]]] = {}
    for resource in export("mgmt", ["us-east-1"])["deployment"]["resources"]:
        name = resource["urn"].rsplit("::", 1)[-1]
        detection = re.fullmatch("break-glass-alerts-(?:rule|target)-(.+?)(-SendTo[A-Za-z]+|-Record)?", name)
        if detection is None or detection[1] in KEPT:
            by_type.setdefault(resource["type"], []).append(resource)
    return by_type


@settings(deadline=None)
@given(st.data())
def test_a_stack_with_any_property_spoilt_is_judged_or_refused(data):
    """Each type of resource is drawn as often as any other, however many resources it has."""
    by_type = small_export()
    spoilt = data.draw(st.sampled_from(sorted(by_type)).flatmap(lambda name: st.sampled_from(by_type[name])))
    changed = dict(spoilt)
    for place in ("inputs", "outputs"):
        if properties := dict(spoilt.get(place) or {}):
            properties[data.draw(st.sampled_from(sorted(properties)))] = data.draw(JSON)
            changed[place] = properties
    resources = [changed if one is spoilt else one for listed in by_type.values() for one in listed]
    with contextlib.suppress(UnreadableInput):
        prove(deployment(from_stack_export(json.dumps({"deployment": {"resources": resources}}), "fuzz")))


def test_the_small_export_of_that_test_has_every_path():
    resources = [one for listed in small_export().values() for one in listed]
    judgements = prove(
        deployment(from_stack_export(json.dumps({"deployment": {"resources": resources}}), "small"))
    )
    good = {one.scenario.detection for one in judgements if one.good}
    assert good >= {"user-sign-in", "drill", "key-change"}
