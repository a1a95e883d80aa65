"""The patterns of the relays' rules: everything that touches the users, the role or the alarm.

A relay does not know detections. It forwards everything that could matter in its own account and Region. The
hub and its watchdog, to which the same is forwarded, decide what it means.
"""

from collections.abc import Sequence
from typing import Any

from breakglass import naming
from breakglass.detections.patterns import (
    ORGANIZATION_WRITES,
    REGION_SWITCHED,
    ROOT_SIGN_IN,
    TRAIL_WRITES,
    WRITE,
    Pattern,
    Watched,
    about,
    alarm_parts,
    any_case,
    by_session_of,
    by_user,
    changes_user,
    either,
    heartbeat_by,
    packed,
    prefixes,
)


def relay_patterns(watched: Watched, account_id: str) -> list[Pattern]:
    """Return the patterns of each relay's rules in `account_id`: all that touches break-glass access.

    An event must be forwarded once, or it would ring twice, so the rules share out the event sources.

    Raises:
        PatternTooLong: The names do not fit, however the rules are split.
    """
    role_arn = naming.role_arn(account_id, watched.role_name)
    by_us = by_session_of(role_arn)
    if account_id == watched.hub_account_id:
        by_us = either([by_session_of(role_arn, *watched.user_arns), by_user(watched)])
    about_us = _about_us(watched, account_id)
    others = [REGION_SWITCHED, {"source": prefixes(naming.OWN_SOURCES)}]

    def rule(sources: Sequence[str]) -> Pattern:
        """Return the pattern of a rule for some sources; "" stands for all that `about_us` does not name."""
        named = [source for source in sources if source]
        of_us: list[Any] = [*named, *([{"anything-but": list(about_us)}] if "" in sources else [])]
        return either(
            [
                {"source": of_us, "detail": by_us},
                *({"source": [source], "detail": about_us[source]} for source in named),
                *(others if "" in sources else ()),
            ]
        )

    return packed([*about_us, ""], rule)


def _about_us(watched: Watched, account_id: str) -> dict[str, Pattern]:
    """Return, per event source, the `detail` of changes to break-glass access, no matter who makes them."""
    parts = alarm_parts(watched, account_id)
    parts["aws.iam"].append(about(roleName=any_case(watched.role_name)))
    if account_id == watched.hub_account_id:
        parts["aws.iam"] += changes_user(watched)
    heartbeat = naming.role_arn(account_id, naming.HEARTBEAT_ROLE)
    changes = {source: WRITE | either(clauses) for source, clauses in parts.items()}
    return changes | {
        "aws.events": either([changes["aws.events"], heartbeat_by(heartbeat)]),
        "aws.signin": either([ROOT_SIGN_IN, {"additionalEventData": {"SwitchFrom": watched.user_arns}}]),
        "aws.sts": about(roleArn=[naming.role_arn(account_id, watched.role_name), heartbeat]),
        "aws.cloudtrail": TRAIL_WRITES,
        "aws.organizations": ORGANIZATION_WRITES,
    }
