"""What all tests share: their order, and the program run against a recorder."""

import os

import pytest
from hypothesis import settings

from tests import program

# No deadline: how fast a machine is says nothing about the code. In CI the same examples each time, so that a
# red build is about its change; on a developer's machine new ones.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests without an engine come first, so that a plain mistake shows within seconds."""
    items.sort(key=lambda item: item.get_closest_marker("engine") is not None)


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch):
    """Return `deploy(stack, preview=…, change=…)`, see `program.run`."""
    # Turning an output into text is always a mistake; with this it is an error.
    monkeypatch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
    return program.run
