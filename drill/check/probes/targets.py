"""Who else listens: targets on our rules that are none of ours."""

from collections.abc import Iterator, Sequence

from alertpath.model import Resource
from drill.account import CANNOT_TELL, is_missing
from drill.check import live
from drill.check.finding import Finding, not_ready
from drill.check.subject import Subject


def further_targets(subject: Subject, resources: Sequence[Resource]) -> Iterator[Finding]:
    """Yield a finding for each target that a rule has besides the rendered ones among `resources`.

    Raises:
        ClientError, BotoCoreError, NotSignedIn: A rule's targets cannot be read.
    """
    wanted: dict[tuple[str, str, str], set[str]] = {}
    for one in resources:
        if one.type.endswith(":EventTarget"):
            bus = one["eventBusName"] or "default"
            wanted.setdefault((one.home[1], bus, one["rule"]), set()).add(one["targetId"])
    for (region, bus, rule), ids in wanted.items():
        try:
            found = live.targets(subject.account, region, bus, rule)
        except CANNOT_TELL as error:
            if is_missing(error):  # that the rule does not exist is said elsewhere
                continue
            raise
        for target in found:
            if target["Id"] not in ids:
                where = f"--region {region} --event-bus-name {bus} --rule {rule}"
                yield not_ready(
                    f"rule {rule} in {region} has a further target {target['Arn']}",
                    subject.aws(f"events remove-targets {where} --ids {target['Id']}"),
                    fix="find out whose it is, then remove it",
                )
