"""The schema for editors: it accepts the committed stacks and refuses what a schema can see."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.breakglass.settings.test_reading import BAD_MGMT, changed, committed
from tests.program import STACKS

ROOT = Path(__file__).parents[3]
VALIDATOR = jsonschema.Draft7Validator(json.loads((ROOT / "breakglass.schema.json").read_text()))

ONLY_THE_READER_SEES = (
    "must be the accountId",  # two keys are compared
    "in upper or lower case",
    "in another spelling",
    "or arn:aws:iam::111111111111:policy/<name>",
    "must not share a mailbox",
    "must have a name of its own",
    "must be another account, because the hub's own",
    "must be absent while regions is a list",
    "found 3600.0",  # in JSON 3600.0 is an integer
    "found 400.0",
)


def stack_file(config: dict[str, Any]) -> dict[str, Any]:
    return {"config": {f"breakglass:{key}": value for key, value in config.items()}}


def test_the_schema_is_a_schema():
    jsonschema.Draft7Validator.check_schema(VALIDATOR.schema)


@pytest.mark.parametrize("stack", ["mgmt", "member"])
def test_a_committed_stack_is_accepted_and_names_the_schema(stack: str):
    text = (STACKS / f"Pulumi.{stack}.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=breakglass.schema.json\n")
    VALIDATOR.validate(yaml.safe_load(text))


def test_keys_of_others_and_an_encrypted_endpoint_are_accepted():
    subscription = {"protocol": "https", "endpoint": {"secure": "v1:abc"}}
    content = stack_file(changed(committed("mgmt"), ("alerts.subscriptions.0", subscription)))
    content["config"]["pulumi:disable-default-providers"] = ["aws"]
    VALIDATOR.validate(content | {"encryptionsalt": "v1:abc"})


@pytest.mark.parametrize(
    ("change", "text"),
    [pytest.param(change, text, id=f"{n}-{path}") for n, (change, path, text) in enumerate(BAD_MGMT)],
)
def test_a_bad_value_is_refused(change: tuple[str, object], text: str):
    refused = not VALIDATOR.is_valid(stack_file(changed(committed("mgmt"), change)))
    ends_in_newline = "\\n" in json.dumps(change[1], default=str)  # Python's $ matches before it
    assert refused or ends_in_newline or any(words in text for words in ONLY_THE_READER_SEES)


@pytest.mark.parametrize(
    "change",
    [
        ("components", ["role"]),
        ("relay", None),
        ("alerts", {"subscriptions": []}),
        ("user.mfaEnrolment", "open"),
        ("user", {}),
    ],
)
def test_a_block_that_does_not_fit_the_components_is_refused(change: tuple[str, object]):
    assert not VALIDATOR.is_valid(stack_file(changed(committed("member"), change)))
