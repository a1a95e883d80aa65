"""What all tests share: their tiers and order, and the program run against a recorder."""

import os

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests import program

# No deadline: how fast a machine is says nothing about the code. In CI the same examples each time, so that a
# red build is about its change; on a developer's machine new ones.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

ENGINE = "tests/integration/"
EMULATED = ("tests/drill/", "tests/sandbox/")
SERVERS = {"both_stacks", "endpoint"}
"""Their fixtures that start an emulated AWS. Tests that use neither, directly or not, need no server."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its tier; unit tests come first, so that a plain mistake shows within seconds.

    The files of a tier stay whole, because a file's tests share what is costly to set up.
    """
    tier_of_file: dict[str, int] = {}
    for item in items:
        file = item.nodeid.partition("::")[0]
        tier = 0
        if file.startswith(ENGINE):
            tier = 2
            item.add_marker(pytest.mark.engine)
        elif file.startswith(EMULATED) and SERVERS & set(getattr(item, "fixturenames", ())):
            tier = 1
            item.add_marker(pytest.mark.emulated)
        if tier:
            # Coverage is that of the unit tier: what only a server or an engine reaches does not count.
            item.add_marker(pytest.mark.no_cover)
        tier_of_file[file] = max(tier, tier_of_file.get(file, 0))
    items.sort(key=lambda item: tier_of_file[item.nodeid.partition("::")[0]])


class _ByFile(LoadScopeScheduling):
    """Hands out whole files; with the engine single tests, because each of them has a sandbox of its own."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(ENGINE) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Keep the order of the tiers when tests run on several cores."""
    config.option.loadscopereorder = False
    return _ByFile(config, log)


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch):
    """Return `deploy(stack, preview=…, change=…)`, see `program.run`."""
    # Turning an output into text is always a mistake; with this it is an error.
    monkeypatch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
    return program.run
