"""Rules for AWS break-glass access: one module per subject, one function per rule.

The pack is self-contained, because `pulumi policy publish` archives its directory only. What it has to know
of the program (names, accepted grants) comes from the pack configuration: policies/config/<stack>.json.

A rule that has nothing to say about a resource reports "not applicable" instead of passing. Engine 3.259
prints nothing for it, and leaves the rule out of the passed ones in the policy summary events.
"""

from pulumi_policy import Policy

from . import iam_full_access, placement

RULES: list[Policy] = [
    iam_full_access.IAM_FULL_ACCESS,
    iam_full_access.IAM_FULL_ACCESS_ACCEPTED,
    placement.US_EAST_1_PLACEMENT,
    placement.US_EAST_1_ALERTING_PRESENT,
]
"""Every rule of the pack, in the order in which they are registered."""
