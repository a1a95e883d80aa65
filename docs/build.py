"""Writes the generated pages (`make docs`): the detections and the policies of the pack.

A test compares the committed pages with what this module makes of the code.
"""

from pathlib import Path

from docs import build_detections, build_policies

PAGES = {"detections.md": build_detections.build, "policies.md": build_policies.build}
"""What makes each page."""


def page(name: str) -> Path:
    """Return where the page is."""
    return Path(__file__).with_name(name)


if __name__ == "__main__":
    for name, build in PAGES.items():
        page(name).write_text(build())
