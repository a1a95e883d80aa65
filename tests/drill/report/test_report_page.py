"""The page of `drill report`: values never become markup, nothing is loaded, how a browser lays it out."""

import json
import re

import pytest

from drill import stacks
from drill.report import content
from tests.browser import measured
from tests.drill.report.report_samples import HOSTILE, PAGES, Page, hostile, rendered, sources

# --- Nobody's values become markup ----------------------------------------------------------------


def test_markup_in_values_stays_text():
    text = rendered(hostile())
    text.encode()
    page = Page(text)
    known = {tag for name in ("ready", "wide") for tag, _ in Page(rendered(PAGES[name]())).tags}
    assert {tag for tag, _ in page.tags} <= known
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count(HOSTILE) >= 20
    assert "\\x1b[31mred\\u202egnp.exe\\ud800" in page.text
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("name", PAGES)
def test_the_page_needs_nothing_else(name):
    text = rendered(PAGES[name]())
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "base", "form", "use", "image", "a")
        assert not attributes.keys() & {"src", "href", "xlink:href", "srcset", "action", "style"}
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(styles) == 1
    assert "url(" not in styles[0]
    assert "@import" not in styles[0]
    assert "prefers-color-scheme: dark" in styles[0]
    policies = [a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_no_recipient_is_in_it():
    endpoints = {
        one.endpoint
        for stack in stacks.load()
        if stack.settings.alerts is not None
        for one in (*stack.settings.alerts.subscriptions, *stack.settings.watchdog.subscriptions)
    }
    assert len(endpoints) == 2
    found = sources()
    for text in (rendered(found), json.dumps(content.as_json(found))):
        assert not [endpoint for endpoint in endpoints if endpoint in text]


# --- In a browser ---------------------------------------------------------------------------------

MEASURE = """
<!DOCTYPE html><iframe style="border: 0; width: {width}px; height: {height}px" srcdoc="{page}"></iframe>
<output></output>
<script>
onload = () => {{
  const frame = document.querySelector("iframe").contentDocument, root = frame.documentElement;
  frame.querySelectorAll("details").forEach(one => one.open = true);
  const beyond = [...frame.body.querySelectorAll("*")].filter(one => !one.closest(".wide table, title")
    && one.getBoundingClientRect().right > root.clientWidth + 1);
  const bars = [...frame.querySelectorAll(".bar rect")].map(one => one.getBoundingClientRect());
  document.querySelector("output").textContent = JSON.stringify({{
    scroll: root.scrollWidth, client: root.clientWidth, title: frame.title,
    beyond: beyond.map(one => one.outerHTML.slice(0, 200)),
    longest: Math.max(...bars.map(one => one.width)),
    inner: Math.max(...[...frame.querySelectorAll(".wide")].map(one => one.scrollWidth - one.clientWidth)),
  }});
}};
</script>
"""


@pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 800)])
@pytest.mark.parametrize("name", PAGES)
def test_in_a_browser_only_tables_scroll_sideways(tmp_path, name, width, height):
    found = measured(tmp_path, MEASURE, rendered(PAGES[name]()), width, height)
    assert found["client"] in range(width - 20, width + 1)
    assert found["scroll"] <= found["client"]
    assert found["beyond"] == []
    assert found["title"].startswith("Break-glass access: ")
    assert found["longest"] >= 100
    if name == "wide":
        assert found["inner"] > 0


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_nothing_scrolls(tmp_path, name):
    page = rendered(PAGES[name]()).replace("@media print", "@media all")
    found = measured(tmp_path, MEASURE, page, 700, 900)
    assert found["scroll"] <= found["client"]
    assert found["inner"] <= 1
