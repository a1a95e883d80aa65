"""The pinned requirements, and that the version has one value."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from breakglass import VERSION

ROOT = Path(__file__).parents[1]
DEVELOPMENT = ROOT / "requirements-dev.txt"


def pins(file: Path) -> dict[str, set[str]]:
    """Return the extras of each pinned package."""
    found = re.findall(r"^([\w.-]+)(?:\[(.*)\])?==", file.read_text(), re.MULTILINE)
    return {name: set(filter(None, extras.split(","))) for name, extras in found}


def wanted() -> dict[str, set[frozenset[str]]]:
    """Return with which extras the pinned packages are asked for, by us or by each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for name, extras in pins(DEVELOPMENT).items():
        for text in metadata.requires(name) or ():
            marker = Requirement(text).marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
                asked.append(text)
    found: dict[str, set[frozenset[str]]] = {}
    for requirement in map(Requirement, asked):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        found.setdefault(name, set()).add(frozenset(requirement.extras))
    return found


def test_a_package_is_pinned_with_the_extras_that_it_is_asked_for_with():
    # Without them the pip of Python 3.11 looks for the newest version, and refuses it for want of a hash.
    asked = wanted()
    for name, extras in pins(DEVELOPMENT).items():
        if asked.get(name):
            assert asked[name] == {frozenset(extras)}, name


def test_the_comparison_sees_a_package_with_extras():
    assert wanted()["coverage"] == {frozenset({"toml"})}


@pytest.mark.parametrize("file", ["pyproject.toml", "policies/PulumiPolicy.yaml"])
def test_the_version_is_the_same_everywhere(file):
    assert re.search(rf'^version( = "|: ){re.escape(VERSION)}"?$', (ROOT / file).read_text(), re.MULTILINE)
