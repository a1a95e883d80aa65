"""The checks, in the order in which they are shown: who gets in, what hears it, who is told, does it work."""

from drill.check.probes import drills, failures, heartbeats, hub, path, recipients, relay, role, trail, user
from drill.check.runner import Check

CHECKS = (
    Check(
        id="user-sign-in", title="The users can sign in to the console", component="user", probe=user.sign_in
    ),
    Check(id="user-mfa", title="The users have MFA devices", component="user", probe=user.mfa),
    Check(id="user-keys", title="The users have no other credentials", component="user", probe=user.keys),
    Check(id="user-policies", title="The users may do what is meant", component="user", probe=user.policies),
    Check(
        id="user-enrolment", title="Nobody can enrol an MFA device", component="user", probe=user.enrolment
    ),
    Check(id="role", title="The role is as meant", component="role", probe=role.permissions),
    Check(id="role-trust", title="Only the users can assume the role", component="role", probe=role.trust),
    Check(id="trail", title="A trail records everything", component="", probe=trail.trail),
    Check(id="regions", title="Every enabled Region is relayed", component="relay", probe=relay.regions),
    Check(id="relay", title="The relays are as meant", component="relay", probe=relay.forwards),
    Check(id="relay-roles", title="The relay's roles are as meant", component="relay", probe=relay.roles),
    Check(id="hub-rules", title="The detections are as meant", component="alerts", probe=hub.rules),
    Check(id="hub-policies", title="The hub's policies are as meant", component="alerts", probe=hub.policies),
    Check(id="hub-key", title="Key and topics are as meant", component="alerts", probe=hub.key),
    Check(id="hub-record", title="The record is kept", component="alerts", probe=hub.record),
    Check(id="hub-members", title="All member accounts are known", component="alerts", probe=hub.members),
    Check(id="recipients", title="Somebody is told", component="alerts", probe=recipients.subscriptions),
    Check(id="alarms", title="The alarm is watched", component="alerts", probe=failures.alarms),
    Check(id="dead-letters", title="Nothing was lost", component="relay", probe=failures.dead_letters),
    Check(id="alarm-path", title="The alarm would ring: proof", component="alerts", probe=path.proven),
    Check(id="patterns", title="AWS reads the patterns as we do", component="alerts", probe=path.patterns),
    Check(id="heartbeats", title="Every relay was heard today", component="alerts", probe=heartbeats.heard),
    Check(id="drill", title="It was drilled this quarter", component="alerts", probe=drills.last_drill),
)
