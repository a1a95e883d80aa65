"""The checks, in the order in which they are shown: who gets in, what records and tells it."""

from drill.check.probes import drills, failures, heartbeats, hub, path, recipients, relay, role, trail, user
from drill.check.runner import Check, Probe

IDENTITY = "Who gets in"
_RECORDING = "What records events"
_MESSAGES = "What sends messages, and to whom"
_OPERATION = "Whether it works"


def _check(group: str, id: str, component: str, title: str, probe: Probe) -> Check:
    return Check(id=id, group=group, title=title, component=component, probe=probe)


CHECKS = (
    _check(IDENTITY, "user-sign-in", "user", "Break-glass users can sign in", user.sign_in),
    _check(IDENTITY, "user-mfa", "user", "Break-glass users have MFA devices", user.mfa),
    _check(IDENTITY, "user-keys", "user", "Break-glass users: no other credentials", user.keys),
    _check(IDENTITY, "user-policies", "user", "Break-glass users: intended permissions", user.policies),
    _check(IDENTITY, "user-enrolment", "user", "Nobody can enrol an MFA device", user.enrolment),
    _check(IDENTITY, "role", "role", "The role is as intended", role.permissions),
    _check(IDENTITY, "role-trust", "role", "Only the users can assume the role", role.trust),
    _check(_RECORDING, "trail", "", "A trail records everything", trail.trail),
    _check(_RECORDING, "regions", "relay", "Every enabled Region has a relay", relay.regions),
    _check(_RECORDING, "relay", "relay", "The relays are as intended", relay.forwards),
    _check(_RECORDING, "relay-roles", "relay", "The relays' roles are as intended", relay.roles),
    _check(_MESSAGES, "hub-rules", "alerts", "The detections are as intended", hub.rules),
    _check(_MESSAGES, "hub-policies", "alerts", "The hub's policies are as intended", hub.policies),
    _check(_MESSAGES, "hub-key", "alerts", "Key and topics are as intended", hub.key),
    _check(_MESSAGES, "hub-record", "alerts", "The record is kept", hub.record),
    _check(_MESSAGES, "hub-members", "alerts", "All member accounts are known", hub.members),
    _check(_MESSAGES, "recipients", "alerts", "All recipients are confirmed", recipients.subscriptions),
    _check(_OPERATION, "alarms", "alerts", "No CloudWatch alarm is ringing", failures.alarms),
    _check(_OPERATION, "dead-letters", "relay", "Nothing was lost", failures.dead_letters),
    _check(_OPERATION, "alarm-path", "alerts", "The alarm would ring: proof", path.proven),
    _check(_OPERATION, "patterns", "alerts", "AWS agrees with the proof on patterns", path.patterns),
    _check(_OPERATION, "heartbeats", "alerts", "Every relay sent a heartbeat today", heartbeats.heard),
    _check(_OPERATION, "drill", "alerts", "There was a full drill this quarter", drills.last_drill),
)
