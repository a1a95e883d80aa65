"""The proof as one self-contained HTML file.

All values come from stack exports and are untrusted input: the template escapes them, invisible characters
are shown as escapes, and the page's own policy allows no script and no request.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alertpath.proof import Judgement, findings, problems
from alertpath.tampering import Heard, bad, table
from alertpath.trace import Outcome
from alertpath.visible import visible
from breakglass import naming


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a result looks in a cell of the matrix.

    Attributes:
        name: The CSS class.
        symbol: Stands beside the word.
        word: What the cell says; of an `Outcome` its value.
        meaning: What the legend says.
        verdict: End of "5 …" in the headline; "" for results that are as they must be.
        tone: `good`, `bad` or `unproven`: the colour of headline and findings.
    """

    name: str
    symbol: str = "✓"
    word: str
    meaning: str
    verdict: str = ""
    tone: str = "good"


LOST = Kind(
    name="lost",
    symbol="✕",
    word="lost",
    meaning="does not arrive, at least not everywhere it must",
    verdict="would be lost",
    tone="bad",
)
UNSAFE = Kind(
    name="unsafe",
    symbol="!",
    word="not safe",
    meaning="would arrive, but would be lost if delivery failed for a moment",
    verdict="would not arrive safely",
    tone="bad",
)
UNPROVEN = Kind(
    name="unproven",
    symbol="?",
    word="cannot prove",
    meaning="cannot be told from these files: do not assume that it is fine",
    verdict="cannot be proven",
    tone="unproven",
)
NOISY = Kind(
    name="noisy",
    symbol="▲",
    word="not quiet",
    meaning="a rule takes what must stay quiet, or tells people what must only be recorded",
    verdict="would not stay quiet",
    tone="bad",
)
RECORDED = Kind(name="recorded", word="recorded", meaning="goes into the record; people need not be told")
DELIVERED = Kind(name="delivered", word="delivered", meaning="people get a message, and it is recorded")
QUIET = Kind(name="quiet", word="quiet", meaning="no rule takes it, as it must be")

KINDS = (LOST, UNSAFE, UNPROVEN, NOISY, RECORDED, DELIVERED, QUIET)
"""The worst first."""

_FOLDER = Path(__file__).parent
_SHOWN = 20
"""Attacks that nobody is told of and that the page shows."""

_BY_WORD = {kind.word: kind for kind in KINDS}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The results of one detection in one Region: kinds with their numbers, the worst first."""

    region: str
    kinds: Sequence[tuple[Kind, int]]
    total: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """One detection in one account; a Region without any scenario has None."""

    detection: str
    cells: Sequence[Cell | None]
    regions: int
    wrong: int
    tone: str


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """One account; the Regions with most problems come first, because a phone shows few at a time."""

    account: str
    regions: Sequence[str]
    rows: Sequence[Row]
    wrong: int
    total: int


def render(
    judgements: Sequence[Judgement],
    heard: Sequence[Heard],
    files: Sequence[Path],
    now: datetime,
    admitted: Sequence[str] = (),
) -> str:
    """Return the page.

    Args:
        judgements: What becomes of every scenario.
        heard: What becomes of every blow to the alarm.
        files: The stack exports that it was made from.
        now: When it was made, with a time zone.
        admitted: Organisations whose accounts may all send to the hub.

    Raises:
        ValueError: There are no judgements, and an empty page would look like a good one.
    """
    if not judgements:
        raise ValueError("nothing was judged, so there is nothing to report")
    messages: dict[str, Judgement] = {}  # the first of each detection
    for judgement in judgements:
        if judgement.message is not None:
            messages.setdefault(judgement.scenario.detection, judgement)
    mute = {_detection(one) for one in judgements if one.scenario.action == "notify"} - messages.keys()
    untold = bad(heard)
    return (
        environment(_FOLDER)
        .get_template("report.html.j2")
        .render(
            verdict=verdict(judgements, heard),
            tone="bad" if untold else _worst(_kinds(problems(judgements))).tone,
            blows=table(heard),
            untold=untold[:_SHOWN],
            more=max(0, len(untold) - _SHOWN),
            ways=naming.WAYS,
            total=len(judgements),
            files=[file.name for file in files],
            admitted=admitted,
            now=now.strftime("%Y-%m-%d %H:%M %Z"),
            matrices=list(matrices(judgements)),
            findings=[
                (one, _kinds(one.judgements), sorted(set(map(_detection, one.judgements))))
                for one in findings(judgements)
            ],
            messages=messages.values(),
            mute=sorted(mute),
            kinds=KINDS,
        )
    )


def environment(folder: Path) -> Environment:
    """Return what renders a page: the templates of a folder, and those of this one that pages share."""
    return Environment(
        loader=FileSystemLoader([folder, _FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: object) -> object:
    """Return a value of a template, text without invisible characters; what is markup already stays."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return visible(value, keep="\n")


def kind(judgement: Judgement) -> Kind:
    """Return what a cell says about one judgement."""
    if judgement.scenario.action == "quiet" and judgement.outcome is not Outcome.UNPROVEN:
        return QUIET if judgement.good else NOISY
    if judgement.outcome is Outcome.DELIVERED and not judgement.good:
        return NOISY
    return _BY_WORD[judgement.outcome.value]


def _kinds(judgements: Sequence[Judgement]) -> list[tuple[Kind, int]]:
    """Return the kinds with their numbers, the worst first."""
    counted = Counter(map(kind, judgements))
    return [(one, counted[one]) for one in KINDS if one in counted]


def _worst(kinds: Sequence[tuple[Kind, int]]) -> Kind:
    """Return the kind that gives the colour: green if nothing is wrong, amber if only proofs are missing."""
    return next((one for one, _ in kinds if one.tone == "bad"), kinds[0][0] if kinds else QUIET)


def verdict(judgements: Sequence[Judgement], heard: Sequence[Heard] = ()) -> str:
    """Return the headline."""
    untold = len(bad(heard))
    said = _of_scenarios(judgements)
    if untold:
        return f"{said}; of {len(heard)} attacks on the alarm, {untold} would not be told"
    return f"{said}, and all {len(heard)} attacks on the alarm are told" if heard else said


def _of_scenarios(judgements: Sequence[Judgement]) -> str:
    total = f"{len(judgements)} scenario{'s' if len(judgements) > 1 else ''}"
    wrong = [f"{count} {one.verdict}" for one, count in _kinds(problems(judgements))]
    if not wrong:
        return f"All {total} end as they must"
    return f"Of {total}, {', '.join(wrong)}"


def _detection(judgement: Judgement) -> str:
    if judgement.scenario.action == "quiet":
        return "(must stay quiet)"
    return judgement.scenario.detection or "(no name)"


def matrices(judgements: Sequence[Judgement]) -> Iterator[Matrix]:
    """Yield the matrix of each account."""
    for account in dict.fromkeys(judgement.account for judgement in judgements):
        own = [judgement for judgement in judgements if judgement.account == account]
        wrong = Counter(judgement.region for judgement in problems(own))
        played = Counter(judgement.region for judgement in own)
        regions = sorted(played, key=lambda region: (-wrong[region], -played[region], region))
        yield Matrix(
            account=account,
            regions=regions,
            rows=[_row(own, name, regions) for name in dict.fromkeys(map(_detection, own))],
            wrong=wrong.total(),
            total=len(own),
        )


def _row(judgements: Sequence[Judgement], detection: str, regions: Sequence[str]) -> Row:
    own = [judgement for judgement in judgements if _detection(judgement) == detection]
    cells: list[Cell | None] = []
    for region in regions:
        here = [judgement for judgement in own if judgement.region == region]
        # The problems; if there are none, the kind that comes first of those that are well.
        kinds = _kinds(problems(here)) or _kinds(here)[:1]
        cells.append(Cell(region=region, kinds=kinds, total=len(here)) if here else None)
    return Row(
        detection=detection,
        cells=cells,
        regions=len({judgement.region for judgement in own}),
        wrong=len({judgement.region for judgement in problems(own)}),
        tone=_worst(_kinds(problems(own))).tone,
    )
