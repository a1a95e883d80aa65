"""What an emulated account has beforehand, as its stack's file says in the namespace `sandbox`.

AWS knows which Regions an account has enabled and which policies exist there. Here the stack file says it:

    sandbox:enabledRegions: [eu-south-1]      # besides those of a new account
    sandbox:policies: [team/Boundary]         # customer managed policies, with their path
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from breakglass.settings import stack_file
from breakglass.settings.constraints import REGIONS
from breakglass.settings.model import Settings
from sandbox.cloud import emulation

_KEYS = {"enabledRegions": "Regions of partition aws", "policies": "names of policies"}
_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
"""What such a policy allows: as a boundary it bounds nothing, because its document is not known here."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """Regions that an account has enabled besides those of a new one, and its customer managed policies."""

    regions: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()

    def create(self, account: emulation.Account) -> None:
        """Create the policies in an account."""
        for name in self.policies:
            path, _, own = f"/{name}".rpartition("/")
            account.client("iam", "us-east-1").create_policy(
                Path=f"{path}/", PolicyName=own, PolicyDocument=json.dumps(_POLICY)
            )


def given(file: Path) -> Given:
    """Return what a stack's file says of its account.

    Raises:
        stack_file.UnreadableStack: It has another key of the namespace, or a value of another form.
    """
    try:
        config = stack_file.configuration(file, "sandbox")
    except stack_file.NoSettings:
        return Given()
    problems: list[str] = []
    for key, value in config.items():
        fits = isinstance(value, list) and all(
            item in REGIONS
            if key == "enabledRegions"
            else isinstance(item, str) and re.fullmatch(r"([!-.0-~]+/)*[\w+=,.@-]{1,128}", item)
            for item in value
        )
        repeated = fits and len({str(item).lower() for item in value}) < len(value)
        if key not in _KEYS:
            problems.append(f"sandbox:{key}: unknown key, must be one of {', '.join(_KEYS)}")
        elif not fits:
            problems.append(f"sandbox:{key}: found {value!r:.60}, must be a list of {_KEYS[key]}")
        elif repeated:
            problems.append(f"sandbox:{key}: found {value!r:.60}, must have each once, in any case")
    if problems:
        raise stack_file.UnreadableStack.of(file, problems)
    return Given(regions=tuple(config.get("enabledRegions", ())), policies=tuple(config.get("policies", ())))


def lacking(settings: Settings, has: Given) -> Iterator[str]:
    """Yield what a stack takes for granted and its emulated account does not have, with what to add."""
    listed = settings.relay.regions if settings.relay is not None else ()
    if more := sorted({*(listed or ())} - {*emulation.DEFAULT_REGIONS, *has.regions}):
        wanted = ", ".join([*has.regions, *more])
        yield f"a new account has not enabled {', '.join(more)}: sandbox:enabledRegions: [{wanted}]"
    arns = [*settings.user.managed_policy_arns, *settings.role.managed_policy_arns]
    arns += [settings.role.permissions_boundary_arn] if settings.role.permissions_boundary_arn else []
    own = {arn.partition("/")[2] for arn in arns if ":aws:policy/" not in arn}
    if more := sorted(own - {*has.policies}):
        wanted = ", ".join([*has.policies, *more])
        yield f"a new account has no policy {', '.join(more)}: sandbox:policies: [{wanted}]"
