"""Reads the settings of a stack from its committed configuration.

Everything a security reviewer cares about is in Pulumi.<stack>.yaml, so a mistake there must not pass for a
default: unknown keys, wrong types and impossible values are errors, reported all at once and before any
resource is registered. `model.py` declares the keys; here are the constraints that concern several of them.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, replace
from pathlib import Path
from typing import Any, cast

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from breakglass import naming
from breakglass.settings import constraints, lengths, stack_file
from breakglass.settings.agreement import disagreements
from breakglass.settings.constraints import COMPONENTS, Constraint, Nested
from breakglass.settings.model import (
    ALWAYS_NAMED,
    NEEDED_BY,
    AlertsSettings,
    Key,
    RelaySettings,
    RoleSettings,
    Settings,
    Subscription,
    UserSettings,
    WatchdogSettings,
    keys_of,
)
from breakglass.settings.walk import ROOT, Walk


class SettingsError(pulumi.RunError):
    """The configuration has problems; the language host prints the message and no traceback.

    Attributes:
        problems: One line each: key path, what was found, what would be right.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        """Compose the message from the problems, of which there is at least one."""
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(
            "\n  ".join([f"{count} in the configuration of stack {pulumi.get_stack()}:", *self.problems])
        )


def load() -> Settings:
    """Return the settings of the stack that the program runs for.

    They are compared with the files of the other stacks. What does not go together is a problem of this
    stack, or a warning if this one is the hub: a mistake in a member's file must not stop a repair of it.

    Raises:
        SettingsError: The configuration has problems; lists all of them.
    """
    # Public Pulumi API reads a key by its name only; a misspelt key is found by listing them.
    prefix = f"{ROOT}:"
    config = {
        key.removeprefix(prefix): stack_file.decoded(value)
        for key, value in CONFIG.get().items()
        if key.startswith(prefix)
    }
    stack, project = pulumi.get_stack(), _project()
    if project is not None and (problems := _not_as_in_file(project / f"Pulumi.{stack}.yaml", config)):
        raise SettingsError(problems)
    # Pulumi marks a whole key as secret when anything below it is encrypted.
    secret = {block for block in ("alerts", "watchdog") if is_config_secret(f"{prefix}{block}")}
    settings = parse(config, secret_blocks=secret)
    if project is not None:
        _compare(stack, settings, project)
    return settings


def _project() -> Path | None:
    """Return the folder with the stacks' files; None without an engine."""
    folder = cast(str | None, pulumi.get_root_directory())
    return None if folder is None else Path(folder)


def _not_as_in_file(file: Path, config: Mapping[str, object]) -> list[str]:
    """Return problems for what the engine has decrypted, or added from an environment: no one else can."""
    try:
        given = stack_file.configuration(file) if file.exists() else config
        if given is config or not stack_file.has_environment(file):
            return []
    except stack_file.NoSettings:
        given = {}
    except stack_file.UnreadableStack as error:
        return [str(error)]
    reason = f"comes from an environment, must be in {file.name}, which reviewers and other commands read"
    return [f"{ROOT}:{key}: {reason}" for key in config if key not in given]


def _compare(stack: str, settings: Settings, project: Path) -> None:
    """Report what does not go together with the other stacks' files, as far as those can be used."""
    known: dict[str, Settings] = {}
    for file in stack_file.files(project):
        with suppress(stack_file.UnreadableStack, SettingsError):
            known[stack_file.stack_name(file)] = parse(stack_file.configuration(file))
    found = disagreements(known | {stack: settings})
    if problems := [one.problem for one in found if one.stack == stack and not settings.is_hub]:
        raise SettingsError(problems)
    for one in found if settings.is_hub else ():
        pulumi.warn(f"stack {one.stack}: {one.problem}")


def parse(config: Mapping[str, object], *, secret_blocks: Collection[str] = ()) -> Settings:
    """Return the settings that a stack's configuration describes.

    Args:
        config: Keys without the namespace `breakglass:`, values as YAML gives them.
        secret_blocks: Which of `alerts` and `watchdog` came from an encrypted value.

    Raises:
        SettingsError: The configuration has problems; lists all of them.
    """
    walk = Walk(_depending(config))
    root = walk.mapping(config, ROOT, Nested(model=Settings), {})
    if problems := [*walk.problems, *_between(root)]:
        raise SettingsError(problems)
    hub_account_id = root.hub_account_id or root.account_id
    watchdog = root.watchdog or WatchdogSettings(account_id="", subscriptions=())
    settings: Settings = replace(
        root,
        hub_account_id=hub_account_id,
        user=root.user or UserSettings(names=naming.DEFAULT_USER_NAMES),
        role=root.role or RoleSettings(name=naming.DEFAULT_ROLE_NAMES[0]),
        alerts=root.alerts
        and replace(root.alerts, subscriptions=_marked(root.alerts.subscriptions, "alerts" in secret_blocks)),
        watchdog=replace(
            watchdog,
            account_id=watchdog.account_id or hub_account_id,
            subscriptions=_marked(watchdog.subscriptions or (), "watchdog" in secret_blocks),
        ),
    )
    if too_long := lengths.problems(settings):
        raise SettingsError(too_long)
    return settings


def _marked(subscriptions: Sequence[Subscription], secret: bool) -> tuple[Subscription, ...]:
    return tuple(replace(each, secret=secret) for each in subscriptions)


def _depending(config: Mapping[str, object]) -> dict[str, Key]:
    """Return the declarations that depend on other keys, by their paths.

    A listed component whose block is gone is an error, never a wish to delete things. Only a stack that needs
    a block may have it, except for the names in it.
    """
    trial = Walk({})
    listed = trial.value(config.get("components"), "components", constraints.LISTED_COMPONENTS, {})
    # Where the list itself is in doubt, assume that a block is there because its component is meant.
    meant = [name for name in COMPONENTS if name in listed or (trial.problems and name in config)]
    found: dict[str, Key] = {}
    for name in COMPONENTS:
        declared = keys_of(Settings)[name]
        needing = [component for component in NEEDED_BY[name] if component in meant]
        if needing:
            by = name if name in needing else needing[0]
            block = replace(declared.constraint, accepted=f"a mapping, because components lists {by}")
            declared = replace(declared, constraint=block, absent="")
        elif name in ALWAYS_NAMED:
            declared = replace(declared, constraint=replace(declared.constraint, only=ALWAYS_NAMED[name]))
        else:
            absent = Constraint(f"absent while components does not list {' or '.join(NEEDED_BY[name])}")
            declared = replace(declared, constraint=absent)
        found[f"{ROOT}:{name}"] = declared

    alerts, relay = _block(config, "alerts"), _block(config, "relay")
    has_relay = "relay" in meant or "relay" in config
    if not has_relay or ("organizationId" in alerts and "memberAccountIds" not in alerts):
        found[f"{ROOT}:alerts.expectedHeartbeats"] = replace(
            keys_of(AlertsSettings)["expected_heartbeats"],
            constraint=constraints.UNCOUNTED_HEARTBEATS,
            default=MISSING,
            absent="",
        )
    if isinstance(relay.get("regions"), list):
        found[f"{ROOT}:relay.excludeRegions"] = replace(
            keys_of(RelaySettings)["exclude_regions"],
            constraint=Constraint("absent while regions is a list: leave them out of that list"),
        )
    return found


def _block(config: Mapping[str, object], name: str) -> Mapping[str, object]:
    block = config.get(name)
    return cast(Mapping[str, object], block) if isinstance(block, Mapping) else {}


def _of_the_watchdog(root: Any, account_id: str | None, hub_account_id: str | None) -> Iterator[str]:
    components: set[str] = set(root.components or ())
    region = root.watchdog.region if root.watchdog is not None else None
    owner = (root.watchdog.account_id if root.watchdog is not None else None) or hub_account_id
    if not account_id or not owner:
        return
    if "watchdog" in components and owner != account_id:
        yield (
            f"{ROOT}:watchdog.accountId: found {owner!r}, must be the accountId {account_id!r}, because "
            "components lists watchdog"
        )
    if "alerts" in components and "watchdog" not in components and owner == account_id:
        yield (
            f"{ROOT}:components: found alerts without watchdog, must list both, because watchdog.accountId "
            "names no other account for the watchdog"
        )
    if "watchdog" not in components or root.relay is None or region is None:
        return
    # What somebody does to the watchdog itself is recorded in its Region only. A bad item may be meant as it.
    if root.relay.regions and not {region, None} & set(root.relay.regions):
        yield f"{ROOT}:relay.regions: found no {region}, must hold it, because the watchdog is there"
    if region in (root.relay.exclude_regions or ()):
        yield f"{ROOT}:relay.excludeRegions: found {region}, must not hold it, because the watchdog is there"


def _mailbox(endpoint: str) -> str:
    """Return an endpoint without what leads to the same mailbox: case, and what follows a plus."""
    return re.sub(r"^([^+/:]+)\+[^@]*@", r"\1@", endpoint.lower())


def _between(root: Any) -> Iterator[str]:
    """Yield the problems between keys of which each is good on its own."""
    account_id = root.account_id
    hub_account_id = root.hub_account_id or account_id
    if account_id and hub_account_id != account_id and {"user", "alerts"} & set(root.components or ()):
        yield (
            f"{ROOT}:hubAccountId: found {hub_account_id!r}, must be the accountId {account_id!r}, "
            "because user and alerts, which components lists, live in the hub account"
        )
        hub_account_id = account_id
    yield from _of_the_watchdog(root, account_id, hub_account_id)
    for block in ("user", "role"):
        arns: Sequence[str] = getattr(getattr(root, block), "managed_policy_arns", ())
        names = [arn and arn.rpartition("/")[2] for arn in arns]
        for index, name in enumerate(names):
            # The attachment's resource is named after the policy; the same ARN twice is reported already.
            if name and names.index(name) < index and arns[index] not in arns[:index]:
                yield (
                    f"{ROOT}:{block}.managedPolicyArns[{index}]: found another policy of the name {name} "
                    f"of [{names.index(name)}], must have a name of its own"
                )
    if root.alerts is None:
        return
    first: dict[str, tuple[str, int]] = {}
    for block in ("alerts", "watchdog"):
        listed = getattr(getattr(root, block), "subscriptions", None) or ()
        for index, item in enumerate(listed):
            if not item:
                continue
            place = f"{ROOT}:{block}.subscriptions[{index}].endpoint"
            earlier, number = first.setdefault(_mailbox(item.endpoint), (block, index))
            same_list = earlier == block
            # The endpoint may be secret: do not quote it.
            if not same_list:
                yield (
                    f"{place}: found the endpoint of alerts.subscriptions[{number}], must be another one, "
                    "because the watchdog must not share a mailbox with the hub"
                )
            elif number != index and item.protocol == "email" and item not in listed[:index]:
                yield f"{place}: repeats [{number}] in another spelling, must be another mailbox"
    for index, member in enumerate(root.alerts.member_account_ids):
        if member and member == hub_account_id:
            yield (
                f"{ROOT}:alerts.memberAccountIds[{index}]: found the hub's account {member!r}, must be "
                "another account, because the hub's own is always admitted and counted"
            )
