"""`python -m drill report`: evidence for an auditor, as one page that needs nothing else and as JSON.

Values come from AWS and from files that nobody vouches for. `alertpath.report.environment` escapes all of
them and spells out what would not be seen; the page's own policy allows no script and no request.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from alertpath import report as pictures
from drill import evidence
from drill.check import readiness, runner
from drill.check.finding import State
from drill.evidence import Drill, UnusableEvidence
from drill.options import ALL, Chosen, MemberRoleOption, ProfileOption, StackOption, choose
from drill.report import latency, provenance
from drill.report.content import GROUPS, IDENTITY, Sources, content, in_parts

_FOLDER = Path(__file__).parent
_COLUMNS = 17
"""Regions beside each other: as many as an account has at first, and as fit a sheet of paper."""
_PLACES, _NUMBERS = 6, 200
"""Most places and numbers of a drill on the page; the JSON has all."""

_KINDS = [
    replace(kind, meaning="cannot be told from what was read: do not take it for fine")
    if kind is pictures.UNPROVEN
    else kind
    for kind in pictures.KINDS
]

EvidenceOption = Annotated[
    Path,
    typer.Option(
        "--evidence",
        metavar="DIR",
        help="Folder with the drills that were kept; the report is written there, nothing is overwritten.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Sign:
    """How a state looks: a symbol beside its word, so that colour is not the only sign."""

    name: str
    symbol: str
    tone: str
    word: str


SIGNS = {
    State.READY.value: Sign(name="is-ready", symbol="✓", tone="good", word="ready"),
    State.NOT_READY.value: Sign(name="lost", symbol="✕", tone="bad", word="not ready"),
    State.UNKNOWN.value: Sign(name="is-unknown", symbol="?", tone="unproven", word="could not tell"),
}


def report(
    folder: EvidenceOption,
    stack: StackOption = ALL,
    profile: ProfileOption = None,
    member_role: MemberRoleOption = None,
) -> None:
    """Write what shows an auditor that break-glass access is ready: one HTML page, and the same as JSON.

    Changes nothing in AWS. Exit code 0: ready; 1: something is not ready; 2: something could not be told, or
    the folder cannot be used.
    """
    try:
        evidence.check_writable(folder)  # before AWS is asked for what to keep there
        drills = evidence.drills(folder)
        sources = gather(choose(stack, profile, member_role), drills, folder)
        told = content(sources)
        files = write(folder, sources, told)
    except UnusableEvidence as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    for file in files:
        typer.echo(file)
    typer.echo(told["verdict"]["text"])
    raise typer.Exit(readiness.EXIT[runner.worst([row.state for row in sources.rows])])


def gather(chosen: Chosen, drills: Sequence[Drill], folder: Path) -> Sources:
    """Return what the report is made of: asks AWS, git and the policy pack's configuration."""
    subjects, rows = readiness.looked_at(chosen)
    return Sources(
        now=datetime.now(UTC),
        stacks=chosen.stacks,
        subjects=subjects,
        rows=rows,
        judgements=subjects[0].judgements,
        drills=drills,
        callers=provenance.callers([one.stack for one in subjects], [one.account for one in subjects]),
        versions=provenance.versions(folder),
        accepted=provenance.accepted([one.stack.name for one in subjects]),
    )


def write(folder: Path, sources: Sources, told: dict[str, Any]) -> list[Path]:
    """Write page and JSON and return both files.

    Raises:
        UnusableEvidence: One cannot be written, or exists.
    """
    name = f"report-{sources.now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    # Nothing but ASCII in the JSON: what would not be seen, or turn a line around, is spelled out there too.
    return [
        evidence.write(folder / f"{name}.html", render(sources, told)),
        evidence.write(folder / f"{name}.json", json.dumps(told, indent=1, sort_keys=True) + "\n"),
    ]


def render(sources: Sources, told: dict[str, Any]) -> str:
    """Return the page."""
    matrices = {one.account: in_parts(one, _COLUMNS) for one in pictures.matrices(sources.judgements)}
    plotted = latency.last_full(sources.drills, sources.wanted)
    return (
        pictures.environment(_FOLDER)
        .get_template("report.html.j2")
        .render(
            told=told,
            signs=SIGNS,
            tone=SIGNS[told["verdict"]["state"]].tone,
            counts={state: sum(row["state"] == state for row in told["checks"]) for state in SIGNS},
            groups=_grouped(told["checks"]),
            identity=IDENTITY,
            kinds=_KINDS,
            matrices=matrices,
            legs=latency.LEGS,
            missed=[_missed(drill["missing"]) for drill in told["drills"]["shown"]],
            most=_NUMBERS,
            plot=None if plotted is None else latency.plot(plotted, sources.wanted),
        )
    )


def _grouped(checks: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows by subject matter, in its order; what belongs to none comes last."""
    names = dict.fromkeys((*GROUPS, *(row["group"] for row in checks)))
    found = {name: [row for row in checks if row["group"] == name] for name in names}
    return {name: rows for name, rows in found.items() if rows}


def _missed(missing: Sequence[dict[str, Any]]) -> list[str]:
    """Return where a drill's events were not seen, in few lines: a broken hub misses all of them."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for one in missing:
        places = grouped.setdefault((", ".join(one["at"]), one["error"]), [])
        places.append(f"{one['region']} of {one['account']}")
    return [
        f"{at}: {', '.join(places[:_PLACES])}"
        + (f" and {len(places) - _PLACES} more, see the JSON" if len(places) > _PLACES else "")
        + (f" ({error})" if error else "")
        for (at, error), places in grouped.items()
    ]
