"""`python -m drill init`: writes the stack files of one's own accounts, previews them. Asks AWS nothing."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from breakglass import naming
from breakglass.settings import constraints, reading, stack_file
from breakglass.settings.agreement import disagreements
from breakglass.settings.constraints import COMPONENTS
from breakglass.settings.model import Settings
from breakglass.settings.reading import SettingsError
from drill import stacks
from drill.options import ALL

EXAMPLES = ("mgmt", "member")
"""Stacks that the project comes with, of accounts that are nobody's."""

OPTED_IN = ("af-", "ap-east-", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
            "ap-southeast-6", "ap-southeast-7", "ca-west-", "eu-central-2", "eu-south-", "il-", "me-",
            "mx-")  # fmt: skip
"""Beginnings of Regions that an account has to enable
(https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html)."""

_HEADINGS = {
    True: "# The hub: the account that holds the break-glass users and the alerting, which every relay "
    "forwards to.",
    False: "# Another account: it holds the role, which trusts the users of the hub account, and relays to "
    "hub and watchdog.",
}
_MANY = "; repeat for more."
_WATCHDOG_REGIONS = (naming.WATCHDOG_REGION, "eu-west-1")
"""In the order of preference."""
_IAM_FULL_ACCESS = naming.iam_arn("aws", "policy/IAMFullAccess")


def init(
    hub: Annotated[
        str | None,
        typer.Option(metavar="NAME=ACCOUNT", help="Stack and account of the users and the alerting."),
    ] = None,
    member: Annotated[
        list[str] | None, typer.Option(metavar="NAME=ACCOUNT", help=f"Stack of another account{_MANY}")
    ] = None,
    mail: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help=f"Who is told of every alert{_MANY}")
    ] = None,
    watchdog: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help=f"Another mailbox, told when the alarm is broken{_MANY}"),
    ] = None,
    user: Annotated[list[str] | None, typer.Option(metavar="NAME", help=f"Break-glass user{_MANY}")] = None,
    role: Annotated[str, typer.Option(metavar="NAME", help="Role that the users assume.")] = (
        naming.DEFAULT_ROLE_NAMES[0]
    ),
    policy: Annotated[
        list[str] | None,
        typer.Option(metavar="ARN", help=f"What the role may do; by default IAMFullAccess{_MANY}"),
    ] = None,
    boundary: Annotated[
        str | None, typer.Option(metavar="ARN", help="Permissions boundary of the role.")
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGION",
            help="Region to watch; by default all that are enabled, as `drill check` wants it" + _MANY,
        ),
    ] = None,
    webhook: Annotated[
        bool,
        typer.Option(
            "--webhook", help="Also tell an https:// URL. It is asked for, hidden, and written encrypted."
        ),
    ] = False,
    secrets_provider: Annotated[
        str, typer.Option(metavar="PROVIDER", help="What encrypts the URL, such as awskms://alias/NAME.")
    ] = "passphrase",
    force: Annotated[bool, typer.Option("--force", help="Replace stack files that differ.")] = False,
) -> None:
    """Write the stack files of your accounts, and preview them in the sandbox.

    An account of `--policy` or `--boundary` may be written as ACCOUNT: each stack gets its own.
    """
    if hub is None:
        hub = _ask("Name and account of the hub (NAME=ACCOUNT)", "--hub", _stack)
        member = [*(member or ()), *_further()]
    mail = mail or [_ask("Mail address for alerts", "--mail")]
    watchdog = watchdog or [_ask("Mail address of another mailbox, for a broken alarm", "--watchdog")]
    accounts = dict([_named("--hub", hub), *(_named("--member", each) for each in member or ())])
    if len({name.lower() for name in accounts}) != 1 + len(member or ()):
        _refuse("--member: each stack must have a name of its own, in upper or lower case")
    hub_name, hub_account = _named("--hub", hub)
    common = {
        "user": {"names": user or [*naming.DEFAULT_USER_NAMES[:1]]},
        "role": {
            "name": role,
            "managedPolicyArns": policy or [naming.iam_arn("aws", "policy/IAMFullAccess")],
        },
        "relay": {"regions": region or "enabled"},
    }
    if boundary is not None:
        common["role"]["permissionsBoundaryArn"] = boundary
    alerts: dict[str, Any] = {
        "subscriptions": [{"protocol": "email", "endpoint": address} for address in mail],
    }
    second = {
        "region": _watchdog_region(region),
        "subscriptions": [{"protocol": "email", "endpoint": address} for address in watchdog],
    }
    if others := [account for name, account in accounts.items() if name != hub_name]:
        alerts["memberAccountIds"] = others
    configurations: dict[str, dict[str, Any]] = {}
    for name, account in accounts.items():
        own = _own(common, account)
        if name == hub_name:
            configuration = {
                "accountId": account,
                "components": [*COMPONENTS],
                **own,
                "alerts": alerts,
                "watchdog": second,
            }
        else:
            components = ["role", "relay"]
            configuration = {
                "accountId": account,
                "hubAccountId": hub_account,
                "components": components,
                **own,
                "watchdog": {"region": second["region"]},
            }
        configurations[name] = configuration
    _validate(configurations)
    url = _url() if webhook else ""
    if webhook:
        recipient = {"protocol": "https", "endpoint": url}
        told = {**alerts, "subscriptions": [*alerts["subscriptions"], recipient]}
        _validate({**configurations, hub_name: {**configurations[hub_name], "alerts": told}})
    files = {
        f"Pulumi.{name}.yaml": _text(name == hub_name, configuration)
        for name, configuration in configurations.items()
    }
    if url:
        name = f"Pulumi.{hub_name}.yaml"
        files[name] = _encrypted(files[name], hub_name, len(mail), url, secrets_provider)
    _write(files, force=force)
    _preview(list(accounts))
    print("\n".join(_next(list(accounts), secrets_provider if url else "")))


def _next(names: Sequence[str], provider: str) -> Iterator[str]:
    """Yield what to do next; `provider` encrypts the hub's secrets, "" if it has none."""
    yield "\nNext, the hub first, each with its account's credentials in an AWS profile of the stack's name:"
    yield "  pulumi login s3://YOUR-STATE-BUCKET"
    for name in names:
        option = f" --secrets-provider {provider}" if provider and name == names[0] else ""
        yield f"  pulumi stack init {name}{option}"
        pack = "--policy-pack policies --policy-pack-config policies/config.json"
        yield f"  AWS_PROFILE={name} pulumi up -s {name} {pack}"
    yield "Commit the stack files, also what `pulumi stack init` adds. Then see docs/runbook.md, 'Set-up'."


def _watchdog_region(regions: Sequence[str] | None) -> str:
    """Return the watchdog's Region: one of those to watch, if they are listed, that cannot be disabled."""
    good = [one for one in regions or () if constraints.WATCHDOG_REGION.fits(one)]
    return next((one for one in _WATCHDOG_REGIONS if one in good), (good or _WATCHDOG_REGIONS)[0])


def _refuse(problem: str) -> None:
    typer.echo(f"drill init: {problem}", err=True)
    raise typer.Exit(2)


def _ask(question: str, option: str, check: Callable[[str], str] = str) -> str:
    """Return the answer to a question, asked again until it passes the check."""
    if not sys.stdin.isatty():
        _refuse(f"{option} is missing, and there is no terminal to ask on")
    return typer.prompt(question, value_proc=check).strip()


def _further() -> Iterator[str]:
    """Yield the other accounts that somebody at the terminal names."""
    question = "Name and account of another one (NAME=ACCOUNT, empty for no more)"
    while answer := typer.prompt(question, default="", show_default=False, value_proc=_stack_or_nothing):
        yield answer


_STACK_WORDS = (
    f"must be NAME=ACCOUNT, the name {stack_file.STACK_NAME_WORDS}, and not {ALL}, the account 12 digits"
)


def _stack(answer: str) -> str:
    name, _, account = answer.strip().partition("=")
    if not (_is_name(name) and constraints.ACCOUNT_ID.fits(account)):
        raise typer.BadParameter(f"{answer!r}: {_STACK_WORDS}")
    return answer.strip()


def _stack_or_nothing(answer: str) -> str:
    return _stack(answer) if answer.strip() else ""


def _is_name(name: str) -> bool:
    return re.fullmatch(stack_file.STACK_NAME, name) is not None and name != ALL


def _named(option: str, value: str) -> tuple[str, str]:
    """Return the name and the account of a stack."""
    name, separator, account = value.partition("=")
    if not (separator and _is_name(name)):
        _refuse(f"{option} {value}: {_STACK_WORDS}")
    return name, account


def _own(common: Mapping[str, Any], account: str) -> dict[str, Any]:
    """Return the settings with the account's id in the ARNs."""
    role = dict(common["role"])
    role["managedPolicyArns"] = [
        arn.replace(":ACCOUNT:", f":{account}:") for arn in role["managedPolicyArns"]
    ]
    if boundary := role.get("permissionsBoundaryArn"):
        role["permissionsBoundaryArn"] = boundary.replace(":ACCOUNT:", f":{account}:")
    return {**common, "role": role}


def _validate(configurations: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse what would not be valid, or would not go together with the stack files that stay."""
    found: dict[str, Settings] = {}
    for name, configuration in configurations.items():
        try:
            found[name] = reading.parse(configuration)
        except SettingsError as error:
            listed = "\n  ".join(error.problems)
            problem = f"stack {name} would not be valid:\n  {listed}"
            if "Arn" in listed:
                problem += "\nIn --policy and --boundary, ACCOUNT stands for the id of each stack's account."
            _refuse(problem)
    if wrong := disagreements(found | _staying(configurations)):
        listed = "\n  ".join(f"stack {one.stack}: {one.problem}" for one in wrong)
        staying = [f"Pulumi.{one.stack}.yaml" for one in wrong if one.stack not in configurations]
        advice = (
            f"\nRemove {', '.join(dict.fromkeys(staying))} first, if it is no longer used." if staying else ""
        )
        _refuse(f"the stacks would not go together:\n  {listed}{advice}")


def _staying(configurations: Mapping[str, Any]) -> dict[str, Settings]:
    """Return the settings of the stack files that stay, as far as they can be used."""
    found: dict[str, Settings] = {}
    for file in stack_file.files(stacks.PROJECT):
        name = stack_file.stack_name(file)
        if name in configurations or (name in EXAMPLES and _example(name)):
            continue
        with suppress(stack_file.UnreadableStack, SettingsError):
            found[name] = reading.parse(stack_file.configuration(file))
    return found


def _url() -> str:
    """Return the URL of the webhook, asked for without an echo, or the first line of standard input."""
    asked = (
        typer.prompt("URL of the webhook", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    )
    return asked.strip()


def _text(is_hub: bool, configuration: Mapping[str, Any]) -> str:
    """Return a stack file; what its account must have beforehand is said to the sandbox as well."""
    role, regions = configuration["role"], configuration["relay"]["regions"]
    arns = [*role["managedPolicyArns"], role.get("permissionsBoundaryArn", "")]
    beforehand = {
        "enabledRegions": [one for one in regions if regions != "enabled" and one.startswith(OPTED_IN)],
        "policies": sorted({arn.partition("/")[2] for arn in arns if arn and ":aws:policy/" not in arn}),
    }
    config = {f"breakglass:{key}": value for key, value in configuration.items()}
    config |= {f"sandbox:{key}": value for key, value in beforehand.items() if value}
    dumped = yaml.safe_dump({"config": config}, sort_keys=False, default_flow_style=None, width=110)
    return f"# yaml-language-server: $schema=breakglass.schema.json\n{_HEADINGS[is_hub]}\n{dumped}"


def _encrypted(text: str, stack: str, index: int, url: str, provider: str) -> str:
    """Return the hub's file with the URL as a further, encrypted recipient.

    The engine encrypts it in a project of its own, which is gone afterwards; the file is good for every
    backend. URL and passphrase go through standard input and the environment, never through arguments.
    """
    environment = {**os.environ, "PATH": os.pathsep.join([_engine(), os.environ.get("PATH", os.defpath)])}
    given = {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & environment.keys()
    if provider == "passphrase" and not given:
        if not sys.stdin.isatty():
            _refuse("PULUMI_CONFIG_PASSPHRASE is not set, and there is no terminal to ask on")
        environment["PULUMI_CONFIG_PASSPHRASE"] = typer.prompt(
            "Passphrase of the stack", hide_input=True, confirmation_prompt=True
        )
    with tempfile.TemporaryDirectory(prefix="breakglass-init-") as folder:
        project = Path(folder)
        environment |= {"PULUMI_BACKEND_URL": f"file://{folder}", "PULUMI_HOME": f"{folder}/home"}
        (project / "Pulumi.yaml").write_text("{name: breakglass, runtime: python}\n")
        place = f"breakglass:alerts.subscriptions[{index}]"
        for arguments, given in (
            (["stack", "init", stack, "--secrets-provider", provider], ""),
            (["config", "set", "--path", f"{place}.protocol", "https"], ""),
            (["config", "set", "--path", f"{place}.endpoint", "--secret"], url),
        ):
            if arguments[0] == "config":
                arguments += ["--stack", stack]
            done = subprocess.run(
                ["/usr/bin/env", "pulumi", *arguments, "--cwd", folder],
                env=environment, input=given, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                _refuse(f"the URL could not be encrypted: {done.stderr.strip()}")
            if arguments[0] == "stack":
                made = project / f"Pulumi.{stack}.yaml"
                made.write_text(text + (made.read_text() if made.exists() else ""))
        return (project / f"Pulumi.{stack}.yaml").read_text()


def _engine() -> str:
    """Return the folder of the engine that `make setup` brings."""
    code = "from sandbox.engine import locate; print(*locate.obtain(lambda _: None).directories, sep=':')"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=stacks.PROJECT, capture_output=True, text=True, check=False
    )
    if found.returncode:
        _refuse("there is no Pulumi engine: run `make setup`")
    return found.stdout.strip()


def _write(files: Mapping[str, str], *, force: bool) -> None:
    """Write all files or none; the examples of the project that nobody has changed are removed."""
    examples = [file for name in EXAMPLES if (file := _example(name))]
    for name, text in files.items():
        file = stacks.PROJECT / name
        if os.path.lexists(file) and file not in examples and _text_of(file) != text and not force:
            _refuse(
                f"{name} is there already and differs: --force replaces it. To add an account to stacks that "
                "are there, see docs/runbook.md, section 'New account'"
            )
    for name, text in files.items():
        (stacks.PROJECT / f".{name}").write_text(text)
    for name in files:
        (stacks.PROJECT / f".{name}").replace(stacks.PROJECT / name)
        print(f"wrote {name}")
    for file in examples:
        if file.name not in files:
            file.unlink()
            print(f"removed the example {file.name}")


def _text_of(file: Path) -> str | None:
    """Return the text of a file; None if it has none."""
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return None


def _example(name: str) -> Path | None:
    """Return a file that the project came with, if nobody has changed it."""
    file = stacks.PROJECT / f"Pulumi.{name}.yaml"
    text = _text_of(file)
    return file if text is not None and text == _text_of(_EXAMPLES / file.name) else None


_EXAMPLES = Path(__file__).parents[1] / "tests" / "stacks"
"""Where the same examples are that the project comes with."""


def _preview(names: Sequence[str]) -> None:
    """Preview each stack in the sandbox with the policy pack; end with 1 if one is refused."""
    said: dict[str, list[str]] = {}
    for name in names:
        print(f"previewing {name} in the sandbox …", flush=True)
        command = [str(stacks.PROJECT / "sandbox" / "run"), ".github/pulumi.sh", "preview", name]
        done = subprocess.run(command, cwd=stacks.PROJECT, capture_output=True, text=True, check=False)
        if done.returncode:
            said.setdefault(_problems(done.stdout), []).append(name)
            file = stacks.PROJECT / "build" / f"init-{name}.txt"
            file.parent.mkdir(exist_ok=True)
            file.write_text(done.stdout)
        print(*done.stderr.strip().splitlines()[-1:])
    for problems, refused in said.items():
        print(f"\nRefused in {', '.join(refused)} (the whole output is in build/init-{refused[0]}.txt):")
        print(problems)
    if said:
        print("\nMend it, and run this again.")
        raise typer.Exit(1)


def _problems(output: str) -> str:
    """Return what a refused preview says was wrong: policies' messages, else the program's errors."""
    lines = output.splitlines()
    for mark in ("[mandatory]", "error:"):
        found = [
            "\n".join([lines[start].strip(), *takewhile(_is_text, map(str.strip, lines[start + 1 :]))])
            for start, line in enumerate(lines)
            if mark in line
        ]
        if found:
            return "\n".join(dict.fromkeys(found))
    return "\n".join(lines[-_SHOWN:])


_SHOWN = 20
"""Lines of an output in which no problem is found."""


def _is_text(line: str) -> bool:
    """Whether a line still belongs to a message: the next one begins with a mark, or with none."""
    return bool(line) and not line.startswith(("- [", "[", "+", "~", "error:", "Resources:"))
