"""What rules, roles and users have besides what this version renders."""

from collections.abc import Collection, Sequence
from typing import Literal

from alertpath.model import Resource
from drill.account import CANNOT_TELL, is_missing
from drill.check import live
from drill.check.finding import Findings, not_ready
from drill.check.stack_state import StackState


def further_targets(stack_state: StackState, resources: Sequence[Resource]) -> Findings:
    """Yield a finding for each target that a rule has besides the rendered ones among `resources`.

    Someone else receives events through it. Raises an error of `account.CANNOT_TELL` if it cannot be read.
    """
    wanted: dict[tuple[str, str, str], set[str]] = {}
    for resource in resources:
        if resource.type.endswith(":EventTarget"):
            rule = (resource.home[1], resource["eventBusName"] or "default", resource["rule"])
            wanted.setdefault(rule, set()).add(resource["targetId"])
    for (region, bus, name), ids in wanted.items():
        try:
            targets = live.targets(stack_state.account, region, bus, name)
        except CANNOT_TELL as error:
            if is_missing(error):  # another finding says that the rule does not exist
                continue
            raise
        for target in targets:
            if target["Id"] not in ids:
                where = f"--region {region} --event-bus-name {bus} --rule {name}"
                yield not_ready(
                    f"rule {name} in {region} has a further target {target['Arn']}",
                    stack_state.aws(f"events remove-targets {where} --ids {target['Id']}"),
                    fix="find out who added it, then remove it",
                )


def further_policies(
    stack_state: StackState, name: str, kind: Literal["user", "role"], wanted: Collection[str]
) -> Findings:
    """Yield a finding for each managed policy of a user or role whose ARN is not in `wanted`.

    Raises an error of `account.CANNOT_TELL` if the attachments cannot be read.
    """
    for arn in live.attached(stack_state.account, kind, name):
        if arn not in wanted:
            yield not_ready(
                f"{_called(name, kind)} has a further policy {arn}",
                stack_state.aws(f"iam detach-{kind}-policy --{kind}-name {name} --policy-arn {arn}"),
                fix="find out who attached it",
            )


def inline_policies(stack_state: StackState, name: str, kind: Literal["user", "role"]) -> Findings:
    """Yield a finding for each inline policy of a user or role; raises one of `account.CANNOT_TELL`."""
    who = {f"{kind.title()}Name": name}
    for policy in live.iam_list(stack_state.account, f"list_{kind}_policies", "PolicyNames", **who):
        yield not_ready(
            f"{_called(name, kind)} has an inline policy {policy}",
            stack_state.aws(f"iam delete-{kind}-policy --{kind}-name {name} --policy-name {policy}"),
            fix="find out who put it there",
        )


def _called(name: str, kind: str) -> str:
    return f"role {name}" if kind == "role" else name
