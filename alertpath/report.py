"""The proof as one HTML file that needs nothing else: for the pull request, the auditor, the phone at night.

Every value comes from stack exports, so nobody vouches for it: the template escapes all of them, characters
that would not be seen are spelled out, and the page's own policy allows no script and no request.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alertpath.proof import Judgement, problems
from alertpath.trace import Outcome


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a cell of the matrix can say.

    Attributes:
        name: The CSS class.
        symbol: Stands beside the word.
        word: What the cell says.
        meaning: What the legend says.
        verdict: Ending of "5 …" in the headline; "" for what is as it must be.
        tone: `good`, `bad` or `unproven`: the colour of headline and findings.
    """

    name: str
    symbol: str
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
    meaning="would arrive, but what cannot be delivered for the moment would be gone",
    verdict="would not arrive safely",
    tone="bad",
)
UNPROVEN = Kind(
    name="unproven",
    symbol="?",
    word="cannot prove",
    meaning="cannot be told from these files: do not take it for fine",
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
RECORDED = Kind(
    name="recorded", symbol="✓", word="recorded", meaning="goes into the record; nobody need be told"
)
DELIVERED = Kind(
    name="delivered", symbol="✓", word="delivered", meaning="people get a message, and it is recorded"
)
QUIET = Kind(name="quiet", symbol="✓", word="quiet", meaning="no rule takes it, as it must be")

KINDS = (LOST, UNSAFE, UNPROVEN, NOISY, RECORDED, DELIVERED, QUIET)
"""The worst first."""

_FOLDER = Path(__file__).parent

_BY_OUTCOME = {
    Outcome.LOST: LOST,
    Outcome.UNSAFE: UNSAFE,
    Outcome.UNPROVEN: UNPROVEN,
    Outcome.RECORDED: RECORDED,
    Outcome.DELIVERED: DELIVERED,
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, with all that it spoils."""

    kinds: Sequence[Kind]
    reason: str
    resource: str
    count: int
    detections: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What becomes of one detection in one Region: kinds with their numbers, the worst first."""

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
    """One account; a phone shows few Regions at a time, so those with most to say come first."""

    account: str
    regions: Sequence[str]
    rows: Sequence[Row]
    wrong: int
    total: int


def render(judgements: Sequence[Judgement], files: Sequence[Path], now: datetime) -> str:
    """Return the page.

    Args:
        judgements: The whole proof.
        files: The stack exports that it was made from.
        now: When it was made, with a time zone.

    Raises:
        ValueError: There are no judgements; a page about nothing would look like a good one.
    """
    if not judgements:
        raise ValueError("nothing was judged, so there is nothing to report")
    messages = list(_messages(judgements))
    told = {judgement.scenario.detection for judgement in messages}
    mute = {_detection(one) for one in judgements if one.scenario.action == "notify"} - told
    return (
        environment(_FOLDER)
        .get_template("report.html.j2")
        .render(
            verdict=verdict(judgements),
            tone=_worst(_kinds(problems(judgements))).tone,
            total=len(judgements),
            files=[file.name for file in files],
            now=now.strftime("%Y-%m-%d %H:%M %Z"),
            matrices=list(matrices(judgements)),
            findings=findings(judgements),
            messages=messages,
            mute=sorted(mute),
            kinds=KINDS,
        )
    )


def environment(folder: Path) -> Environment:
    """Return what renders a page: templates out of a folder, and those here that pages share."""
    return Environment(
        loader=FileSystemLoader([folder, _FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _seen(value: object) -> object:
    """Return text with all characters spelled out that would not be seen or would turn the line around."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else character.encode("unicode_escape").decode("ascii")
        for character in value
    )


def kind(judgement: Judgement) -> Kind:
    """Return what a cell says about one judgement."""
    if judgement.scenario.action == "quiet" and judgement.outcome is not Outcome.UNPROVEN:
        return QUIET if judgement.good else NOISY
    if judgement.outcome is Outcome.DELIVERED and not judgement.good:
        return NOISY
    return _BY_OUTCOME[judgement.outcome]


def _kinds(judgements: Iterator[Judgement] | Sequence[Judgement]) -> list[tuple[Kind, int]]:
    """Return the kinds with their numbers, the worst first."""
    counted = Counter(map(kind, judgements))
    return [(one, counted[one]) for one in KINDS if one in counted]


def _worst(kinds: Sequence[tuple[Kind, int]]) -> Kind:
    """Return the kind that gives the colour: nothing wrong is green, and only what cannot be proven amber."""
    return next((one for one, _ in kinds if one.tone == "bad"), kinds[0][0] if kinds else QUIET)


def verdict(judgements: Sequence[Judgement]) -> str:
    """Return the headline."""
    total = f"{len(judgements)} scenario{'s' if len(judgements) > 1 else ''}"
    wrong = [f"{count} {one.verdict}" for one, count in _kinds(problems(judgements))]
    if not wrong:
        return f"All {total} end as they must"
    return f"Of {total}, {', '.join(wrong)}"


def findings(judgements: Sequence[Judgement]) -> list[Finding]:
    """Return what is wrong, once for each resource and reason; what spoils most scenarios comes first."""
    grouped: dict[tuple[str, str], list[Judgement]] = {}
    for judgement in problems(judgements):
        grouped.setdefault((judgement.resource, judgement.reason), []).append(judgement)
    found = [
        Finding(
            kinds=[one for one, _ in _kinds(spoilt)],
            reason=reason,
            resource=resource,
            count=len(spoilt),
            detections=sorted({_detection(judgement) for judgement in spoilt}),
        )
        for (resource, reason), spoilt in grouped.items()
    ]
    return sorted(found, key=lambda finding: -finding.count)


def _detection(judgement: Judgement) -> str:
    if judgement.scenario.action == "quiet":
        return "(must stay quiet)"
    return judgement.scenario.detection or "(no name)"


def matrices(judgements: Sequence[Judgement]) -> Iterator[Matrix]:
    """Yield the picture of each account."""
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
    return Row(
        detection=detection,
        cells=[_cell([one for one in own if one.region == region], region) for region in regions],
        regions=len({judgement.region for judgement in own}),
        wrong=len({judgement.region for judgement in problems(own)}),
        tone=_worst(_kinds(problems(own))).tone,
    )


def _cell(judgements: Sequence[Judgement], region: str) -> Cell | None:
    """Return what is wrong where anything is; else the least that is right."""
    if not judgements:
        return None
    kinds = _kinds(problems(judgements)) or _kinds(judgements)[:1]
    return Cell(region=region, kinds=kinds, total=len(judgements))


def _messages(judgements: Sequence[Judgement]) -> Iterator[Judgement]:
    """Yield the first judgement with a message for each detection."""
    seen: set[str] = set()
    for judgement in judgements:
        if judgement.message is not None and judgement.scenario.detection not in seen:
            seen.add(judgement.scenario.detection)
            yield judgement
