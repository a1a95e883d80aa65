"""How the engine is found: each way works, each failure is told, and the last word is what to install."""

import subprocess

import pytest

from sandbox.engine import locate


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing on PATH, an empty cache and an installer that cannot reach anything."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    monkeypatch.setenv("PATH", f"{binaries}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(locate, "_install", _unreachable)
    return binaries


def _unreachable(folder, tell, tried):
    tried.append("official installer: no network")


def executable(path, script):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def obtain():
    told = []
    return locate.obtain(told.append), told


def test_an_engine_on_path_comes_first(machine):
    executable(machine / "pulumi", "echo v3.300.1")
    executable(machine / "pulumi-language-python", "true")
    found, told = obtain()
    assert found == locate.Engine(origin="Pulumi v3.300.1 on PATH")
    assert told == []


@pytest.mark.parametrize("answer", ["v3.253.9", "v4.0.0", "v2.99.0", "nonsense", ""])
def test_an_engine_of_another_age_is_passed_over_and_named(machine, answer):
    executable(machine / "pulumi", f"echo {answer}")
    executable(machine / "pulumi-language-python", "true")
    with pytest.raises(locate.EngineUnavailable, match=f"`pulumi version` says '{answer}', 3.254 or newer"):
        obtain()


def test_an_engine_without_its_python_host_is_no_engine(machine):
    executable(machine / "pulumi", "echo v3.300.1")
    with pytest.raises(locate.EngineUnavailable, match="`pulumi-language-python` is not there"):
        obtain()


def test_without_any_way_the_message_says_what_was_tried_and_what_to_install(machine):
    with pytest.raises(locate.EngineUnavailable) as error:
        obtain()
    text = str(error.value)
    for part in (
        "- PATH: ", "- official installer: no network", "- Go build: `go` is not on PATH",
        "https://www.pulumi.com/docs/install/", "Go 1.25 or newer",
    ):  # fmt: skip
        assert part in text


FAKE_GO = """
case "$1" in
  list) case "$2" in
    -deps) echo "go: downloading a" >&2; echo a; echo b ;;
    -m) echo "$SDK" ;;
  esac ;;
  build) while [ "$1" != "-o" ]; do shift; done; echo built > "$2" ;;
esac
"""


@pytest.fixture
def go(machine, tmp_path, monkeypatch):
    launcher = tmp_path / "sdk" / "python" / "cmd" / "pulumi-language-python-exec"
    launcher.parent.mkdir(parents=True)
    launcher.write_text("launcher")
    monkeypatch.setenv("SDK", str(tmp_path / "sdk"))
    executable(machine / "go", FAKE_GO)
    return machine / "go"


def test_a_built_engine_is_kept_and_used_again_without_go(go, tmp_path):
    found, told = obtain()
    folder = tmp_path / "cache" / "breakglass-sandbox" / "built-v3.259.0"
    assert found.directories == (folder / "bin",)
    assert found.environment == {
        "SANDBOX_LANGUAGE_HOST": str(locate._HOST),
        "SANDBOX_PYTHON_LAUNCHER": str(folder / "bin" / "pulumi-language-python-exec"),
    }
    assert sorted(entry.name for entry in (folder / "bin").iterdir()) == [
        "pulumi", "pulumi-language-python", "pulumi-language-python-exec",
    ]  # fmt: skip
    assert told[0].startswith("engine: building Pulumi")
    assert told[-1] == "engine: built"
    assert [entry.name for entry in folder.iterdir() if entry.name != "output"] == ["bin"]

    go.unlink()
    host = folder / "bin" / "pulumi-language-python"
    host.write_text("what an older checkout left there")
    again, told = obtain()
    assert again == found
    assert told == []
    assert "$SANDBOX_LANGUAGE_HOST" in host.read_text()


def test_a_failed_build_leaves_no_engine_behind_and_says_why(go, tmp_path):
    executable(go, 'echo "go.mod requires go >= 1.25.11 (running go 1.19)" >&2; exit 1')
    with pytest.raises(locate.EngineUnavailable, match=r"Go build: `go list` failed: .*requires go >= 1.25"):
        obtain()
    assert not (tmp_path / "cache" / "breakglass-sandbox" / "built-v3.259.0").exists()


def test_the_official_installer_is_tried_for_real_and_its_failure_is_told(machine, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(locate.subprocess, "run", _fails)
    tried, told = [], []
    locate._install(tmp_path / "installed", told.append, tried)
    assert tried == ["official installer: urlopen error: no such host"]
    assert not (tmp_path / "installed").exists()


def _fails(command, **_):
    raise subprocess.CalledProcessError(1, command, stderr="Traceback\nurlopen error: no such host\n")
