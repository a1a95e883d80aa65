"""What a stack file says of its emulated account."""

import pytest

from breakglass.settings.reading import parse
from breakglass.settings.stack_file import UnreadableStack
from sandbox.given import Given, given, lacking
from tests.breakglass.settings.test_reading import changed, committed


def written(folder, text):
    file = folder / "Pulumi.mgmt.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("config: {'breakglass:a': 1}", Given()),
        (
            "config: {'sandbox:enabledRegions': [eu-south-1], 'sandbox:policies': [A, B]}",
            Given(regions=("eu-south-1",), policies=("A", "B")),
        ),
    ],
)
def test_it_is_read(tmp_path, text, expected):
    assert given(written(tmp_path, text)) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "'sandbox:regions': [eu-south-1]",
            "sandbox:regions: unknown key, must be one of",
        ),
        (
            "'sandbox:enabledRegions': eu-south-1",
            "sandbox:enabledRegions: found 'eu-south-1', must be",
        ),
        (
            "'sandbox:enabledRegions': [mars]",
            "sandbox:enabledRegions: found ['mars'], must be a list",
        ),
        ("'sandbox:policies': [1]", "sandbox:policies: found [1], must be a list of names of policies"),
        (
            "'sandbox:policies': [A, a]",
            "sandbox:policies: found ['A', 'a'], must have each once, in any case",
        ),
        ("'sandbox:policies': [/A]", "sandbox:policies: found ['/A'], must be a list of names"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, text, problem):
    with pytest.raises(UnreadableStack) as error:
        given(written(tmp_path, f"config: {{{text}}}"))
    assert str(error.value).startswith(f"Pulumi.mgmt.yaml: 1 problem:\n  {problem}")


def test_what_a_stack_takes_for_granted_is_said_with_what_to_add():
    settings = parse(
        changed(
            committed("mgmt"),
            ("relay.regions", ["us-east-1", "eu-south-1", "us-west-2"]),
            ("role.managedPolicyArns", ["arn:aws:iam::111111111111:policy/team/Mine"]),
            ("role.permissionsBoundaryArn", "arn:aws:iam::111111111111:policy/Bound"),
        )
    )
    assert list(lacking(settings, Given(regions=("eu-south-1",), policies=("Bound", "team/Mine")))) == []
    assert list(lacking(settings, Given(policies=("Bound",)))) == [
        "a new account has not enabled eu-south-1: sandbox:enabledRegions: [eu-south-1]",
        "a new account has no policy team/Mine: sandbox:policies: [Bound, team/Mine]",
    ]
