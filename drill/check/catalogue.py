"""The checks, in the order in which they are shown: who gets in, what records and tells it."""

from drill.check.probes import drills, failures, heartbeats, hub, path, recipients, relay, role, trail, user
from drill.check.runner import Check

IDENTITY = "Who gets in"
_RECORDING = "What records events"
_MESSAGES = "What sends messages, and to whom"
_OPERATION = "Whether it works"
WATCHDOG = "watchdog"

CHECKS = (
    Check(IDENTITY, "user-sign-in", "user", "Break-glass users can sign in", user.sign_in),
    Check(IDENTITY, "user-mfa", "user", "Break-glass users have MFA devices", user.mfa),
    Check(IDENTITY, "user-keys", "user", "Break-glass users: no other credentials", user.keys),
    Check(IDENTITY, "user-policies", "user", "Break-glass users: intended permissions", user.policies),
    Check(IDENTITY, "user-enrolment", "user", "Nobody can enrol an MFA device", user.enrolment),
    Check(IDENTITY, "role", "role", "The role is as intended", role.permissions),
    Check(IDENTITY, "role-trust", "role", "Only the users can assume the role", role.trust),
    Check(_RECORDING, "trail", "", "A trail records everything", trail.trail),
    Check(_RECORDING, "regions", "relay", "Every enabled Region has a relay", relay.regions),
    Check(_RECORDING, "relay", "relay", "The relays are as intended", relay.forwards),
    Check(_RECORDING, "relay-roles", "relay", "The relays' roles are as intended", relay.roles),
    Check(_MESSAGES, "hub-rules", "alerts", "The detections are as intended", hub.rules),
    Check(_MESSAGES, "hub-policies", "alerts", "The hub's policies are as intended", hub.policies),
    Check(_MESSAGES, "hub-key", "alerts", "Key and topics are as intended", hub.key),
    Check(_MESSAGES, "hub-record", "alerts", "The record is kept", hub.record),
    Check(_MESSAGES, "hub-members", "alerts", "All member accounts are known", hub.members),
    Check(_MESSAGES, "watchdog-rules", WATCHDOG, "The watchdog listens as intended", hub.watchdog_rules),
    Check(_MESSAGES, "watchdog-policies", WATCHDOG, "The watchdog lets relays in", hub.watchdog_policies),
    Check(_MESSAGES, "watchdog-topics", WATCHDOG, "The watchdog's topics: as intended", hub.watchdog_topics),
    Check(_MESSAGES, "watchdog-record", WATCHDOG, "The watchdog's record is kept", hub.watchdog_record),
    Check(_MESSAGES, "recipients", "alerts", "The hub's recipients are confirmed", recipients.at_hub),
    Check(_MESSAGES, "watchdog-recipients", WATCHDOG, "The watchdog's are too", recipients.at_watchdog),
    Check(_OPERATION, "alarms", "relay", "No CloudWatch alarm is ringing", failures.alarms),
    Check(_OPERATION, "dead-letters", "relay", "Nothing was lost", failures.dead_letters),
    Check(_OPERATION, "alarm-path", "alerts", "The alarm would ring: proof", path.proven),
    Check(_OPERATION, "patterns", "alerts", "AWS agrees with the proof on patterns", path.patterns),
    Check(_OPERATION, "heartbeats", "alerts", "The hub hears every relay", heartbeats.at_hub),
    Check(
        _OPERATION, "watchdog-heartbeats", WATCHDOG, "The watchdog hears every relay", heartbeats.at_watchdog
    ),
    Check(_OPERATION, "drill", "alerts", "There was a full drill this quarter", drills.last_drill),
)
