"""Runs the checks, each on every stack it is about, in parallel; one that fails does not stop the rest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from drill.account import CANNOT_TELL, explained
from drill.check.finding import Finding, State, unknown
from drill.check.subject import Subject, in_parallel
from drill.progress import Progress

Probe = Callable[[Subject], Iterator[Finding]]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question about a stack.

    Attributes:
        id: Short name, for JSON and for reports.
        title: What is as it must be when the answer is "ready".
        component: Component that a stack must have for the question to make sense; "" for every stack.
        probe: Answers it: yields at least one finding; what it raises of `account.CANNOT_TELL` becomes one.
    """

    id: str
    title: str
    component: str
    probe: Probe


@dataclass(frozen=True, kw_only=True)
class Row:
    """The answer of one check on one stack.

    Attributes:
        check: The check.
        stack: Name of the stack.
        account_id: Its account.
        findings: What was found, at least one.
    """

    check: Check
    stack: str
    account_id: str
    findings: Sequence[Finding]

    @property
    def state(self) -> State:
        """The worst of the findings."""
        return worst([finding.state for finding in self.findings])

    @property
    def shown(self) -> list[Finding]:
        """The findings that made the state, which are those to show first."""
        return [finding for finding in self.findings if finding.state is self.state]


def worst(states: Sequence[State]) -> State:
    """Return the worst of some answers; none at all is no good news either."""
    if not states:
        return State.UNKNOWN
    return next((state for state in (State.NOT_READY, State.UNKNOWN) if state in states), State.READY)


def run(checks: Sequence[Check], subjects: Sequence[Subject], progress: Progress) -> list[Row]:
    """Return a row for each check on each stack that it is about, in the order of the checks."""
    asked = [
        (check, subject)
        for check in checks
        for subject in subjects
        if not check.component or check.component in subject.stack.settings.components
    ]
    answers = in_parallel(
        {number: partial(answer, check.probe, subject) for number, (check, subject) in enumerate(asked)},
        progress,
    )
    rows = []
    for number, (check, subject) in enumerate(asked):
        findings = answers[number]
        if isinstance(findings, Exception):  # `answer` turns what a call may raise into findings
            raise findings
        rows.append(
            Row(
                check=check,
                stack=subject.stack.name,
                account_id=subject.stack.account_id,
                findings=findings,
            )
        )
    return rows


def answer(probe: Probe, subject: Subject) -> list[Finding]:
    """Return all that a probe finds; where AWS's answer is not to be had, that is its last finding."""
    findings: list[Finding] = []
    try:
        findings.extend(probe(subject))
    except CANNOT_TELL as error:
        findings.append(unknown(explained(error)))
    return findings or [unknown("the check found nothing to look at")]
