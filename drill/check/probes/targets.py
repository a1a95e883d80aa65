"""Targets on our rules that this version does not render: someone else receives events through them."""

from collections.abc import Sequence

from alertpath.model import Resource
from drill.account import CANNOT_TELL, is_missing
from drill.check import live
from drill.check.finding import Findings, not_ready
from drill.check.stack_state import StackState


def further_targets(stack_state: StackState, resources: Sequence[Resource]) -> Findings:
    """Yield a finding for each target that a rule has besides the rendered ones among `resources`.

    Raises:
        ClientError, BotoCoreError, NotSignedIn: A rule's targets cannot be read.
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
