"""Runs a command in a sandbox: a mirror of the project, a backend of its own, both stacks, an emulated AWS.

`sandbox/run COMMAND…` starts it. Of what the command writes into the mirror, new files are kept in
`build/sandbox`; the rest goes. The command finds the engine, the emulated
provider and the virtual environment on PATH. It cannot reach a real AWS account or a Pulumi service:
variables and files that lead there are taken out of its environment.
"""

import configparser
import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from breakglass.settings import stack_file
from breakglass.settings.reading import SettingsError, parse
from sandbox.cloud import emulation
from sandbox.engine import locate
from sandbox.given import Given, given, lacking

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "sandbox"
"""Where new files go that a command writes into the mirror."""

HELP = """\
usage: sandbox/run COMMAND…

Runs a command with the stacks of this project in a backend of its own and an
emulated AWS. For example:

  sandbox/run pulumi preview -s mgmt
  sandbox/run bash -c 'pulumi up -y -s mgmt && pulumi stack export -s mgmt'

Inside, AWS_PROFILE is the hub's stack; each stack has a profile of its name.

  python -m sandbox.confirm      confirms the subscriptions, as their recipients
  python -m sandbox.schedules    fires the schedules: there is no clock here

New files in the current folder are kept in build/sandbox.

  SANDBOX_ACCOUNT=333333333333   uses the credentials of that account
  SANDBOX_REGIONS=us-east-1,…    the Regions that each account has enabled"""


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox.

    Attributes:
        directory: The mirror of the project; commands run here. The code is linked, the Pulumi*.yaml files
            are copies, because the engine writes into them.
        accounts: Account id of each stack.
        engine: Where the engine comes from, in words.
    """

    directory: Path
    environment: dict[str, str]
    endpoint: str
    accounts: dict[str, str]
    engine: str

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the mirror and return it with its output as text; it may have failed."""
        return subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def output(self, *command: str, exits: Sequence[int] = (0,)) -> str:
        """Run a command in the mirror and return its output as text.

        Raises:
            RuntimeError: It ended with another exit code than `exits`; the message has the output.
        """
        outcome = self.run(*command)
        if outcome.returncode not in exits:
            ended = f"ended with exit code {outcome.returncode}, not {' or '.join(map(str, exits))}"
            raise RuntimeError(f"`{' '.join(command)}` {ended}:\n{outcome.stdout}")
        return outcome.stdout

    def account(self, stack: str) -> emulation.Account:
        """Return clients into the account of `stack`."""
        return self.account_by_id(self.accounts[stack])

    def account_by_id(self, account_id: str) -> emulation.Account:
        """Return clients into `account_id`.

        Raises:
            RuntimeError: No stack has this account.
        """
        if account_id not in self.accounts.values():
            known = ", ".join(f"{id} ({stack})" for stack, id in self.accounts.items())
            raise RuntimeError(f"the sandbox has no account {account_id}: it knows {known}")
        return emulation.signed_in(account_id, self.endpoint)


@contextlib.contextmanager
def sandboxed(
    progress: locate.Progress, regions: Sequence[str] = (), stack_files: Path = ROOT
) -> Iterator[Sandbox]:
    """Start a sandbox of this project, which lasts as long as the context.

    Args:
        progress: Is told what takes long, and which files are skipped.
        regions: What every account has enabled; without any, those of `emulation.enabled_regions`. A command
            that sets `SANDBOX_REGIONS` has others, as if they were enabled later.
        stack_files: Folder with the files `Pulumi.<stack>.yaml`.

    Raises:
        locate.EngineUnavailable: No Pulumi engine was found, and none could be fetched or built.
        RuntimeError: The emulated AWS or a stack could not be set up.
    """
    pulumi = locate.obtain(progress)
    with contextlib.ExitStack() as until_the_end:
        home = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="breakglass-sandbox-")))
        mirror = home / "project"
        accounts = make_mirror(mirror, stack_files, progress)
        has = _given(stack_files, accounts, progress)
        opted_in = {accounts[stack]: one.regions for stack, one in has.items()}
        endpoint = until_the_end.enter_context(emulation.running(regions, opted_in))
        for stack, one in has.items():
            one.create(emulation.signed_in(accounts[stack], endpoint))
        environment = _environment(home, pulumi, endpoint, accounts)
        environment[emulation.OPTED_IN_VARIABLE] = json.dumps(opted_in)
        if regions:
            environment[emulation.REGIONS_VARIABLE] = ",".join(regions)
        sandbox = Sandbox(
            directory=mirror,
            environment=environment,
            endpoint=endpoint,
            accounts=accounts,
            engine=pulumi.origin,
        )
        with ThreadPoolExecutor() as pool:
            make = functools.partial(sandbox.output, "pulumi", "stack", "init", "--no-select")
            list(pool.map(make, accounts))
        yield sandbox


def make_mirror(mirror: Path, stack_files: Path, progress: locate.Progress) -> dict[str, str]:
    """Make a mirror of the project and return the account of each stack that can be used, the hub's first."""
    mirror.mkdir()
    for entry in ROOT.iterdir():
        if entry.name != ".git" and not entry.match("Pulumi.*"):
            (mirror / entry.name).symlink_to(entry)
    shutil.copy(ROOT / "Pulumi.yaml", mirror)
    accounts: dict[str, str] = {}
    hub = ""
    for said in stack_file.others(stack_files):
        progress(f"skipped {said}")
    for file in stack_file.files(stack_files):
        try:
            # The user's key and environments are out of reach here.
            (mirror / file.name).write_text(stack_file.without_secrets(file))
            config = stack_file.configuration(file)
        except stack_file.UnreadableStack as error:
            progress(f"skipped {error}")
            continue
        accounts[stack_file.stack_name(file)] = str(config.get("accountId", ""))
        if "alerts" in str(config.get("components")):
            hub = stack_file.stack_name(file)
    return {stack: accounts[stack] for stack in sorted(accounts, key=lambda stack: stack != hub)}


def _given(folder: Path, accounts: Iterable[str], progress: locate.Progress) -> dict[str, Given]:
    """Return what each stack's account has beforehand; what a stack lacks there is told."""
    found: dict[str, Given] = {}
    for stack in accounts:
        file = folder / f"Pulumi.{stack}.yaml"
        found[stack] = Given()
        try:
            found[stack] = given(file)
            settings = parse(stack_file.configuration(file))
        except stack_file.UnreadableStack as error:
            progress(str(error))  # the other stacks do not need it
            continue
        except SettingsError:
            continue  # the program will say it
        for line in lacking(settings, found[stack]):
            progress(f"{file.name}: if your account differs, say so: {line}")
    return found


def _environment(
    home: Path, pulumi: locate.Engine, endpoint: str, accounts: dict[str, str]
) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))
    }
    (home / "backend").mkdir()
    # A profile named like the stack, for commands such as `aws --profile member …`.
    profiles = configparser.ConfigParser(interpolation=None)
    for stack, account in accounts.items():
        issued = emulation.account_credentials(os.environ.get("SANDBOX_ACCOUNT") or account, endpoint)
        profiles[f"profile {stack}"] = {"region": "us-east-1", **issued}
    with (home / "aws-config").open("w") as file:
        profiles.write(file)
    plugin = home / "pulumi" / "plugins" / f"resource-aws-v{version('pulumi_aws')}"
    plugin.mkdir(parents=True)
    (plugin / "pulumi-resource-aws").symlink_to(ROOT / "sandbox" / "engine" / "bin" / "pulumi-resource-aws")
    binaries = [*pulumi.directories, Path(sys.executable).parent]
    return (
        inherited
        | pulumi.environment
        | {
            "AWS_CONFIG_FILE": str(home / "aws-config"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_PROFILE": next(iter(accounts), "default"),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PATH": os.pathsep.join([*map(str, binaries), inherited.get("PATH", os.defpath)]),
            "PULUMI_BACKEND_URL": f"file://{home / 'backend'}",
            # It encrypts no real secret, and the backend is deleted after the command.
            "PULUMI_CONFIG_PASSPHRASE": "sandbox",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # The state is written once, at the end of each command. Otherwise the engine writes all of it for
            # every resource, against a crash that the sandbox does not outlive; that takes most of its time.
            "PULUMI_EXPERIMENTAL": "true",
            "PULUMI_SKIP_CHECKPOINTS": "true",
            "PULUMI_HOME": str(home / "pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "SANDBOX_PYTHON": sys.executable,
            "SANDBOX_ROOT": str(ROOT),
            emulation.ACCOUNTS_VARIABLE: json.dumps(accounts),
        }
    )


def contents(mirror: Path) -> dict[str, str]:
    """Return the names in the mirror, each with its text if it is a copy and no link to the project."""
    return {
        entry.name: "" if entry.is_symlink() or entry.is_dir() else entry.read_text()
        for entry in mirror.iterdir()
    }


def keep(mirror: Path, before: dict[str, str], folder: Path = KEPT) -> list[str]:
    """Copy what is new in the mirror into a folder, and return in words what was kept and what is lost.

    A file of the same name from an earlier command is replaced.
    """
    new = sorted(entry for entry in mirror.iterdir() if entry.name not in {*before, "__pycache__"})
    for entry in new:
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / entry.name
        if entry.is_dir():
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(entry, kept)
        else:
            shutil.copy(entry, kept)
    lines = (
        [f"kept in {os.path.relpath(folder, ROOT)}: {', '.join(entry.name for entry in new)}"] if new else []
    )
    changed = sorted(name for name, text in before.items() if text and _text(mirror / name) != text)
    if changed:
        lines.append(f"thrown away: changes of {', '.join(changed)}; make them in the project's own files")
    return lines


def _text(file: Path) -> str | None:
    """Return the text of a file, None if the command has removed it, or it is no text any more."""
    try:
        return file.read_text()
    except (OSError, ValueError):
        return None


def main(command: Sequence[str]) -> int:
    """Run `command` in a sandbox of its own and return its exit code."""
    if not command or command[0] in ("-h", "--help"):
        print(HELP, file=sys.stdout if command else sys.stderr)
        return 0 if command else 2
    try:
        with sandboxed(lambda line: print(line, file=sys.stderr)) as sandbox:
            print(f"sandbox: {sandbox.engine}; AWS is emulated at {sandbox.endpoint}", file=sys.stderr)
            before = contents(sandbox.directory)
            try:
                return subprocess.run(
                    command, cwd=sandbox.directory, env=sandbox.environment, check=False
                ).returncode
            except FileNotFoundError as error:
                print(f"sandbox: no such command: {error.filename}", file=sys.stderr)
                return 127
            finally:
                for line in keep(sandbox.directory, before):
                    print(f"sandbox: {line}", file=sys.stderr)
    except (locate.EngineUnavailable, RuntimeError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
