"""An emulated AWS for the tests of the sandbox, started once, with two accounts."""

from pathlib import Path

import pytest

from sandbox import cloud
from sandbox.world import World


@pytest.fixture(scope="session")
def endpoint():
    with cloud.running() as url:
        yield url


@pytest.fixture(scope="session")
def world(endpoint):
    accounts = {"mgmt": "111111111111", "member": "222222222222"}
    return World(directory=Path(), environment={}, endpoint=endpoint, accounts=accounts, engine="none")


@pytest.fixture(scope="session")
def account(world):
    return world.account("mgmt")
