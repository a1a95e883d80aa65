"""The patterns of the relay's rules: everything that touches the users, the role or the alarm path.

A relay does not know detections. It forwards everything that could matter in its own account and Region. The
hub decides what it means.
"""

from collections.abc import Sequence

from breakglass import naming
from breakglass.detections.patterns import (
    TRAIL_WRITES,
    WRITE,
    Pattern,
    PatternTooLong,
    Watched,
    about,
    alarm_parts,
    by_session_of,
    by_user,
    changes_user,
    checked,
    either,
    prefixes,
)


def relay_patterns(watched: Watched, account_id: str) -> list[Pattern]:
    """Return the patterns of the relay's rules in `account_id`: all that touches break-glass access.

    An event must be forwarded once, or it would ring twice, so the rules share out the event sources. The
    clause on who did something is in each rule, limited to that rule's sources. One exception is meant: the
    last rule forwards changes to relay rules as well, because a rule that was just disabled forwards nothing.

    Raises:
        PatternTooLong: The names do not fit, however the rules are split.
    """
    anyone, done_to_us = _by_us(watched, account_id), _about_us(watched, account_id)
    groups = _shared_out(anyone, done_to_us)
    elsewhere = [{"anything-but": [source for group in groups for source in group]}]
    last: list[Pattern] = [
        {"source": elsewhere, "detail": anyone},
        {"source": ["aws.events"], "detail": WRITE | about(name=prefixes(naming.RELAY_RULE))},
        {"source": ["aws.account"], "detail-type": ["Region Opt-In Status Change"]},
        {"source": prefixes(naming.OWN_SOURCES)},
    ]
    return [*(_relay_rule(group, anyone, done_to_us) for group in groups), checked(either(last))]


def _by_us(watched: Watched, account_id: str) -> Pattern:
    """Return the `detail` of everything that a user or a session of the role does in `account_id`."""
    role_arn = naming.role_arn(account_id, watched.role_name)
    if account_id != watched.hub_account_id:
        return by_session_of(role_arn)
    return either([by_session_of(role_arn, *watched.user_arns), by_user(watched)])


def _about_us(watched: Watched, account_id: str) -> dict[str, Pattern]:
    """Return, per event source, the `detail` of changes to break-glass access, no matter who makes them."""
    parts = alarm_parts(watched, account_id)
    parts["aws.iam"].append(about(roleName=[watched.role_name]))
    if account_id == watched.hub_account_id:
        parts["aws.iam"] += changes_user(watched)
    return {source: WRITE | either(clauses) for source, clauses in parts.items()} | {
        "aws.signin": either(
            [
                {"eventName": ["ConsoleLogin"], "userIdentity": {"type": ["Root"]}},
                {"additionalEventData": {"SwitchFrom": watched.user_arns}},
            ]
        ),
        "aws.sts": about(roleArn=[naming.role_arn(account_id, watched.role_name)]),
        "aws.cloudtrail": {"eventName": list(TRAIL_WRITES)},
    }


def _relay_rule(sources: Sequence[str], anyone: Pattern, done_to_us: dict[str, Pattern]) -> Pattern:
    """Return the pattern of the rule for `sources`; raises PatternTooLong."""
    by_us: Pattern = {"source": list(sources), "detail": anyone}
    return checked(
        either([by_us, *({"source": [source], "detail": done_to_us[source]} for source in sources)])
    )


def _shared_out(anyone: Pattern, done_to_us: dict[str, Pattern]) -> list[list[str]]:
    """Return the sources in groups, each as large as one rule's pattern can hold; raises PatternTooLong."""
    groups: list[list[str]] = [[]]
    for source in done_to_us:
        try:
            _relay_rule([*groups[-1], source], anyone, done_to_us)
            groups[-1].append(source)
        except PatternTooLong:
            _relay_rule([source], anyone, done_to_us)
            groups.append([source])
    return [group for group in groups if group]
