"""`python -m alertpath STATE.json…`: would the alarm ring? Reads stack exports, prints a proof.

Two parts: every scenario is played through what is deployed, and every call that weakens the alarm is played
after it has landed.

Exit codes: 0 if every scenario ends as it must and every such call is told; 1 if an alert would be lost,
cannot be proven to arrive, or would go out for nothing; 2 if the input cannot be read or the report cannot be
written.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

try:
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table
    from rich.text import Text
except ModuleNotFoundError as missing:
    sys.exit(f"alertpath: {missing.name} is not installed: `make setup`, then `. .venv/bin/activate`")

from alertpath import report
from alertpath.model import Resource, UnreadableInput, deployment, from_stack_export
from alertpath.proof import ANY, Judgement, findings, not_given, organizations, problems, prove
from alertpath.tampering import Heard, Pairs, bad, pairs, play, table
from alertpath.visible import visible
from breakglass import VERSION, naming

STACK = "pulumi:pulumi:Stack"
STANDARD_INPUT = Path("-")
_SHOWN = 5
"""Attacks that nobody is told of and that are printed; --json has all."""


def accounts_table(judgements: Sequence[Judgement]) -> Table:
    """Return how many scenarios end as they must, by account."""
    shown = Table(
        "account", "Regions", "scenarios", "as they must", title="Would the alarm ring?", title_justify="left"
    )
    shown.columns[0].no_wrap = True
    for column in shown.columns[1:]:
        column.justify = "right"
    for account in dict.fromkeys(judgement.account for judgement in judgements):
        own = [judgement for judgement in judgements if judgement.account == account]
        regions = {judgement.region for judgement in own}
        good = len(own) - len(problems(own))
        verdict = Text("all", "green") if good == len(own) else Text(f"{good} of {len(own)}", "bold red")
        shown.add_row(Text(visible(account)), str(len(regions)), str(len(own)), verdict)
    return shown


def detections_table(judgements: Sequence[Judgement]) -> Table:
    """Return the detections that do not end as they must, each with its account, Regions and outcomes."""
    shown = Table("detection", "account", "Regions", "outcome")
    shown.columns[0].overflow = "fold"
    shown.columns[1].no_wrap = True
    cells: dict[tuple[str, str], list[Judgement]] = {}
    for judgement in judgements:
        cells.setdefault((judgement.scenario.detection or "(quiet)", judgement.account), []).append(judgement)
    for (detection, account), cell in cells.items():
        wrong = problems(cell)
        if wrong:
            bad = {judgement.region for judgement in wrong}
            counted = Counter(judgement.outcome.value for judgement in wrong)
            shown.add_row(
                Text(visible(detection)),
                Text(visible(account)),
                f"{len(bad)} of {len({judgement.region for judgement in cell})}",
                Text(", ".join(f"{count} {word}" for word, count in counted.items()), "bold red"),
            )
    return shown


def blows_table(heard: Sequence[Heard]) -> Table:
    """Return how many calls that weaken the alarm are told, by what they hit; by either way is enough."""
    shown = Table(
        "what is hit",
        "calls",
        "hub",
        "watchdog",
        "neither",
        title="Attacks on the alarm, each played after it has landed: who tells",
        title_justify="left",
    )
    shown.columns[0].overflow = "fold"
    for column in shown.columns[1:]:
        column.justify = "right"
    for row in table(heard):
        neither = Text("none", "green") if not row.unheard else Text(str(row.unheard), "bold red")
        told = [str(row.by[way]) for way in naming.WAYS]
        shown.add_row(Text(visible(row.hit)), str(row.count), *told, neither)
    return shown


def pairs_table(found: Pairs) -> Table:
    """Return which two blows at once nobody is told of, by what they hit."""
    shown = Table(
        "what is hit",
        "and",
        "pairs",
        title="Two attacks at once that nobody is told of",
        title_justify="left",
    )
    shown.columns[2].justify = "right"
    for (first, second), count in found.hits.items():
        shown.add_row(Text(visible(first)), Text(visible(second)), f"{count:,}")
    return shown


def as_json(judgements: Sequence[Judgement], heard: Sequence[Heard]) -> str:
    """Return the whole proof as JSON."""
    return json.dumps({"scenarios": _scenarios(judgements), "blows": _blows(heard)}, indent=1)


def _blows(heard: Sequence[Heard]) -> list[dict[str, Any]]:
    return [
        {
            "blow": one.blow.kind,
            "call": one.blow.name,
            "account": one.blow.account,
            "region": one.blow.event["region"],
            "toldBy": [way.name for way in one.ways],
            "scenariosLost": sorted({scenario.name for scenario in one.lost}),
            "known": one.blow.known if one.lost else "",
            "good": one.good,
            "resource": one.resource,
            "reason": one.reason,
        }
        for one in heard
    ]


def _scenarios(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    return [
        {
            "scenario": judgement.scenario.name,
            "detection": judgement.scenario.detection,
            "expected": judgement.scenario.action,
            "account": judgement.account,
            "region": judgement.region,
            "outcome": judgement.outcome.value,
            "good": judgement.good,
            "resource": judgement.resource,
            "reason": judgement.reason,
        }
        for judgement in judgements
    ]


def show(
    judgements: Sequence[Judgement], heard: Sequence[Heard], admitted: Sequence[str], console: Console
) -> None:
    """Print what is as it must be in short, all else in full, and what was not judged."""
    console.print(accounts_table(judgements))
    wrong = problems(judgements)
    by_detection = detections_table([one for one in judgements if one.scenario.detection != ANY])
    if by_detection.rows:
        console.print()
        console.print(by_detection)
    for finding in findings(judgements):
        # Each name on a line of its own that is not broken, to be copied.
        console.print(Text(f"\n{finding.count} x {visible(finding.reason)}", style="red"))
        console.print(Text(f"    at {visible(finding.resource)}"), soft_wrap=True)
        if finding.fix:
            console.print(Text(f"    fix: {finding.fix}"))
    console.print()
    console.print(blows_table(heard))
    untold = bad(heard)
    for one in untold[:_SHOWN]:
        lost = f"; after it nobody hears of: {', '.join(sorted({each.name for each in one.lost}))}"
        console.print(Text(f"\n{visible(one.blow.kind)}: {visible(one.reason or 'told')}", style="red"))
        console.print(Text(f"    {visible(one.blow.name)}{lost if one.lost else ''}"), soft_wrap=True)
    if len(untold) > _SHOWN:
        console.print(f"\nand {len(untold) - _SHOWN} more: see --json")
    for reason in dict.fromkeys(row.known for row in table(heard) if row.losing and row.known):
        console.print(f"Told, but what follows is not: {reason}")
    if wrong or untold:
        console.print("\nWhat helps: docs/runbook.md, section 'The alarm does not ring'")
    for organization in admitted:
        console.print(f"The hub admits all accounts of {organization}: only those listed above were judged")
    scenarios = (
        "1 scenario ends as it" if len(judgements) == 1 else f"{len(judgements)} scenarios end as they"
    )
    console.print(f"{len(judgements) - len(wrong)} of {scenarios} must")
    console.print(
        f"{len(heard) - len(untold)} of {len(heard)} attacks on the alarm are told after they landed"
    )


def read(files: Iterable[Path]) -> Iterator[Resource]:
    """Yield the resources of all exports; `-` is standard input.

    Raises:
        UnreadableInput: One is not a stack's export, or a stack is there twice.
        OSError: A file cannot be read.
    """
    seen: dict[tuple[str, frozenset[str]], Path] = {}
    for file in files:
        text = sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes()
        name = "standard input" if file == STANDARD_INPUT else str(file)
        resources = from_stack_export(text, name)
        accounts = frozenset(resource.account for resource in resources)
        for stack in (resource.urn for resource in resources if resource.type == STACK):
            if (stack, accounts) in seen:
                raise UnreadableInput(
                    f"{name}: is of the same stack as {seen[stack, accounts]}: give each stack once"
                )
            seen[stack, accounts] = file
        yield from resources


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="alertpath", description="Would the alarm ring? An offline proof.")
    parser.add_argument(
        "states",
        nargs="+",
        type=Path,
        help="output of `pulumi stack export`, one per stack; - reads one from standard input",
    )
    parser.add_argument("--json", action="store_true", help="print every judgement as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a report as one HTML file as well")
    parser.add_argument(
        "--pairs", action="store_true", help="print what two attacks at once can silence, and nothing else"
    )
    parser.add_argument("--version", action="version", version=VERSION)
    parsed = parser.parse_args(arguments)
    file = parsed.html
    if file and file.exists() and any(state.exists() and state.samefile(file) for state in parsed.states):
        parser.error(f"--html {file}: is one of the stack exports, must be another file")
    error_console = Console(stderr=True)

    watched = partial(track, console=error_console, transient=True, disable=not error_console.is_terminal)

    try:
        given = deployment(read(parsed.states))
        judgements = prove(given, partial(watched, description="playing scenarios"))
        judgements += not_given(given)
        # Pairs alone need no play: it is most of the time.
        played = file is not None or not parsed.pairs
        heard = play(given, partial(watched, description="playing attacks")) if played else []
        if judgements and file:
            page = report.render(judgements, heard, parsed.states, datetime.now(UTC), organizations(given))
            file.write_text(page, "utf-8")
    except (UnreadableInput, OSError) as error:
        problem = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error
        print(f"alertpath: {problem}", file=sys.stderr)
        return 2
    if not judgements:
        print(
            "alertpath: cannot prove anything: no stack with the hub (an event bus `breakglass`) is among "
            "the files; give the management stack's export as well",
            file=sys.stderr,
        )
        return 2
    if parsed.pairs:
        found = pairs(given)
        console = Console(highlight=False)
        console.print(pairs_table(found))
        console.print(f"{found.silent:,} of {found.count:,} pairs within one account are told of by nobody")
        return 0
    if parsed.json:
        print(as_json(judgements, heard))
    else:
        show(judgements, heard, organizations(given), Console(highlight=False))
    return 1 if problems(judgements) or bad(heard) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
