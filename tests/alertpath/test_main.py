"""The command line: exit codes, what is said, and input that is none."""

import contextlib
import io
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertpath.__main__ import main
from alertpath.model import UnreadableInput, deployment, from_stack_export
from alertpath.proof import prove
from breakglass import VERSION
from tests.alertpath.exports import export
from tests.alertpath.faults import FAULTS

ROOT = Path(__file__).parents[2]
REGIONS = ["us-east-1", "eu-west-1", "us-west-2"]


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
    assert re.search(r"111111111111 │ +3 │ +[0-9]+ │ +all ", out)
    assert re.search(r"222222222222 │ +3 │ +[0-9]+ │ +all ", out)
    assert re.search(r"\n([0-9]+) of \1 scenarios end as they must\n", out)
    assert re.search(r"\n([0-9]+) of \1 attacks on the alarm are told after they landed\n$", out)
    assert "user-sign-in" not in out  # what is well stands in the counts alone


def admitting(content: dict[str, Any], *accounts: str, organization: str = "") -> str:
    """The hub's export with another bus policy."""
    statements: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": "events:PutEvents",
            "Resource": "*",
            "Principal": {"AWS": [f"arn:aws:iam::{account}:root" for account in accounts]},
        }
    ]
    if organization:
        of_organization = {"StringEquals": {"aws:PrincipalOrgID": organization}}
        statements.append({**statements[0], "Principal": "*", "Condition": of_organization})
    changed = json.loads(json.dumps(content))
    for resource in changed["deployment"]["resources"]:
        if resource["type"].endswith(":EventBusPolicy"):
            policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
            resource["inputs"]["policy"] = resource["outputs"]["policy"] = policy
    return json.dumps(changed)


def test_an_account_that_the_hub_admits_but_no_file_is_of_is_not_proven(files, tmp_path, capsys):
    html = tmp_path / "proof.html"
    assert main([str(files / "mgmt.json"), "--html", str(html)]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "1 x nothing was given of 222222222222, which may send to the hub" in out
    assert "fix: give the export of each such account's stack as well" in out
    assert "│ 222222222222 │ 1 │ 1 │ 0 of 1 │" in out
    assert "1 cannot be proven" in html.read_text()
    assert "nothing is left unproven" not in html.read_text()
    assert main([str(files / "mgmt.json"), "--json"]) == 1
    (bad,) = [one for one in json.loads(capsys.readouterr().out)["scenarios"] if not one["good"]]
    assert (bad["account"], bad["outcome"]) == ("222222222222", "cannot prove")


def test_many_such_accounts_are_one_finding(files, tmp_path, capsys):
    accounts = [f"3000000000{number:02}" for number in range(20)]
    (tmp_path / "hub.json").write_text(admitting(export("mgmt", REGIONS), "111111111111", *accounts))
    assert main([str(tmp_path / "hub.json")]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "20 x nothing was given of 300000000000, " in out
    assert "300000000004 and 15 more, which may send" in out


def test_of_an_organisation_only_what_was_given_is_said_to_be_judged(files, tmp_path, capsys):
    (tmp_path / "hub.json").write_text(
        admitting(export("mgmt", REGIONS), "111111111111", "222222222222", organization="o-abcdefghij")
    )
    html = tmp_path / "proof.html"
    assert main([str(tmp_path / "hub.json"), str(files / "member.json"), "--html", str(html)]) == 0
    said = "The hub admits all accounts of o-abcdefghij: only those listed above were judged"
    assert said in " ".join(capsys.readouterr().out.split())
    assert "<code>o-abcdefghij</code>" in html.read_text()


class _Input:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_an_export_may_come_from_standard_input(files, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", _Input((files / "mgmt.json").read_bytes()))
    assert main(["-", str(files / "member.json")]) == 0
    monkeypatch.setattr(sys, "stdin", _Input(b"[]"))
    assert main(["-", str(files / "member.json")]) == 2
    assert "standard input: not the output of `pulumi stack export`" in capsys.readouterr().err


def test_a_stack_is_given_once(files, tmp_path, capsys):
    (tmp_path / "later.json").write_bytes((files / "member.json").read_bytes())
    arguments = [str(files / "mgmt.json"), str(files / "member.json"), str(tmp_path / "later.json")]
    assert main(arguments) == 2
    assert f"later.json: is of the same stack as {files / 'member.json'}" in capsys.readouterr().err


def test_stacks_of_one_name_in_two_accounts_are_two(files, tmp_path):
    other = (files / "member.json").read_text().replace("222222222222", "333333333333")
    (tmp_path / "other.json").write_text(other)
    # The hub does not admit the other account: its events are lost, but the files can be read.
    assert main([str(files / "mgmt.json"), str(files / "member.json"), str(tmp_path / "other.json")]) == 1


@pytest.mark.parametrize("version", [2, 99, "3", None])
def test_an_export_of_another_version_is_refused(files, tmp_path, capsys, version):
    changed = {**json.loads((files / "mgmt.json").read_text()), "version": version}
    (tmp_path / "new.json").write_text(json.dumps(changed))
    assert main([str(tmp_path / "new.json")]) == 2
    assert f"is an export of version {version!r}, must be of version 3" in capsys.readouterr().err


@pytest.mark.parametrize("columns", ["40", "80"])
def test_names_are_whole_on_a_narrow_terminal(files, capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert main([str(files / "hardened.json"), str(files / "member.json")]) == 1
    out = capsys.readouterr().out
    urn = "urn:pulumi:mgmt::breakglass::aws:kms/key:Key::break-glass-alerts-key"
    assert f"\n    at {urn}\n" in out
    assert "│ 111111111111 │" in out


def test_the_version_is_that_of_the_project(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"{VERSION}\n"


def test_a_missing_package_is_named(tmp_path):
    command = [sys.executable, "-S", "-m", "alertpath", "mgmt.json"]  # -S: without installed packages
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == ("alertpath: rich is not installed: `make setup`, then `. .venv/bin/activate`\n")


def test_a_fault_ends_with_one_and_names_resource_and_reason(files, capsys):
    assert main([str(files / "hardened.json"), str(files / "member.json")]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "the key's policy does not allow it" in out
    assert "aws:SourceAccount" in out
    assert "break-glass-alerts-key" in out


def test_json_holds_every_judgement(files, capsys):
    assert main([str(files / "hardened.json"), str(files / "member.json"), "--json"]) == 1
    judgements = json.loads(capsys.readouterr().out)["scenarios"]
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


KEPT = ("user-sign-in", "drill", "key-change", "record", "heartbeat", "alert", "alert-2", "alert-3")
"""Detections whose rules and targets are spoilt: those of the others have the same properties."""


@cache
def small_export() -> dict[str, list[dict[str, Any]]]:
    """The management stack in one Region, by type of resource, without the rules of most detections."""
    by_type: dict[str, list[dict[str, Any]]] = {}
    for resource in export("mgmt", ["us-east-1", "us-west-2"])["deployment"]["resources"]:
        name = resource["urn"].rsplit("::", 1)[-1]
        detection = re.fullmatch(
            "break-glass-(?:alerts|watchdog)-(?:rule|target)-(.+?)(-SendTo[A-Za-z]+|-Record|-Watchdog)?", name
        )
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
