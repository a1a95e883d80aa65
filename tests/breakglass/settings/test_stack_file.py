"""Stack files are read as the engine reads them; `tests/integration/test_stack_files.py` asks the engine."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from breakglass.settings import stack_file
from breakglass.settings.stack_file import NoSettings, UnreadableStack, configuration, without_secrets

ENCRYPTED = "{secure: 'v1:bm9uY2U=:c29tZXRoaW5n'}"

# (YAML of one value, what the program gets for it as a key's value, and inside a list)
VALUES: list[tuple[str, Any, Any]] = [
    ("text", "text", "text"),
    ("111111111111", "111111111111", 111111111111),
    ("012345678901", "12345678901", 12345678901),
    ("0123", "83", 83),
    ("0o17", "15", 15),
    ("0x1F", "31", 31),
    ("1_000", "1000", 1000),
    ("+491701234567", "491701234567", 491701234567),
    ("3600.0", "3600", 3600),
    ("1.50", "1.5", 1.5),
    ("1e3", "1000", 1000),
    ("1:30", "1:30", "1:30"),
    ("yes", "yes", "yes"),
    ("on", "on", "on"),
    ("TRUE", "true", True),
    ("false", "false", False),
    ("~", "", None),
    ("''", "", ""),
    ("!!str 5", "5", "5"),
    ("'[\"x\"]'", ["x"], '["x"]'),
    ('\'{"names": ["a"]}\'', {"names": ["a"]}, '{"names": ["a"]}'),
    ("'{half'", "{half", "{half"),
    ("[]", [], []),
    ("{}", {}, {}),
]


def written(folder: Path, text: str) -> Path:
    file = folder / "Pulumi.mgmt.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(("text", "as_value", "in_list"), VALUES, ids=[text for text, _, _ in VALUES])
def test_a_value_is_what_the_program_gets(tmp_path, text, as_value, in_list):
    file = written(tmp_path, f"config:\n  breakglass:a: {text}\n  breakglass:b: [{text}]\n")
    expected = {"a": as_value, "b": [in_list]}
    assert json.dumps(configuration(file)) == json.dumps(expected)  # True is not 1 there


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("config: {relay: {regions: [a]}}", {"relay": {"regions": ["a"]}}),
        ("config: {relay: 1, 'breakglass:relay': 2}", {"relay": "2"}),
        ("config: {'breakglass:relay': 2, relay: 1}", {"relay": "2"}),
        ("x: &x {a: 1}\nconfig: {'breakglass:y': {<<: *x, b: 2}}", {"y": {"a": 1, "b": 2}}),
        ("config: {'breakglass:a': 1, 'other:a': 2}", {"a": "1"}),
        ("config: {'breakglass:a': {1: x, true: y}}", {"a": {"1": "x", "true": "y"}}),
        ("config: {'breakglass:a': 1}\n---\nconfig: {'breakglass:a': 2}", {"a": "1"}),
    ],
)
def test_keys_are_those_of_the_project(tmp_path, text, expected):
    assert configuration(written(tmp_path, text)) == expected


def test_another_namespace_is_read_when_it_is_asked_for(tmp_path):
    file = written(tmp_path, "config: {'breakglass:a': 1, 'sandbox:policies': [x]}")
    assert configuration(file, "sandbox") == {"policies": ["x"]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("config: {'breakglass:a': 1, 'breakglass:a': 2}", "the key 'breakglass:a' is there more than once"),
        ("config: {'breakglass:a': {b: 1, b: 2}}", "the key 'b' is there more than once"),
        ("config: {'breakglass:a': {[b]: 1}}", "a key must be text"),
        ("config: [a]", "must be a mapping with the mapping `config`"),
        ("config: 3", "must be a mapping with the mapping `config`"),
        ("- config", "must be a mapping with the mapping `config`"),
        ("config: {<<: *nope}", "undefined alias 'nope'"),
        ("config:\n\tbreakglass:a: 1", "line 2: found character '\\t' that cannot start any token"),
        (
            "config: {'breakglass:a': !!python/name:os.system x}",
            "line 1: a tag that is not known, or does not fit its value",
        ),
        ("config: {'breakglass:a': !!map [secret]}", "line 1: must be a mapping"),
        ("config: {'breakglass:a': !!int secret}", "a value does not fit its tag"),
        (
            "config: {'breakglass:a': !!binary c2VjcmV0}",
            "holds a value of type bytes, must hold text, numbers",
        ),
        ("config: {'breakglass:a': [!!timestamp 2026-01-01]}", "holds a value of type date, must hold"),
        (
            "config: {https://hooks.test/secret: 1, https://hooks.test/secret: 2}",
            "a key is there more than once",
        ),
        ("config: secret\x00", "a character that YAML does not have"),
    ],
)
def test_what_the_engine_refuses_is_refused(tmp_path, text, problem):
    with pytest.raises(UnreadableStack, match=r"^Pulumi\.mgmt\.yaml: ") as error:
        configuration(written(tmp_path, text))
    assert problem in str(error.value)
    assert "secret" not in str(error.value)


def test_bytes_that_are_no_text_are_said_without_them(tmp_path):
    file = written(tmp_path, "")
    file.write_bytes(b"config: {secret: \xff}")
    with pytest.raises(UnreadableStack, match=r"cannot be read as YAML in UTF-8: it is not UTF-8$"):
        configuration(file)


def test_what_only_looks_like_a_stack_file_is_left_out_and_named(tmp_path):
    for name in ("a", "1.b-c_", "-x", "with space", "x" * 101):
        (tmp_path / f"Pulumi.{name}.yaml").write_text("config: {}")
    (tmp_path / "Pulumi.folder.yaml").mkdir()
    os.mkfifo(tmp_path / "Pulumi.waiting.yaml")
    assert [stack_file.stack_name(file) for file in stack_file.files(tmp_path)] == ["1.b-c_", "a"]
    assert [line.partition(" ")[2].partition(",")[0] for line in stack_file.others(tmp_path)] == [
        "'-x' is no name of a stack",
        "is no file",
        "is no file",
        "space.yaml': 'with space' is no name of a stack",
        f"{'x' * 101!r} is no name of a stack",
    ]


@pytest.mark.parametrize("text", ["", "config:", "encryptionsalt: v1:x", "config: {'other:a': 1}"])
def test_a_file_without_our_keys_is_no_stack_of_ours(tmp_path, text):
    with pytest.raises(NoSettings, match="has no key that begins with breakglass:"):
        configuration(written(tmp_path, text))


RECIPIENTS = f"""
encryptionsalt: v1:salt
environment: [shared]
config:
  aws:token: {ENCRYPTED}
  aws:region: us-east-1
  breakglass:alerts:
    subscriptions:
      - {{protocol: https, endpoint: {ENCRYPTED}}}
      - {{protocol: email, endpoint: open@example.com}}
  breakglass:watchdog:
    subscriptions:
      - {{protocol: sms, endpoint: {ENCRYPTED}}}
"""


def test_placeholders_stand_for_encrypted_endpoints(tmp_path):
    config = configuration(written(tmp_path, RECIPIENTS))
    listed = [config[block]["subscriptions"] for block in ("alerts", "watchdog")]
    endpoints = [one["endpoint"] for subscriptions in listed for one in subscriptions]
    assert endpoints == [
        "https://encrypted-1.breakglass.invalid/",
        "open@example.com",
        "+99900000000002",
    ]
    assert [stack_file.is_placeholder(endpoint) for endpoint in endpoints] == [True, False, True]


def test_without_its_secrets_a_file_needs_no_key_and_no_environment(tmp_path):
    file = written(tmp_path, RECIPIENTS)
    content = yaml.safe_load(without_secrets(file))
    assert content.keys() == {"config"}
    assert content["config"].keys() == {"aws:region", "breakglass:alerts", "breakglass:watchdog"}
    for block in ("alerts", "watchdog"):
        assert content["config"][f"breakglass:{block}"] == configuration(file)[block]
    assert stack_file.has_environment(file)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f"config: {{'breakglass:accountId': {ENCRYPTED}}}",
            "breakglass:accountId: is encrypted, must be",
        ),
        (
            f"config: {{'breakglass:role': {{name: {ENCRYPTED}}}}}",
            "breakglass:role.name: is encrypted, must be",
        ),
        (
            f"config: {{'breakglass:user': {{names: [{ENCRYPTED}]}}}}",
            "breakglass:user.names[0]: is encrypted, must be plain",
        ),
        (
            "config: {'breakglass:alerts': {subscriptions: [{protocol: https, endpoint: {secure: 'v1:x'}}]}}",
            "breakglass:alerts.subscriptions[0].endpoint: is encrypted, but the text after `secure`",
        ),
        (
            f"config: {{'breakglass:alerts': {{subscriptions: [{{endpoint: {ENCRYPTED}}}]}}}}",
            "breakglass:alerts.subscriptions[0].endpoint: is encrypted, and no protocol stands beside it",
        ),
    ],
)
def test_nothing_else_may_be_encrypted(tmp_path, text, problem):
    for read in (configuration, without_secrets):
        with pytest.raises(UnreadableStack) as error:
            read(written(tmp_path, text))
        assert str(error.value).startswith(f"Pulumi.mgmt.yaml: 1 problem:\n  {problem}")


@given(st.text() | st.from_regex(r"config:\n(  (breakglass:)?[a-z]+: [^\n]{0,20}\n){1,3}", fullmatch=True))
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    file = tmp_path_factory.getbasetemp() / "Pulumi.fuzz.yaml"
    file.write_text(text, "utf-8", "surrogatepass")
    with contextlib.suppress(UnreadableStack):
        assert json.loads(json.dumps(configuration(file))) is not None
