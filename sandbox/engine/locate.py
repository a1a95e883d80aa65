"""Finds the Pulumi engine, or gets it: on PATH, by the official installer, or built from its Go modules.

`python -m sandbox.engine.locate` makes sure that there is one, and says which.
What had to be fetched or built is kept in a per-user cache (`$XDG_CACHE_HOME` or `~/.cache`), one folder per
version, so that it happens once per machine.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, cast

BUILT_VERSION = "v3.259.0"
"""Newest engine that the public Go modules give; `source/go.mod` pins it and everything below it."""
OLDEST = (3, 254)
"""`requiredPulumiVersion` in Pulumi.yaml."""
INSTALLER_SECONDS = 900

_SOURCE = Path(__file__).parent / "source"
_HOST = Path(__file__).parent / "bin" / "pulumi-language-python"
_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_LAUNCHER = "pulumi-language-python-exec"

Progress = Callable[[str], None]


class EngineUnavailable(Exception):
    """No engine was found, fetched or built; the message says what was tried and what to install."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A Pulumi engine with its Python language host.

    Attributes:
        origin: Where it comes from, in words.
        directories: Folders to put first on PATH.
        environment: Variables that its language host needs.
    """

    origin: str
    directories: tuple[Path, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


def obtain(progress: Progress) -> Engine:
    """Return an engine: the first of PATH, cache, official installer and Go build that works.

    `progress` prints one line; the Go build takes about five minutes on two cores.

    Raises:
        EngineUnavailable: None of them works.
    """
    tried: list[str] = []
    if engine := _on_path(tried):
        return engine
    installed, built = _cache() / f"installed-{version('pulumi')}", _cache() / f"built-{BUILT_VERSION}"
    with _one_at_a_time(progress):
        for folder, make in ((installed, None), (built, None), (installed, _install), (built, _build)):
            if make is not None and not (folder / "bin").is_dir():
                make(folder, progress, tried)
            if (folder / "bin").is_dir():
                return _cached(folder, built=folder == built)
    raise EngineUnavailable(
        "No Pulumi engine.\n"
        + "".join(f"  - {line}\n" for line in tried)
        + "Install the Pulumi CLI 3.254 or newer (https://www.pulumi.com/docs/install/) so that `pulumi` and "
        "`pulumi-language-python` are on PATH, or Go 1.25 or newer to build it, and run the command again."
    )


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "breakglass-sandbox"


@contextlib.contextmanager
def _one_at_a_time(progress: Progress) -> Iterator[None]:
    """Hold the cache's lock: two builds at once would take twice as long and write the same files."""
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("engine: waiting for another process that is getting it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _on_path(tried: list[str]) -> Engine | None:
    pulumi = shutil.which("pulumi")
    if pulumi is None or shutil.which("pulumi-language-python") is None:
        tried.append("PATH: `pulumi` with `pulumi-language-python` is not there")
        return None
    answer = subprocess.run([pulumi, "version"], capture_output=True, text=True, check=False).stdout.strip()
    found = re.match(r"v?(\d+)\.(\d+)\.", answer)
    if found is None or not OLDEST <= (int(found[1]), int(found[2])) < (4, 0):
        tried.append(f"PATH: `pulumi version` says {answer!r}, 3.254 or newer (below 4) is needed")
        return None
    return Engine(origin=f"Pulumi {answer} on PATH")


def _cached(folder: Path, *, built: bool) -> Engine:
    if not built:
        return Engine(origin=f"official Pulumi {version('pulumi')}", directories=(folder / "bin",))
    # Beside the engine, where it looks first; the official distribution has its host there too. Checkouts of
    # several versions may share the cache, so what lies there only leads to the host of the one in use.
    host = folder / "bin" / _HOST.name
    host.write_text('#!/bin/sh\nexec "$SANDBOX_LANGUAGE_HOST" "$@"\n')
    host.chmod(0o755)
    return Engine(
        origin=f"Pulumi {BUILT_VERSION} built from its Go modules, with the sandbox's language host",
        directories=(folder / "bin",),
        environment={
            "SANDBOX_LANGUAGE_HOST": str(_HOST),
            "SANDBOX_PYTHON_LAUNCHER": str(folder / "bin" / _LAUNCHER),
        },
    )


def _install(folder: Path, progress: Progress, tried: list[str]) -> None:
    """Run the official installer through the Automation API into `folder`."""
    progress("engine: trying the official installer")
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    code = "import sys, pulumi.automation as auto; auto.PulumiCommand.install(root=sys.argv[1])"
    try:
        subprocess.run(
            [sys.executable, "-c", code, str(partial)],
            check=True, capture_output=True, text=True, timeout=INSTALLER_SECONDS,
        )  # fmt: skip
        partial.rename(folder)
    except subprocess.TimeoutExpired:
        tried.append(f"official installer: no result within {INSTALLER_SECONDS} s")
    except subprocess.CalledProcessError as error:
        last_line = (error.stderr.strip().splitlines() or ["no output"])[-1]
        tried.append(f"official installer: {last_line}")
    progress(f"engine: {tried[-1]}" if not folder.is_dir() else "engine: installed")


def _build(folder: Path, progress: Progress, tried: list[str]) -> None:
    """Build the engine and copy the Python launcher into `folder`, with module and build caches of its own.

    The caches (over 2 GB) are removed once the build is done; after a failure the next try uses them.
    """
    if shutil.which("go") is None:
        tried.append("Go build: `go` is not on PATH")
        return
    work = folder.with_name(folder.name + ".partial")
    (work / "bin").mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "CGO_ENABLED": "0",
        "GOCACHE": str(work / "cache"),
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
        "GOMODCACHE": str(work / "modules"),
        "GOWORK": "off",
    }
    try:
        progress("engine: building Pulumi from its Go modules, about five minutes, once per machine")
        packages = _go(["list", "-deps", _PACKAGE], environment, progress, "downloaded {} modules")
        stamp = f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={BUILT_VERSION}"
        output = str(work / "bin" / "pulumi")
        build = ["build", "-v", "-ldflags", f"-s -w -X {stamp}", "-o", output, _PACKAGE]
        _go(build, environment, progress, f"compiled {{}} of about {len(packages)} packages")
        where = ["list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"]
        sdk = _go(where, environment, progress, "read {} lines")
        shutil.copy(Path(sdk[-1]) / "python" / "cmd" / _LAUNCHER, work / "bin" / _LAUNCHER)
    except subprocess.CalledProcessError as error:
        tried.append(f"Go build: `go {error.cmd[1]}` failed: {error.stderr.strip()[-400:]}")
        return
    shutil.rmtree(work / "modules", ignore_errors=True)
    shutil.rmtree(work / "cache", ignore_errors=True)
    work.rename(folder)
    progress("engine: built")


def _go(arguments: list[str], environment: dict[str, str], progress: Progress, said: str) -> list[str]:
    """Run a go command and return its standard output; every 15 s, say how many lines it has written so far.

    Raises:
        subprocess.CalledProcessError: It failed; `stderr` holds its last lines.
    """
    command = ["go", *arguments]
    with (
        # Standard output goes to a file: nobody reads a pipe here, and a full one would stop the command.
        (Path(environment["GOMODCACHE"]).parent / "output").open("w+") as output,
        subprocess.Popen(
            command, cwd=_SOURCE, env=environment, stdout=output, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        lines, shown = [], time.monotonic()
        for line in cast(IO[str], process.stderr):
            lines.append(line)
            if time.monotonic() - shown > 15:
                shown = time.monotonic()
                progress(f"engine: {said.format(len(lines))}")
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, command, stderr="".join(lines[-8:]))
        output.seek(0)
        return output.read().splitlines()


if __name__ == "__main__":
    try:
        print(f"engine: {obtain(lambda line: print(line, flush=True)).origin}")
    except EngineUnavailable as unavailable:
        sys.exit(str(unavailable))
