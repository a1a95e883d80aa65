"""What all tests share: their order, and the program run against a recorder."""

import pytest

from tests import program


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests without an engine come first, so that a plain mistake shows within seconds."""
    items.sort(key=lambda item: item.get_closest_marker("engine") is not None)


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch):
    """Return `deploy(stack, preview=…, change=…)`, see `program.run`."""
    # Turning an output into text is always a mistake; with this it is an error.
    monkeypatch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
    return program.run
