"""Writes the generated files (`make docs`): pages on detections, policies and settings, and a schema.

A test compares the committed files with what this module makes of the code.
"""

from pathlib import Path

from docs import build_detections, build_policies, build_settings

PAGES = {
    "docs/detections.md": build_detections.build,
    "docs/policies.md": build_policies.build,
    "docs/settings.md": build_settings.page,
    "breakglass.schema.json": build_settings.schema,
}
"""The function that makes each file."""


def page(name: str) -> Path:
    """Return where the file is."""
    return Path(__file__).parents[1] / name


if __name__ == "__main__":
    for name, build in PAGES.items():
        page(name).write_text(build())
