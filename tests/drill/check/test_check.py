"""The runner: one check that fails does not stop the rest, and "could not tell" is never "ready"."""

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from drill import stacks
from drill.account import Account, NotSignedIn
from drill.check import subject
from drill.check.catalogue import CHECKS
from drill.check.finding import Finding, State, not_ready, ready, unknown
from drill.check.runner import Check, answer, run, worst
from drill.check.subject import Subject, in_parallel
from tests.drill.conftest import Broken, Look, states, unseen


def bare(stack: str = "mgmt") -> Subject:
    (found,) = [one for one in stacks.load() if one.name == stack]
    return Subject(
        stack=found,
        account=Account(found.account_id, None, "nobody has signed in"),
        enabled=None,
        enabled_problem="nobody has signed in",
        rendered=(),
        now=datetime.now(UTC),
    )


def denied(subject: Subject) -> Iterator[Finding]:
    yield ready("so far")
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetUser")


def fine(subject: Subject) -> Iterator[Finding]:
    yield ready("seen")


def silent(subject: Subject) -> Iterator[Finding]:
    yield from ()


def broken_program(subject: Subject) -> Iterator[Finding]:
    yield ready("so far")
    raise KeyError("a defect")


def check(probe, component: str = "") -> Check:
    return Check(id=probe.__name__, title=probe.__name__, component=component, probe=probe)


def test_what_cannot_be_read_is_the_last_finding_and_the_rest_goes_on() -> None:
    rows = run([check(denied), check(fine)], [bare()], unseen)
    assert [(row.check.id, row.state) for row in rows] == [
        ("denied", State.UNKNOWN),
        ("fine", State.READY),
    ]
    assert states(rows[0].findings) == ["ready", "could not tell"]
    assert rows[0].shown[0].text.startswith("access denied to GetUser")


def test_a_check_that_finds_nothing_is_no_good_news() -> None:
    assert states(answer(silent, bare())) == ["could not tell"]


def test_a_defect_of_ours_is_not_swallowed() -> None:
    with pytest.raises(KeyError, match="a defect"):
        run([check(broken_program)], [bare()], unseen)


def test_a_check_is_asked_of_the_stacks_that_have_its_component() -> None:
    rows = run([check(fine, "user"), check(fine, "relay"), check(fine)], [bare(), bare("member")], unseen)
    assert [(row.check.component, row.stack, row.account_id) for row in rows] == [
        ("user", "mgmt", "111111111111"),
        ("relay", "mgmt", "111111111111"),
        ("relay", "member", "222222222222"),
        ("", "mgmt", "111111111111"),
        ("", "member", "222222222222"),
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
    def mixed(subject: Subject) -> Iterator[Finding]:
        yield ready("a")
        yield not_ready("b", fix="c")
        yield unknown("d")

    (row,) = run([check(mixed)], [bare()], unseen)
    assert [finding.text for finding in row.shown] == ["b"]


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
    assert {one.component for one in CHECKS} == {"", "user", "role", "alerts", "relay"}
    assert all(len(one.title) <= 40 for one in CHECKS)


def test_without_credentials_nothing_is_ready_but_what_the_settings_say(aws: str) -> None:
    everything = stacks.load()
    accounts = [Account(stack.account_id, None, "nobody has signed in") for stack in everything]
    subjects = subject.prepare(everything, accounts, only=["mgmt", "member"], progress=unseen)
    rows = run(CHECKS, subjects, unseen)
    assert {row.check.id for row in rows if row.state is State.READY} <= {"hub-members"}
    for row in rows:
        if row.check.id != "hub-members":
            assert any("nobody has signed in" in one.text for one in row.findings), row


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
    rows = run(CHECKS, look(), unseen)
    for row in rows:
        if row.check.id != "hub-members":
            assert row.state is not State.READY, row
            assert any(said in one.text for one in row.findings), row


def test_an_account_that_cannot_be_reached_does_not_hide_the_other(look: Look) -> None:
    everything = stacks.load()
    hub = look("mgmt")[0].account
    accounts = [hub, Account("222222222222", None, str(NotSignedIn("no profile")))]
    subjects = subject.prepare(everything, accounts, only=["mgmt", "member"], progress=unseen)
    rows = run(CHECKS, subjects, unseen)
    assert State.READY in {row.state for row in rows if row.stack == "mgmt"}
    assert {row.state for row in rows if row.stack == "member"} == {State.UNKNOWN}
