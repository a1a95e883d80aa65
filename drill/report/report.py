"""`python -m drill report`: evidence for an auditor, as one self-contained page and as JSON.

All values are untrusted input. `alertpath.report.environment` escapes them, and makes invisible characters
visible; the page's content security policy allows no script and no request.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import typer

from alertpath import report as pictures
from drill import evidence
from drill.check import readiness
from drill.check.catalogue import IDENTITY
from drill.check.finding import State
from drill.evidence import Drill, UnusableEvidence
from drill.options import ALL, MemberRoleOption, ProfileOption, Selection, StackOption, select
from drill.places import in_words
from drill.report import latency, provenance
from drill.report.content import Missing, Report, as_json, in_parts, moment

_FOLDER = Path(__file__).parent
_COLUMNS = 17
"""Regions side by side: as many as a new account has enabled, and as fit on a sheet of paper."""
_PLACES, _NUMBERS = 6, 200
"""The most places and numbers of a drill on the page; the JSON has all."""

_KINDS = [
    replace(kind, meaning="cannot be decided from what was read: do not assume that it is fine")
    if kind is pictures.UNPROVEN
    else kind
    for kind in pictures.KINDS
]

SIGNS = {
    State.READY: replace(pictures.DELIVERED, name="is-ready", word="ready"),
    State.NOT_READY: replace(pictures.LOST, word="not ready"),
    State.UNKNOWN: replace(pictures.UNPROVEN, name="is-unknown", word="could not tell"),
}
"""How a state looks on the page."""


def report(
    folder: Annotated[
        Path,
        typer.Option(
            "--evidence",
            metavar="DIR",
            help="Folder with the results of drills; the report is written there, nothing is overwritten.",
        ),
    ],
    stack: StackOption = ALL,
    profile: ProfileOption = None,
    member_role: MemberRoleOption = None,
) -> None:
    """Write evidence for an auditor that break-glass access is ready: one HTML page, and the same as JSON.

    Changes nothing in AWS. Exit code 0: ready; 1: something is not ready; 2: something could not be checked,
    or the folder cannot be used.
    """
    try:
        evidence.check_writable(folder)  # before any call to AWS
        drills = evidence.drills(folder)
        report = gather(select(stack, profile, member_role), drills, folder)
        files = write(folder, report)
    except UnusableEvidence as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    for line in (*files, report.verdict.text):
        typer.echo(line)
    raise typer.Exit(readiness.EXIT[report.verdict.state])


def gather(selection: Selection, drills: Sequence[Drill], folder: Path) -> Report:
    """Return the report, from AWS, git and the policy pack's configuration."""
    stack_states, results = readiness.run_checks(selection)
    return Report(
        made=datetime.now(UTC),
        all_stacks=selection.stacks,
        stack_states=stack_states,
        checks=results,
        judgements=stack_states[0].judgements,
        kept_drills=drills,
        accounts=[provenance.caller(each.stack, each.account) for each in stack_states],
        versions=provenance.versions(folder),
        accepted=provenance.accepted(),
    )


def write(folder: Path, report: Report) -> list[Path]:
    """Write page and JSON and return both files; or raise `UnusableEvidence`."""
    name = f"report-{report.made.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    # The JSON is ASCII only: invisible characters, and those that reverse a line, are escaped there too.
    return [
        evidence.write(folder / f"{name}.html", render(report)),
        evidence.write(folder / f"{name}.json", json.dumps(as_json(report), indent=1, sort_keys=True) + "\n"),
    ]


def render(report: Report) -> str:
    """Return the page."""
    last = report.last_full_drill
    environment = pictures.environment(_FOLDER)
    environment.filters["moment"] = moment
    return environment.get_template("report.html.j2").render(
        report=report,
        State=State,
        signs=SIGNS,
        counts=Counter(result.state for result in report.checks),
        groups={name: list(results) for name, results in groupby(report.checks, attrgetter("group"))},
        identity=IDENTITY,
        kinds=_KINDS,
        matrices={
            matrix.account: in_parts(matrix, _COLUMNS) for matrix in pictures.matrices(report.judgements)
        },
        legs=evidence.LEGS,
        missed=[_missed(drill.missing) for drill in report.drills.shown],
        most=_NUMBERS,
        last_regions=[] if last is None else list(latency.by_region(last, report.wanted)),
    )


def _missed(missing: Sequence[Missing]) -> list[str]:
    """Return where a drill's events did not arrive, in few lines: with a broken hub none arrives."""
    grouped: dict[tuple[str, str], list[Missing]] = {}
    for place in missing:
        grouped.setdefault((", ".join(place.at), place.error), []).append(place)
    return [
        f"{at}: {in_words(places[:_PLACES])}"
        + (f" and {len(places) - _PLACES} more, see the JSON" if len(places) > _PLACES else "")
        + (f" ({error})" if error else "")
        for (at, error), places in grouped.items()
    ]
