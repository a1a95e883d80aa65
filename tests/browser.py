"""How a browser lays out a page, for the tests of the HTML reports."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def measured(folder: Path, measure: str, page: str, width: int, height: int) -> dict[str, Any]:
    """Return what the script in `measure` writes into its <output> as JSON; skips without a browser."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip("no chromium, chromium-browser or google-chrome on PATH: the layout is not measured")
    wrapper = folder / "wrapper.html"
    wrapper.write_text(measure.format(width=width, height=height, page=html.escape(page)), "utf-8")
    done = subprocess.run(
        [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", wrapper.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r"<output>(.+?)</output>", done.stdout, re.DOTALL)
    assert found, done.stdout[-500:]
    return json.loads(html.unescape(found[1]))
