"""Runs the checks in parallel, each on every stack that it is about; one that fails stops no other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from pydantic import computed_field

from drill.account import CANNOT_TELL, explained
from drill.check.finding import CheckFinding, Findings, State, unknown
from drill.check.stack_state import StackState, in_parallel
from drill.progress import Progress

Probe = Callable[[StackState], Findings]

_NOTHING = unknown("the check found nothing to look at")


@dataclass(frozen=True)
class Check:
    """One question about a stack, which must have the component, if any; if "ready", the title is true.

    The probe yields at least one finding; what it raises of `account.CANNOT_TELL` becomes one.
    """

    group: str
    id: str
    component: str
    title: str
    probe: Probe


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The answer of one check on one stack, with the names that JSON has: at least one finding."""

    check: str
    group: str
    title: str
    stack: str
    account: str
    findings: Sequence[CheckFinding]

    @computed_field
    @property
    def state(self) -> State:
        """The worst state of the findings."""
        return worst([finding.state for finding in self.findings])

    @property
    def decisive(self) -> list[CheckFinding]:
        """The findings with the state of the whole, which are the first to show."""
        return [finding for finding in self.findings if finding.state is self.state]


def worst(states: Sequence[State]) -> State:
    """Return the worst of some states; an empty list counts as unknown."""
    if not states:
        return State.UNKNOWN
    return next((state for state in (State.NOT_READY, State.UNKNOWN) if state in states), State.READY)


def run(checks: Sequence[Check], stack_states: Sequence[StackState], progress: Progress) -> list[CheckResult]:
    """Return the result of each check on each stack that it is about, in the order of the checks."""
    calls = {
        (check.id, stack_state.stack.name): partial(_result, check, stack_state)
        for check in checks
        for stack_state in stack_states
        if not check.component or check.component in stack_state.stack.settings.components
    }
    answers = in_parallel(calls, progress)
    # None is an exception: `answer` turns what a call may raise into findings.
    return [cast(CheckResult, answers[call]) for call in calls]


def _result(check: Check, stack_state: StackState) -> CheckResult:
    return CheckResult(
        check=check.id,
        group=check.group,
        title=check.title,
        stack=stack_state.stack.name,
        account=stack_state.account.id,
        findings=answer(check.probe, stack_state),
    )


def answer(probe: Probe, stack_state: StackState, otherwise: CheckFinding = _NOTHING) -> list[CheckFinding]:
    """Return all that a probe finds, else `otherwise`; an error is the last finding."""
    findings: list[CheckFinding] = []
    try:
        findings.extend(probe(stack_state))
    except CANNOT_TELL as error:
        findings.append(unknown(explained(error)))
    except Exception as error:
        findings.append(unknown(f"this check failed: {type(error).__name__}: {error}"))
    return findings or [otherwise]
