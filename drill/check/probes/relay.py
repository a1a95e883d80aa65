"""Every enabled Region forwards to hub and watchdog."""

from drill.account import explained, is_denied_by_organization
from drill.check.compare import as_rendered, redeploy
from drill.check.finding import Findings, not_ready, ready, unknown
from drill.check.probes.further import further_policies, further_targets
from drill.check.stack_state import StackState


def forwards(stack_state: StackState) -> Findings:
    """Compare rules, targets, queue and heartbeat schedule of every Region with the rendered ones."""
    relay = stack_state.stack.settings.relay
    if stack_state.enabled is None and relay and not relay.regions:
        yield unknown(f"the enabled Regions cannot be listed: {stack_state.enabled_problem}")
        return
    rendered = stack_state.of_component(
        "relay", "EventRule", "EventTarget", "Queue", "Schedule", "ScheduleGroup"
    )
    yield from as_rendered(stack_state, rendered, noun=f"relays of {len(stack_state.meant)} Regions")
    yield from further_targets(stack_state, rendered)


def roles(stack_state: StackState) -> Findings:
    """Compare the roles of relay and heartbeat, their trust and their permission, with the rendered ones."""
    rendered = stack_state.of_component("relay", "Role", "RolePolicy")
    yield from as_rendered(stack_state, rendered, noun="roles of relays and heartbeat")
    for role in stack_state.of_component("relay", "Role"):
        yield from further_policies(stack_state, role["name"], "role", wanted=())


def _relayed(stack_state: StackState) -> tuple[set[str], dict[str, str]]:
    """Return the Regions where all of the relay's rules exist, and those that could not be read, with why."""
    regions, unread = stack_state.meant, {}
    for rule in stack_state.of_component("relay", "EventRule"):
        live = stack_state.live[rule.urn]
        if live is None:
            regions.discard(rule.home[1])
        elif isinstance(live, Exception):
            unread[rule.home[1]] = explained(live)
    return regions - unread.keys(), unread


def regions(stack_state: StackState) -> Findings:
    """Compare the enabled Regions with those that are relayed or excluded, and make a call in each.

    A service control policy must deny each excluded Region: else what happens there is not reported.
    """
    if stack_state.enabled is None:
        yield unknown(f"the enabled Regions cannot be listed: {stack_state.enabled_problem}")
        return
    enabled, excluded, meant = set(stack_state.enabled), stack_state.excluded, stack_state.meant
    relayed, unread = _relayed(stack_state)
    for region, reason in unread.items():
        yield unknown(f"{region}: whether it has a relay cannot be read: {reason}")
    for region in sorted(enabled - relayed - unread.keys() - excluded):
        yield not_ready(
            f"{region} is enabled and has no relay: what happens there is not reported",
            redeploy(stack_state),
            fix="" if region in meant else "add it to relay.regions, or write `regions: enabled`",
        )
    for region in sorted(meant - enabled):
        yield not_ready(
            f"{region} must have a relay but is not enabled",
            redeploy(stack_state),
            fix="enable it, or take it out of relay.regions",
        )
    denied = []
    for region, error in stack_state.answers.items():
        if error is not None and not is_denied_by_organization(error):
            yield unknown(f"{region}: {explained(error)}")
        elif error is not None:
            denied.append(region)
            if region not in excluded:
                yield not_ready(
                    f"a service control policy denies calls in {region}, so its relay cannot be deployed",
                    redeploy(stack_state),
                    fix="add it to relay.excludeRegions",
                )
        elif region in excluded:
            yield not_ready(
                f"{region} is excluded, but no service control policy denies calls there: "
                "what happens there is not reported",
                redeploy(stack_state),
                fix="take it out of relay.excludeRegions",
            )
    uncovered = f", denied by a service control policy: {', '.join(denied)}" if denied else ""
    yield ready(f"{len(relayed)} of {len(enabled)} enabled Regions relayed{uncovered}")
