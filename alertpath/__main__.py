"""`python -m alertpath STATE.json…`: would the alarm ring? Reads stack exports, prints a proof.

Exit codes: 0 if every scenario ends as it must; 1 if an alert would be lost, cannot be proven to arrive, or
would go out for nothing; 2 if the input cannot be read or the report cannot be written.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alertpath import report
from alertpath.model import Resource, UnreadableInput, deployment, from_stack_export
from alertpath.proof import Judgement, findings, problems, prove
from alertpath.trace import Outcome
from alertpath.visible import visible


def table(judgements: Sequence[Judgement]) -> Table:
    """Return what becomes of each detection in each account, and in how many Regions."""
    shown = Table(
        "detection", "account", "Regions", "outcome", title="Would the alarm ring?", title_justify="left"
    )
    cells: dict[tuple[str, str], list[Judgement]] = {}
    for judgement in judgements:
        cells.setdefault((judgement.scenario.detection or "(quiet)", judgement.account), []).append(judgement)
    for (detection, account), cell in cells.items():
        bad = {judgement.region for judgement in problems(cell)}
        regions = {judgement.region for judgement in cell}
        names = (Text(visible(name)) for name in (detection, account))
        wrong = Counter(judgement.outcome.value for judgement in problems(cell))
        if wrong:
            outcome = ", ".join(f"{count} {word}" for word, count in wrong.items())
        elif cell[0].scenario.action == "quiet":
            outcome = "quiet"
        else:
            delivered = any(judgement.outcome is Outcome.DELIVERED for judgement in cell)
            outcome = "delivered" if delivered else "recorded"
        style = "bold red" if wrong else "green"
        shown.add_row(*names, f"{len(regions - bad)} of {len(regions)}", Text(outcome, style))
    return shown


def as_json(judgements: Sequence[Judgement]) -> str:
    """Return the whole proof as JSON."""
    return json.dumps(
        [
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
        ],
        indent=1,
    )


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="alertpath", description="Would the alarm ring? An offline proof.")
    parser.add_argument("states", nargs="+", type=Path, help="output of `pulumi stack export`, one per stack")
    parser.add_argument("--json", action="store_true", help="print every judgement as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a report as one HTML file as well")
    parsed = parser.parse_args(arguments)
    file = parsed.html
    if file and file.exists() and any(state.exists() and state.samefile(file) for state in parsed.states):
        parser.error(f"--html {file}: is one of the stack exports, must be another file")
    try:
        resources: list[Resource] = []
        for file in parsed.states:
            resources += from_stack_export(file.read_bytes(), str(file))
        judgements = prove(deployment(resources))
        if judgements and (file := parsed.html):
            file.write_text(report.render(judgements, parsed.states, datetime.now(UTC)), "utf-8")
    except (UnreadableInput, OSError) as error:
        problem = f"{file}: {error.strerror}" if isinstance(error, OSError) else error
        print(f"alertpath: {problem}", file=sys.stderr)
        return 2
    if not judgements:
        print(
            "alertpath: cannot prove anything: no stack with the hub (an event bus `breakglass`) is among "
            "the files; give the management stack's export as well",
            file=sys.stderr,
        )
        return 2
    wrong = problems(judgements)
    if parsed.json:
        print(as_json(judgements))
    else:
        console = Console(highlight=False)
        console.print(table(judgements))
        for finding in findings(judgements):
            reason, resource = visible(finding.reason), visible(finding.resource)
            console.print(Text(f"{finding.count} x {reason}\n    at {resource}", style="red"))
        console.print(f"{len(judgements) - len(wrong)} of {len(judgements)} scenarios end as they must")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
