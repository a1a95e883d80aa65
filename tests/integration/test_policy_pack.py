"""The pack that `make policy-pack` builds: complete without the project that it comes from."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SPY = """
import json, sys
from pathlib import Path
Path(__file__).with_name("seen.json").write_text(json.dumps(sys.path))
"""
"""Added to the pack's alertpath, tells that it was imported, and from where else modules could have come."""

DISTRIBUTIONS = """
import importlib.metadata as metadata, sys
import breakglass_policies
known = metadata.packages_distributions()
modules = {name.partition(".")[0] for name in sys.modules}
print(*{distribution for name in modules for distribution in known.get(name, ())})
"""
"""Prints the distributions that importing the rules takes."""


@pytest.fixture
def pack(tmp_path):
    """The built pack, outside of the project."""
    folder = tmp_path / "elsewhere" / "pack"
    command = ["make", "-C", str(ROOT), "policy-pack", f"PACK={folder}"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert f"Use it in any project: pulumi preview --policy-pack {folder}\n" in made.stdout
    return folder


def test_another_project_is_judged_by_the_pack_alone(sandbox, pack):
    # Nothing of the project is left for the pack to find; the program does without both.
    (sandbox.directory / "alertpath").unlink()
    (sandbox.directory / "policies").unlink()
    with (pack / "alertpath" / "__init__.py").open("a") as module:
        module.write(SPY)
    config = str(pack / "config.json")
    outcome = sandbox.run(
        *("pulumi", "preview", "-s", "mgmt", "--non-interactive", "--color", "never"),
        *("--policy-pack", str(pack), "--policy-pack-config", config),
    )
    assert outcome.returncode == 0, outcome.stdout
    assert "alarm-path-not-yet-proven" in outcome.stdout
    assert "can't run policy" not in outcome.stdout
    path = json.loads((pack / "alertpath" / "seen.json").read_text())
    assert str(pack) in path
    assert not {ROOT, ROOT / "policies"} & {Path(entry).resolve() for entry in path}

    # And it has all that its policies import, without a provider.
    pinned = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+) \\$", (pack / "requirements.txt").read_text(), re.MULTILINE)
    )
    assert "pulumi-aws" not in pinned
    command = [str(pack / "venv" / "bin" / "python"), "-c", DISTRIBUTIONS]
    imported = subprocess.run(command, cwd=pack, capture_output=True, text=True, check=False)
    assert imported.returncode == 0, imported.stderr
    needed = {name.lower().replace("_", "-") for name in imported.stdout.split()}
    assert {"pulumi", "pulumi-policy"} <= needed <= {*pinned}
