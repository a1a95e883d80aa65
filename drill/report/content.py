"""What a report says, as plain data: the page and the JSON file are both made of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from alertpath import report as pictures
from alertpath.proof import Judgement
from drill.check.finding import Finding, State
from drill.check.runner import Row, worst
from drill.check.subject import Subject
from drill.evidence import Arrival, Drill
from drill.report import latency
from drill.report.latency import Place
from drill.stacks import Stack

FORMAT = 1
"""Of the JSON file: raised when what is in it changes its meaning."""

DRILLS_SHOWN = 12

GROUPS = {
    "Who gets in": ("user", "role"),
    "What hears it": ("trail", "region", "relay"),
    "What tells it, and whom": ("hub", "recipients"),
    "Whether it works": ("alarm", "dead-letters", "patterns", "heartbeats", "drill"),
}
"""Subject matters of the checks, by the beginning of their ids."""

IDENTITY = "Who gets in"
_OTHER = "Further checks"

LIMITS = (
    "Whether anybody reads a mail, and acts on it. It shows that messages leave AWS.",
    "A recipient who follows the unsubscribe link in a mail leaves no CloudTrail event: only the number of "
    "subscriptions, at the time of this report, shows it.",
    "The password, where it is kept, who can open that vault, and where the MFA devices are.",
    "What happened between two reports. The record of that is the hub's audit log.",
    "The proof plays events as they are documented. That AWS records and delivers them so, only drills and "
    "real sign-ins show; docs/architecture.md lists what only a real account can confirm.",
    "Accounts and Regions that are not named here were not looked at.",
    "Drills are told as they stand in the folder's files; whoever can write there can change them.",
)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What a report is made of.

    Attributes:
        now: When it was made, with a time zone.
        stacks: All stacks of the project, the hub's first.
        subjects: Those that were looked at, at least one.
        rows: The answers of the checks.
        judgements: The proof over what is live in the accounts of the subjects.
        drills: Those kept in the evidence folder, the latest first.
        callers: `provenance.callers` of the stacks that were looked at.
        versions: `provenance.versions`.
        accepted: `provenance.accepted` of the stacks that were looked at.
    """

    now: datetime
    stacks: Sequence[Stack]
    subjects: Sequence[Subject]
    rows: Sequence[Row]
    judgements: Sequence[Judgement]
    drills: Sequence[Drill]
    callers: Sequence[dict[str, str]]
    versions: dict[str, Any]
    accepted: dict[str, Any]

    @property
    def wanted(self) -> set[Place]:
        """Where a relay must be, in all accounts."""
        return {(account, region) for account, own in self.subjects[0].relays.items() for region in own}

    @property
    def left_out(self) -> list[str]:
        """Names of the stacks that were not looked at."""
        return sorted({one.name for one in self.stacks} - {one.stack.name for one in self.subjects})


def content(sources: Sources) -> dict[str, Any]:
    """Return everything that the report says; it has nothing but JSON's types."""
    return {
        "accepted": sources.accepted,
        "accounts": list(sources.callers),
        "checks": [_check(row) for row in sources.rows],
        "coverage": _coverage(sources),
        "drills": _drills(sources),
        "format": FORMAT,
        "identity": [_identity(subject) for subject in sources.subjects],
        "limits": list(LIMITS),
        "made": moment(sources.now),
        "notLookedAt": sources.left_out,
        "openFindings": _open(sources.rows),
        "verdict": verdict(sources.rows, sources.left_out),
        "versions": sources.versions,
    }


def moment(time: datetime) -> str:
    """Return a time as the report writes it."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def verdict(rows: Sequence[Row], left_out: Sequence[str]) -> dict[str, str]:
    """Return the worst answer, and the headline: what could not be told is never called fine."""
    counted = Counter(row.state for row in rows)
    state = worst(list(counted))
    bad, unknown = counted[State.NOT_READY], counted[State.UNKNOWN]
    total = f"{len(rows)} check{'s' if len(rows) != 1 else ''}"
    if not rows:
        text = "Could not tell: nothing was checked"
    elif state is State.READY:
        text = f"Ready: {len(rows)} of {total}"
    elif state is State.UNKNOWN:
        text = f"Could not tell: {unknown} of {total} could not be answered"
    else:
        text = f"Not ready: {bad} of {total} failed"
        text += f", {unknown} could not be answered" if unknown else ""
    if left_out:
        text += f"; {', '.join(left_out)} not looked at"
    return {"state": state.value, "text": text}


def group(check_id: str) -> str:
    """Return the subject matter of a check."""
    return next((name for name, begins in GROUPS.items() if check_id.startswith(begins)), _OTHER)


def _check(row: Row) -> dict[str, Any]:
    return {
        "account": row.account_id,
        "check": row.check.id,
        "findings": [_finding(one) for one in row.findings],
        "group": group(row.check.id),
        "stack": row.stack,
        "state": row.state.value,
        "title": row.check.title,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "commands": list(finding.commands),
        "fix": finding.fix,
        "state": finding.state.value,
        "text": finding.text,
    }


def _open(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what is not ready, then what could not be told."""
    return [
        {
            **_finding(finding),
            "check": row.check.id,
            "stack": row.stack,
            "title": row.check.title,
        }
        for state in (State.NOT_READY, State.UNKNOWN)
        for row in rows
        for finding in row.findings
        if finding.state is state
    ]


def _identity(subject: Subject) -> dict[str, Any]:
    """Return who is meant to get in; of recipients nothing, for an address is often a password."""
    settings = subject.stack.settings
    return {
        "account": subject.account.id,
        "mfaMaxAge": settings.role.mfa_max_age,
        "maxSessionDuration": settings.role.max_session_duration,
        "mfaEnrolment": settings.user.mfa_enrolment,
        "role": settings.role.name if "role" in settings.components else None,
        "rolePolicies": sorted(settings.role.managed_policy_arns),
        "stack": subject.stack.name,
        "users": sorted(settings.user.names),
        "usersHere": "user" in settings.components,
        "usersOf": settings.hub_account_id,
    }


# --- Coverage -------------------------------------------------------------------------------------


def _coverage(sources: Sources) -> dict[str, Any]:
    matrices = {matrix.account: matrix for matrix in pictures.matrices(sources.judgements)}
    wrong = sum(not judgement.good for judgement in sources.judgements)
    return {
        "accounts": [_covered(subject, matrices.get(subject.account.id)) for subject in sources.subjects],
        "scenarios": len(sources.judgements),
        "unread": [
            {"count": count, "reason": reason}
            for reason, count in sorted(Counter(sources.subjects[0].unread).items())
        ],
        "wrong": wrong,
    }


def _covered(subject: Subject, matrix: pictures.Matrix | None) -> dict[str, Any]:
    relay = subject.stack.settings.relay
    excluded = set(() if relay is None else relay.exclude_regions)
    meant = set(subject.relays.get(subject.account.id, ()))
    enabled = None if subject.enabled is None else set(subject.enabled)
    return {
        "account": subject.account.id,
        "detections": {} if matrix is None else {row.detection: _cells(row) for row in matrix.rows},
        "enabled": None if enabled is None else sorted(enabled),
        "enabledProblem": subject.enabled_problem,
        "excluded": sorted(excluded),
        "meant": sorted(meant),
        "notEnabled": sorted(meant - (meant if enabled is None else enabled)),
        "scenarios": 0 if matrix is None else matrix.total,
        "stack": subject.stack.name,
        "uncovered": sorted((enabled or set()) - meant - excluded),
        "wrong": 0 if matrix is None else matrix.wrong,
    }


def _cells(row: pictures.Row) -> dict[str, Any]:
    """Return for each Region how many scenarios there are, and how many of them end how."""
    return {
        cell.region: {"ends": {kind.word: count for kind, count in cell.kinds}, "scenarios": cell.total}
        for cell in row.cells
        if cell is not None
    }


def in_parts(matrix: pictures.Matrix, columns: int) -> list[pictures.Matrix]:
    """Return the picture of an account in pieces that fit a sheet of paper."""
    starts = range(0, len(matrix.regions), columns)
    return [
        replace(
            matrix,
            regions=matrix.regions[start : start + columns],
            rows=[replace(row, cells=row.cells[start : start + columns]) for row in matrix.rows],
        )
        for start in starts
    ]


# --- Drills ---------------------------------------------------------------------------------------


def _drills(sources: Sources) -> dict[str, Any]:
    plotted = latency.last_full(sources.drills, sources.wanted)
    return {
        "kept": len(sources.drills),
        "latencies": [asdict(spread) for spread in latency.spreads(sources.drills)],
        "lastFull": None if plotted is None else _last_full(plotted, sources.wanted),
        "loud": sum(not drill.quiet for drill in sources.drills),
        "shown": [_drill(drill) for drill in sources.drills[:DRILLS_SHOWN]],
    }


def _drill(drill: Drill) -> dict[str, Any]:
    took = [
        seconds for one in drill.arrivals for leg in latency.LEGS if (seconds := leg.seconds(one)) is not None
    ]
    return {
        "arrived": sum(not drill.missing(one) for one in drill.arrivals),
        "id": drill.id,
        "missing": [_missing(drill, one) for one in _sorted(drill) if drill.missing(one)],
        "problems": list(drill.problems),
        "quiet": drill.quiet,
        "sent": len(drill.arrivals),
        "slowest": max(took, default=None),
        "started": moment(drill.started),
        "who": drill.who,
        "why": drill.why,
    }


def _sorted(drill: Drill) -> list[Arrival]:
    return sorted(drill.arrivals, key=lambda one: (one.region, one.account))


def _missing(drill: Drill, arrival: Arrival) -> dict[str, Any]:
    return {
        "account": arrival.account,
        "at": drill.missing(arrival),
        "error": arrival.error,
        "region": arrival.region,
    }


def _last_full(drill: Drill, wanted: set[Place]) -> dict[str, Any]:
    """Return the numbers that the picture is made of, and where a relay must be and the drill was not."""
    absent = sorted(wanted - latency.places(drill))
    return {
        "absent": [{"account": account, "region": region} for account, region in absent],
        "arrivals": [
            {
                "account": one.account,
                "auditLog": one.audit_log,
                "error": one.error,
                "region": one.region,
                "sent": moment(one.sent),
                "topic": one.topic,
                "watchdog": one.watchdog,
            }
            for one in _sorted(drill)
        ],
        "arrived": sum(not drill.missing(one) for one in drill.arrivals),
        "id": drill.id,
        "started": moment(drill.started),
    }
