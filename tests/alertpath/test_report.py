"""The HTML report: what it says, that values of stack exports stay text, and how a browser lays it out."""

import json
import re
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from alertpath import report
from alertpath.__main__ import main
from alertpath.model import Deployment, deployment, from_stack_export
from alertpath.proof import Judgement, findings, prove
from alertpath.scenarios import Scenario
from alertpath.tampering import Heard, play
from alertpath.trace import Outcome
from tests.alertpath.exports import export
from tests.alertpath.faults import FAULTS
from tests.browser import measured

REGIONS = ("us-east-1", "eu-west-1", "us-west-2")
MANY = (*REGIONS, *(f"ap-southeast-{number}" for number in range(1, 16)))
NO_SCENARIO = "\N{EN DASH}"
NOW = datetime(2026, 11, 22, 3, 4, tzinfo=UTC)
FILES = [Path("stacks/mgmt.json"), Path("member.json")]
HOSTILE = "\"'></td><script>document.title='owned'</script><img src=x onerror=alert(1)>{{ 7 * 7 }}&amp;"


class Page(HTMLParser):
    """The page as a browser would read it: visible text, tags, and the table cells by row and Region."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[list[str]] = []
        self.parts: list[str] = []
        self._in = ""
        self.feed(text)

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in = tag if tag in ("style", "title") else self._in
        if tag == "tr":
            self.cells.append([])
        elif tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_endtag(self, tag):
        self._in = "" if tag == self._in else self._in
        if tag == "table":
            self.cells.append([])

    def handle_data(self, data):
        if self._in:
            return
        self.parts.append(data)
        if self.cells and self.cells[-1]:
            self.cells[-1][-1] += data

    def table(self, number: int) -> dict[tuple[str, str], str]:
        """Return the cells of one account's table by detection and Region."""
        tables: list[list[list[str]]] = [[]]
        for row in self.cells:
            if row:
                tables[-1].append([" ".join(cell.split()) for cell in row])
            else:
                tables.append([])
        (_, *regions), *rows = tables[number]
        return {
            (re.sub(" (wrong|cannot prove) in .*", "", name), region): cell
            for name, *cells in rows
            for region, cell in zip(regions, cells, strict=True)
        }


@cache
def given(*faults: str, regions=REGIONS) -> Deployment:
    exports = {stack: export(stack, regions) for stack in ("mgmt", "member")}
    for name in faults:
        next(fault for fault in FAULTS if fault.name == name).inject(exports)
    return deployment(
        [one for name in exports for one in from_stack_export(json.dumps(exports[name]), f"{name}.json")]
    )


@cache
def judged(*faults: str, regions=REGIONS) -> list[Judgement]:
    return prove(given(*faults, regions=regions))


@cache
def attacked(*faults: str, regions=REGIONS) -> list[Heard]:
    return play(given(*faults, regions=regions))


def rendered(*faults: str, regions=REGIONS) -> str:
    heard = attacked(*faults, regions=regions)
    return report.render(judged(*faults, regions=regions), heard, FILES, NOW)


def one(outcome: Outcome, **parts: Any) -> Judgement:
    """A judgement with an outcome, and with other parts of scenario, event and judgement than the usual."""
    event = {"account": parts.pop("account", "111111111111"), "region": parts.pop("region", "us-east-1")}
    scenario = Scenario(
        name="a drill",
        detection=parts.pop("detection", "drill"),
        action=parts.pop("action", "notify"),
        event=event,
    )
    return Judgement(scenario=scenario, outcome=outcome, **parts)


def tone(page: Page) -> str | None:
    return next(attributes["class"] for tag, attributes in page.tags if tag == "header")


@pytest.fixture(scope="module")
def intact() -> str:
    return rendered()


def test_intact_stacks_are_all_as_they_must_be(intact):
    page = Page(intact)
    said = f"All {len(judged())} scenarios end as they must"
    assert f"{said}, and all {len(attacked())} attacks on the alarm are told" in page.text
    assert tone(page) == "verdict good"
    assert "Nothing is wrong, and nothing is left unproven." in page.text
    assert page.table(0)["user-sign-in", "eu-west-1"] == "✓ delivered"
    assert page.table(0)["user-mfa-challenge", "eu-west-1"] == "✓ recorded"
    assert page.table(0)["(must stay quiet)", "eu-west-1"] == "✓ quiet"
    assert page.table(0)["role-change", "eu-west-1"] == NO_SCENARIO
    assert page.table(1)["role-change", "us-east-1"] == "✓ delivered"


def test_it_says_what_was_judged(intact):
    text = Page(intact).text
    for part in ("111111111111", "222222222222", "3 in 111111111111", "mgmt.json", "member.json"):
        assert part in text
    assert "2026-11-22 03:04 UTC" in text
    assert "stacks/" not in text


def test_a_message_for_each_detection_as_mail_shows_it(intact):
    page = Page(intact)
    assert '"BREAK-GLASS: console sign-in by BreakglassUser"' in page.text
    notifying = {judgement.scenario.detection for judgement in judged() if judgement.message}
    assert sum(tag == "pre" for tag, _ in page.tags) == len(notifying)
    assert "No message" not in page.text


def test_findings_come_first_and_name_reason_resource_and_number():
    judgements = judged("mgmt relay to the hub-2: disabled in one Region", "drill: rule disabled")
    page = Page(report.render(judgements, [], FILES, NOW))
    assert tone(page) == "verdict bad"
    wrong = sum(not judgement.good for judgement in judgements)
    assert f"Of {len(judged())} scenarios, {wrong} would be lost" in page.text
    first, second = findings(judgements)
    assert first.count > second.count
    assert first.count + second.count == wrong
    for finding in (first, second):
        assert f"✕ lost {finding.count} scenario" in page.text
        assert f"{finding.reason} at {finding.resource}" in page.text
    assert page.text.index(second.resource) < page.text.index("Detections by Region")
    assert page.table(0)["user-sign-in", "eu-west-1"] == "✕ lost 2/2"
    assert page.table(0)["user-sign-in", "us-east-1"] == "✓ delivered"
    assert "No message is proven to arrive for drill" in page.text


def test_the_region_where_most_is_wrong_comes_first():
    page = Page(rendered("mgmt relay to the hub-2: disabled in one Region", regions=MANY))
    assert next(row for row in page.cells if row)[1] == "eu-west-1"


@pytest.mark.parametrize(
    ("fault", "place", "cell"),
    [
        ("no dead letters", ("user-sign-in", "us-east-1"), "! not safe 2/2"),
        ("hub rule with an unknown state", ("drill", "us-east-1"), "? cannot prove"),
        ("a quiet drill is told", ("drill-quiet", "eu-west-1"), "▲ not quiet"),
        ("mgmt relay to the hub forwards everything", ("(must stay quiet)", "eu-west-1"), "▲ not quiet 4/4"),
    ],
)
def test_a_cell_says_in_words_what_is_wrong(fault, place, cell):
    assert Page(rendered(fault)).table(0)[place] == cell


def test_what_cannot_be_proven_never_looks_fine():
    fine, unproven = one(Outcome.DELIVERED, message="hello"), one(Outcome.UNPROVEN, reason="who knows")
    page = Page(report.render([fine, unproven], [], FILES, NOW))
    assert tone(page) == "verdict unproven"
    assert "Of 2 scenarios, 1 cannot be proven" in page.text
    assert page.table(0) == {("drill", "us-east-1"): "? cannot prove 1/2"}
    lost = one(Outcome.LOST, reason="gone")
    page = Page(report.render([fine, unproven, lost], [], FILES, NOW))
    assert tone(page) == "verdict bad"
    assert page.table(0) == {("drill", "us-east-1"): "✕ lost 1/3 ? cannot prove 1/3"}


def test_quiet_that_cannot_be_proven_is_no_quiet():
    judgement = one(Outcome.UNPROVEN, action="quiet", detection="", reason="who knows")
    assert report.kind(judgement) is report.UNPROVEN


def test_cells_have_the_words_and_the_order_of_outcomes():
    outcomes = [outcome.value for outcome in Outcome]
    assert [kind.word for kind in report.KINDS if kind.word in outcomes] == outcomes


def test_nothing_judged_is_no_report():
    with pytest.raises(ValueError, match="nothing was judged"):
        report.render([], [], FILES, NOW)


def hostile() -> str:
    words = {"detection": HOSTILE, "account": HOSTILE, "region": HOSTILE}
    judgements = [
        one(Outcome.LOST, resource=f"urn:{HOSTILE}\u202e" + "x" * 400, reason=HOSTILE * 3, **words),
        one(Outcome.DELIVERED, message=f"</pre>{HOSTILE}\nnext\ud800" + "y" * 400, **words),
    ]
    return report.render(judgements, [], [Path(HOSTILE.replace("/", "|") + ".json")], NOW)


PAGES = {
    "intact": rendered,
    "faults": lambda: rendered("mgmt relay to the hub-2: disabled in one Region", regions=MANY),
    "hostile": hostile,
}


def test_markup_in_names_stays_text(intact):
    text = hostile()
    text.encode()
    page = Page(text)
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in Page(intact).tags} | {"ol", "strong"}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count(HOSTILE) >= 8
    assert any(HOSTILE in (attributes.get("title") or "") for _, attributes in page.tags)
    assert "\u202e" not in text
    assert "\\u202e" in page.text
    assert f"</pre>{HOSTILE} next\\ud800" in page.text


@pytest.mark.parametrize("name", ["faults", "hostile"])
def test_the_page_needs_nothing_else(name):
    text = PAGES[name]()
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "base", "form")
        assert not attributes.keys() & {"src", "href", "srcset", "action", "style"}
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(style) == 1
    assert "url(" not in style[0]
    assert "@import" not in style[0]
    assert "prefers-color-scheme: dark" in style[0]
    meta = [attributes for tag, attributes in page.tags if tag == "meta"]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in meta
    assert any(
        "default-src 'none'" in (attributes["content"] or "")
        for attributes in meta
        if "content" in attributes
    )


@pytest.fixture
def states(tmp_path):
    for stack in ("mgmt", "member"):
        (tmp_path / f"{stack}.json").write_text(json.dumps(export(stack, REGIONS)))
    return [str(tmp_path / f"{stack}.json") for stack in ("mgmt", "member")]


def test_the_command_writes_one_file_beside_what_it_prints(states, tmp_path, capsys):
    folder = tmp_path / "out"
    folder.mkdir()
    assert main([*states, "--json", "--html", str(folder / "report.html")]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (len(printed["scenarios"]), len(printed["blows"])) == (len(judged()), len(attacked()))
    assert [file.name for file in folder.iterdir()] == ["report.html"]
    assert f"All {len(judged())} scenarios end as they must" in (folder / "report.html").read_text("utf-8")


def test_a_report_that_cannot_be_written_ends_with_two(states, tmp_path, capsys):
    assert main([*states, "--html", str(tmp_path / "absent" / "report.html")]) == 2
    assert "report.html" in capsys.readouterr().err


MEASURE = """
<!DOCTYPE html><iframe style="border: 0; width: {width}px; height: {height}px" srcdoc="{page}"></iframe>
<output></output>
<script>
onload = () => {{
  const frame = document.querySelector("iframe").contentDocument, root = frame.documentElement;
  frame.querySelectorAll("details").forEach(one => one.open = true);
  const beyond = [...frame.body.querySelectorAll("*")].filter(
    one => !one.closest(".wide table") && one.getBoundingClientRect().right > root.clientWidth + 1);
  const wide = [...frame.querySelectorAll(".wide")];
  document.querySelector("output").textContent = JSON.stringify({{
    scroll: root.scrollWidth, client: root.clientWidth, title: frame.title,
    beyond: beyond.map(one => one.outerHTML.slice(0, 200)),
    inner: Math.max(...wide.map(one => one.scrollWidth - one.clientWidth)),
    pinned: wide.every(one => {{
      one.scrollLeft = 1e6;
      return one.querySelector("tbody th").getBoundingClientRect().left >= 0;
    }}),
  }});
}};
</script>
"""


@pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 800)])
@pytest.mark.parametrize("name", PAGES)
def test_in_a_browser_only_tables_scroll_sideways(tmp_path, name, width, height):
    found = measured(tmp_path, MEASURE, PAGES[name](), width, height)
    assert found["client"] in range(width - 20, width + 1)
    assert found["scroll"] <= found["client"]
    assert found["beyond"] == []
    assert found["title"].startswith("Would the alarm ring?")
    assert found["pinned"]
    if name == "faults":
        assert found["inner"] > 0
