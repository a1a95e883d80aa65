"""The patterns of the relay's rules: everything that touches the users, the role or the alarm path.

A relay does not know detections. It forwards everything that could matter in its own account and Region. The
hub decides what it means.
"""

from collections.abc import Sequence

from breakglass import naming
from breakglass.detections.patterns import (
    REGION_SWITCHED,
    ROOT_SIGN_IN,
    TRAIL_WRITES,
    WRITE,
    Pattern,
    Watched,
    about,
    alarm_parts,
    by_session_of,
    by_user,
    changes_user,
    checked,
    either,
    packed,
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
    role_arn = naming.role_arn(account_id, watched.role_name)
    by_us = by_session_of(role_arn)
    if account_id == watched.hub_account_id:
        by_us = either([by_session_of(role_arn, *watched.user_arns), by_user(watched)])
    about_us = _about_us(watched, account_id)

    def rule(sources: Sequence[str]) -> Pattern:
        done_by_us: Pattern = {"source": list(sources), "detail": by_us}
        return either([done_by_us, *({"source": [source], "detail": about_us[source]} for source in sources)])

    last: list[Pattern] = [
        {"source": [{"anything-but": list(about_us)}], "detail": by_us},
        {"source": ["aws.events"], "detail": WRITE | about(name=prefixes(naming.RELAY_RULE))},
        REGION_SWITCHED,
        {"source": prefixes(naming.OWN_SOURCES)},
    ]
    return [*packed(list(about_us), rule), checked(either(last))]


def _about_us(watched: Watched, account_id: str) -> dict[str, Pattern]:
    """Return, per event source, the `detail` of changes to break-glass access, no matter who makes them."""
    parts = alarm_parts(watched, account_id)
    parts["aws.iam"].append(about(roleName=[watched.role_name]))
    if account_id == watched.hub_account_id:
        parts["aws.iam"] += changes_user(watched)
    return {source: WRITE | either(clauses) for source, clauses in parts.items()} | {
        "aws.signin": either([ROOT_SIGN_IN, {"additionalEventData": {"SwitchFrom": watched.user_arns}}]),
        "aws.sts": about(roleArn=[naming.role_arn(account_id, watched.role_name)]),
        "aws.cloudtrail": TRAIL_WRITES,
    }
