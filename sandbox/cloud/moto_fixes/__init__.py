"""Where moto answers otherwise than AWS, in ways that would deceive a reader, and what it answers here.

A tool that reads live accounts must be able to run against the sandbox without knowing that it is one. So
what it reads is what AWS would answer, or a refusal; never what moto made up. There is a file per service,
and in it a function per answer that names what AWS does; `unimplemented` refuses what moto does not have.
`ec2` is imported when EC2 is first asked (`replacing.LATE`): with it the server would start in twice the time.
"""

from sandbox.cloud.moto_fixes import (
    cloudtrail,
    cloudwatch,
    events,
    iam,
    logs,
    organizations,
    scheduler,
    sns,
    unimplemented,
)
from sandbox.cloud.moto_fixes.events import Post
from sandbox.cloud.moto_fixes.replacing import REGISTERED, replace

__all__ = [
    "Post", "apply", "cloudtrail", "cloudwatch", "events", "iam", "logs", "organizations",
    "scheduler", "sns", "unimplemented",
]  # fmt: skip


def apply(post: Post) -> None:
    """Correct moto in this process, before its server starts.

    Args:
        post: Takes the ARN of a bus and an event that was put on it; delivering is not moto's business here.

    Raises:
        RuntimeError: The installed moto lacks a method to correct, or is corrected already.
    """
    for correction in [*REGISTERED, events.putting(post)]:
        replace(correction)
