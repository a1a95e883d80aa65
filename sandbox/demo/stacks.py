"""The stacks that the demo plays: the project's own, whatever their names and settings, but not too many."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from breakglass import naming
from breakglass.settings import stack_file
from breakglass.settings.agreement import disagreements
from breakglass.settings.model import RelaySettings, Settings
from breakglass.settings.reading import SettingsError, parse
from sandbox.demo.steps import StepFailed
from sandbox.run import ROOT

MEMBERS = 3
"""Members that are played at most; more would show nothing new, and take minutes."""

REGIONS = (naming.HOME_REGION, "eu-north-1", "eu-west-1", naming.WATCHDOG_REGION)
"""Regions that accounts have enabled here, besides those that a stack lists; fewer than a new account's, to
save time."""

EVENTS = ROOT / "tests" / "events"
_SAMPLE_HUB, _SAMPLE_MEMBER = "111111111111", "222222222222"
SAMPLE_KEY = "5e1f0a2c-9b7d-4c36-8f10-2d4b6a8c0e12"
"""Id of the key in the sample events; AWS makes up the real one when it creates the key."""


@dataclass(frozen=True, kw_only=True)
class Stacks:
    """The stacks of the demo, by name, the hub's first.

    Attributes:
        settings: What their files say.
        left_out: What is not played, in words.
    """

    settings: Mapping[str, Settings]
    left_out: Sequence[str] = ()

    @property
    def hub(self) -> str:
        """Name of the stack with the hub."""
        return next(iter(self.settings))

    @property
    def other(self) -> str:
        """Name of a member with role and relay, or of the hub where there is none."""
        members = (
            name
            for name, settings in self.settings.items()
            if name != self.hub and {"role", "relay"} <= set(settings.components)
        )
        return next(members, self.hub)

    @property
    def user(self) -> str:
        """The first of the users."""
        return self.settings[self.hub].user.names[0]

    @property
    def role(self) -> str:
        """The role's name."""
        return self.settings[self.hub].role.name

    @property
    def regions(self) -> list[str]:
        """The Regions that the emulated accounts have enabled: a few, and all that a stack lists."""
        relays = [each.relay for each in self.settings.values() if each.relay is not None]
        listed = {region for relay in relays for region in relay.regions or ()}
        listed |= {settings.watchdog.region for settings in self.settings.values()}
        excluded = {region for relay in relays for region in relay.exclude_regions}
        return sorted((listed | {*REGIONS}) - excluded)

    def covered(self, stack: str) -> list[str]:
        """Return the Regions that a stack relays from, the hub's Region last."""
        relay = self.settings[stack].relay or RelaySettings(regions=())
        return sorted(relay.covered(self.regions), key=lambda region: region == naming.HOME_REGION)

    def event(self, name: str, *, region: str = "", key: str = SAMPLE_KEY) -> dict[str, Any]:
        """Return a sample event with the accounts and names of these stacks.

        Args:
            name: File of the event, such as `alert/kms-disable-key`.
            region: Where it is recorded; by default as in the sample.
            key: Id of the key.
        """
        text = (EVENTS / f"{name}.json").read_text()
        values = {
            _SAMPLE_HUB: self.settings[self.hub].account_id,
            _SAMPLE_MEMBER: self.settings[self.other].account_id,
            naming.DEFAULT_USER_NAMES[0]: self.user,
            naming.DEFAULT_ROLE_NAMES[0]: self.role,
            SAMPLE_KEY: key,
        }
        if region:
            values[json.loads(text)["region"]] = region
        # At once: an account of the stacks may be one of the samples.
        found = re.sub("|".join(map(re.escape, values)), lambda match: values[match[0]], text)
        return json.loads(found)


def prepare(project: Path, folder: Path) -> Stacks:
    """Return the stacks of a project that are played, and write their files into an empty folder.

    Raises:
        StepFailed: They cannot be played as they are; the message says why.
    """
    known: dict[str, Settings] = {}
    left_out: list[str] = []
    for file in stack_file.files(project):
        name = stack_file.stack_name(file)
        try:
            known[name] = parse(stack_file.configuration(file))
        except stack_file.NoSettings as error:
            left_out.append(f"skipped {error}")
        except (stack_file.UnreadableStack, SettingsError) as error:
            problems = "\n  ".join(getattr(error, "problems", [str(error)]))
            raise StepFailed(f"{file.name} cannot be used:\n  {problems}") from error
    if wrong := disagreements(known):
        raise StepFailed("\n".join(f"stack {one.stack}: {one.problem}" for one in wrong))
    hub = next((name for name, settings in known.items() if settings.is_hub), None)
    if hub is None or not {"user", "role", "watchdog", "relay"} <= set(known[hub].components):
        raise StepFailed(
            f"{project}: no stack has all of user, role, alerts, watchdog and relay in "
            "breakglass:components; the demo needs a hub with its users and a watchdog"
        )
    members = [name for name in known if name != hub]
    if len(members) > MEMBERS:
        left_out.append(f"only {MEMBERS} of {len(members)} members are shown")
    played = {name: known[name] for name in (hub, *members[:MEMBERS])}
    for name in played:
        content = json.loads(stack_file.without_secrets(project / f"Pulumi.{name}.yaml"))
        if name == hub:
            _admit(content["config"][f"{stack_file.ROOT}:alerts"], played, left_out)
        (folder / f"Pulumi.{name}.yaml").write_text(json.dumps(content))
    return Stacks(settings=played, left_out=left_out)


def _admit(alerts: dict[str, Any], played: Mapping[str, Settings], left_out: list[str]) -> None:
    """Let the hub admit only the members that are played: it would miss the heartbeats of the others."""
    accounts = {settings.account_id for settings in played.values()}
    listed = alerts.pop("memberAccountIds", [])
    if kept := [account for account in listed if account in accounts]:
        alerts["memberAccountIds"] = kept
    elif "organizationId" in alerts:
        alerts.setdefault("expectedHeartbeats", 1)  # it is required there without the list
    if others := len(listed) - len(kept):
        left_out.append(f"{others} listed member account{'s' if others > 1 else ''} without a stack here")
