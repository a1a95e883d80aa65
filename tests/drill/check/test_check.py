"""The runner: one check that fails does not stop the rest, and "could not tell" is never "ready"."""

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from drill import stacks
from drill.account import Account, NotSignedIn
from drill.check.catalogue import CHECKS
from drill.check.finding import CheckFinding, State, not_ready, ready, unknown
from drill.check.runner import Check, answer, run, worst
from drill.check.stack_state import StackState, in_parallel, prepare
from tests.drill.conftest import Broken, Look, states, unseen


def bare(stack: str = "mgmt") -> StackState:
    (found,) = [one for one in stacks.load() if one.name == stack]
    return StackState(
        stack=found,
        account=Account(found.account_id, None, "nobody has signed in"),
        enabled=None,
        enabled_problem="nobody has signed in",
        rendered=(),
        now=datetime.now(UTC),
    )


def denied(stack_state: StackState) -> Iterator[CheckFinding]:
    yield ready("so far")
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetUser")


def fine(stack_state: StackState) -> Iterator[CheckFinding]:
    yield ready("seen")


def silent(stack_state: StackState) -> Iterator[CheckFinding]:
    yield from ()


def broken_program(stack_state: StackState) -> Iterator[CheckFinding]:
    yield ready("so far")
    raise KeyError("a defect")


def check(probe, component: str = "") -> Check:
    name = probe.__name__
    return Check(id=name, group=name, title=name, component=component, probe=probe)


def test_what_cannot_be_read_is_the_last_finding_and_the_rest_goes_on() -> None:
    results = run([check(denied), check(fine)], [bare()], unseen)
    assert [(result.check, result.state) for result in results] == [
        ("denied", State.UNKNOWN),
        ("fine", State.READY),
    ]
    assert states(results[0].findings) == ["ready", "could not tell"]
    assert results[0].decisive[0].text.startswith("access denied to GetUser")


def test_a_check_that_finds_nothing_is_no_good_news() -> None:
    assert states(answer(silent, bare())) == ["could not tell"]


def test_a_defect_of_ours_is_a_row_and_not_swallowed() -> None:
    (result, other) = run([check(broken_program), check(fine)], [bare()], unseen)
    assert states(result.findings) == ["ready", "could not tell"]
    assert result.findings[-1].text == "this check failed: KeyError: 'a defect'"
    assert states(other.findings) == ["ready"]


def test_a_check_is_asked_of_the_stacks_that_have_its_component() -> None:
    results = run(
        [check(fine, "user"), check(denied, "relay"), check(silent)], [bare(), bare("member")], unseen
    )
    assert [(result.check, result.stack, result.account) for result in results] == [
        ("fine", "mgmt", "111111111111"),
        ("denied", "mgmt", "111111111111"),
        ("denied", "member", "222222222222"),
        ("silent", "mgmt", "111111111111"),
        ("silent", "member", "222222222222"),
    ]


@pytest.mark.parametrize("found", [*itertools.product(State, repeat=2), *[(one,) for one in State], ()])
def test_the_worst_answer_decides(found: tuple[State, ...]) -> None:
    expected = State.READY
    if State.UNKNOWN in found or not found:
        expected = State.UNKNOWN
    if State.NOT_READY in found:
        expected = State.NOT_READY
    assert worst(found) is expected


def test_only_the_findings_that_made_the_state_are_shown_first() -> None:
    def mixed(stack_state: StackState) -> Iterator[CheckFinding]:
        yield ready("a")
        yield not_ready("b", fix="c")
        yield unknown("d")

    (result,) = run([check(mixed)], [bare()], unseen)
    assert [finding.text for finding in result.decisive] == ["b"]


def test_an_interruption_cancels_what_has_not_begun() -> None:
    begun: list[int] = []

    def call(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise KeyboardInterrupt
        time.sleep(0.002)

    with pytest.raises(KeyboardInterrupt):
        in_parallel({number: lambda number=number: call(number) for number in range(5000)}, unseen)
    assert len(begun) < 5000


def test_progress_counts_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    in_parallel({name: lambda: None for name in "abc"}, lambda done, of: seen.append((done, of)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_checks_have_different_names_and_known_components() -> None:
    assert len({one.id for one in CHECKS}) == len({one.title for one in CHECKS}) == len(CHECKS)
    assert {one.component for one in CHECKS} == {"", "user", "role", "alerts", "watchdog", "relay"}
    assert all(len(one.title) <= 40 for one in CHECKS)


def test_without_credentials_nothing_is_ready_but_what_the_settings_say(aws: str) -> None:
    everything = stacks.load()
    accounts = [Account(stack.account_id, None, "nobody has signed in") for stack in everything]
    stack_states = prepare(everything, accounts, only=["mgmt", "member"], progress=unseen)
    results = run(CHECKS, stack_states, unseen)
    assert {result.check for result in results if result.state is State.READY} <= {"hub-members"}
    for result in results:
        if result.check != "hub-members":
            assert any("nobody has signed in" in one.text for one in result.findings), result


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "access denied to"),
        ("ThrottlingException", "throttled at"),
        ("UnrecognizedClientException", "credentials are not valid here"),
    ],
)
def test_an_account_that_answers_nothing_makes_no_check_ready(
    look: Look, broken: Broken, code: str, said: str
) -> None:
    broken.refuse("*", code)
    results = run(CHECKS, look(), unseen)
    for result in results:
        if result.check != "hub-members":
            assert result.state is not State.READY, result
            assert any(said in one.text for one in result.findings), result


def test_an_account_that_cannot_be_reached_does_not_hide_the_other(look: Look) -> None:
    everything = stacks.load()
    hub = look("mgmt")[0].account
    accounts = [hub, Account("222222222222", None, str(NotSignedIn("no profile")))]
    stack_states = prepare(everything, accounts, only=["mgmt", "member"], progress=unseen)
    results = run(CHECKS, stack_states, unseen)
    assert State.READY in {result.state for result in results if result.stack == "mgmt"}
    assert {result.state for result in results if result.stack == "member"} == {State.UNKNOWN}
