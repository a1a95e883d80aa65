"""Every enabled Region forwards to the hub."""

from collections.abc import Iterator

from drill.account import explained, is_denied_by_organization
from drill.check import live
from drill.check.compare import as_rendered, redeploy
from drill.check.finding import Finding, not_ready, ready, unknown
from drill.check.probes.targets import further_targets
from drill.check.subject import Subject

_PER_REGION = ("EventRule", "EventTarget", "Queue", "QueuePolicy", "Schedule", "ScheduleGroup")


def _is_of_relay(name: str) -> bool:
    return name.startswith("break-glass-relay-")


def forwards(subject: Subject) -> Iterator[Finding]:
    """Compare rules, targets, queue and heartbeat schedule of every Region with the rendered ones."""
    if subject.enabled is None and subject.stack.settings.relay and not subject.stack.settings.relay.regions:
        yield unknown(f"the enabled Regions cannot be listed: {subject.enabled_problem}")
        return
    own = [one for one in subject.of(*_PER_REGION) if _is_of_relay(one.urn)]
    yield from as_rendered(subject, own, noun=f"relays of {len(subject.relays[subject.account.id])} Regions")
    yield from further_targets(subject, own)


def roles(subject: Subject) -> Iterator[Finding]:
    """Compare the roles of relay and heartbeat, their trust and their permission, with the rendered ones."""
    own = [one for one in subject.of("Role", "RolePolicy") if _is_of_relay(one.urn)]
    yield from as_rendered(subject, own, noun="roles of relay and heartbeat")
    for role in own:
        if role.type.endswith(":Role"):
            attached = live.attached_to_role(subject.account, role["name"])
            for arn in attached:
                yield not_ready(
                    f"role {role['name']} has a further policy {arn}",
                    subject.aws(f"iam detach-role-policy --role-name {role['name']} --policy-arn {arn}"),
                )


def _relayed(subject: Subject) -> tuple[set[str], dict[str, str]]:
    """Return the Regions where all of the relay's rules exist, and why that cannot be told of others."""
    regions, unread = set(subject.relays[subject.account.id]), {}
    for rule in subject.of("EventRule"):
        found = subject.live[rule.urn]
        if _is_of_relay(rule.urn) and found is None:
            regions.discard(rule.home[1])
        elif _is_of_relay(rule.urn) and isinstance(found, Exception):
            unread[rule.home[1]] = explained(found)
    return regions - unread.keys(), unread


def regions(subject: Subject) -> Iterator[Finding]:
    """Compare the enabled Regions with those that are relayed or excluded, and ask each whether it answers.

    An excluded Region must be one that a service control policy denies: else somebody can work there unheard.
    """
    if subject.enabled is None:
        yield unknown(f"the enabled Regions cannot be listed: {subject.enabled_problem}")
        return
    relay = subject.stack.settings.relay
    excluded = () if relay is None else relay.exclude_regions
    meant = set(subject.relays[subject.account.id])
    relayed, unread = _relayed(subject)
    for region, reason in unread.items():
        yield unknown(f"{region}: whether it has a relay cannot be read: {reason}")
    for region in sorted(set(subject.enabled) - relayed - unread.keys() - set(excluded)):
        yield not_ready(
            f"{region} is enabled and has no relay: nothing that happens there is heard",
            redeploy(subject),
            fix="" if region in meant else "add it to relay.regions, or write `regions: enabled`",
        )
    for region in sorted(meant - set(subject.enabled)):
        yield not_ready(
            f"{region} must have a relay and is not enabled",
            redeploy(subject),
            fix="enable it, or take it out of relay.regions",
        )
    denied = []
    for region, error in subject.answers.items():
        if error is not None and not is_denied_by_organization(error):
            yield unknown(f"{region}: {explained(error)}")
        elif error is not None:
            denied.append(region)
            if region not in excluded:
                yield not_ready(
                    f"a service control policy denies calls in {region}, so its relay cannot be deployed",
                    redeploy(subject),
                    fix="add it to relay.excludeRegions",
                )
        elif region in excluded:
            yield not_ready(
                f"{region} is excluded, but no service control policy denies calls there: "
                "what happens there is not heard",
                redeploy(subject),
                fix="take it out of relay.excludeRegions",
            )
    uncovered = f", denied by a service control policy: {', '.join(denied)}" if denied else ""
    yield ready(f"{len(relayed)} of {len(subject.enabled)} enabled Regions relayed{uncovered}")
