"""An emulated AWS for the tests of the sandbox, started once."""

import pytest

from sandbox import cloud


@pytest.fixture(scope="session")
def endpoint():
    with cloud.running() as url:
        yield url


@pytest.fixture(scope="session")
def account(endpoint):
    return cloud.Account("111111111111", endpoint)
