"""List prices of AWS in us-east-1, in US dollars, without free allowances.

How sure each is: `aws page` was read on a stored copy of the AWS page named; `repeated` was read in other
texts that repeat AWS's list (articles, or a dump of AWS's price list of October 2025); `memory` was not found
in writing. Before relying on one, look at its page.
"""

from typing import Literal, NamedTuple

LOOKED_UP = "2026-11"
"""In stored copies, which are older: undated pages of AWS, articles of 2026, the dump of 2025."""

EVENTBRIDGE = "https://aws.amazon.com/eventbridge/pricing/"
KMS = "https://aws.amazon.com/kms/pricing/"
CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
SNS = "https://aws.amazon.com/sns/pricing/"
SQS = "https://aws.amazon.com/sqs/pricing/"
TRANSFER = "https://aws.amazon.com/ec2/pricing/on-demand/"

MILLION = 1_000_000


class Price(NamedTuple):
    """What `per` of `unit` cost; `page` is where AWS states it today."""

    usd: float
    per: int
    unit: str
    page: str
    known_from: Literal["aws page", "repeated", "memory"]

    def of(self, quantity: float) -> float:
        return quantity * self.usd / self.per


PRICES = {
    "key": Price(1.00, 1, "key-month", KMS, "aws page"),
    # Each of the first two yearly rotations; that AWS stopped there in 2024 says
    # https://aws.amazon.com/blogs/security/the-curious-case-of-faster-aws-kms-symmetric-key-rotation/
    "rotated key": Price(1.00, 1, "rotation-month", KMS, "aws page"),
    "KMS requests": Price(0.03, 10_000, "requests", KMS, "repeated"),  # 20,000 a month are free
    "alarms": Price(0.10, 1, "alarm-month", CLOUDWATCH, "repeated"),  # standard resolution; 10 are free
    "log ingestion": Price(0.50, 1, "GB", CLOUDWATCH, "repeated"),  # 5 GB a month are free
    "log storage": Price(0.03, 1, "GB-month", CLOUDWATCH, "repeated"),  # counted uncompressed
    "AWS events": Price(0.00, MILLION, "events", EVENTBRIDGE, "aws page"),  # on the default bus
    # AWS's own to another account; assumed to be the most for the rest. The sender pays:
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
    "events sent on": Price(1.00, MILLION, "events", EVENTBRIDGE, "repeated"),
    "archive ingestion": Price(0.10, 1, "GB", EVENTBRIDGE, "repeated"),
    "archive storage": Price(0.023, 1, "GB-month", EVENTBRIDGE, "repeated"),
    "scheduler": Price(1.00, MILLION, "invocations", EVENTBRIDGE, "repeated"),  # 14 million a month are free
    "SNS publishes": Price(0.50, MILLION, "requests", SNS, "repeated"),  # 1 million a month are free
    "SNS e-mail": Price(2.00, 100_000, "deliveries", SNS, "repeated"),  # 1,000 a month are free
    "SNS https": Price(0.06, 100_000, "deliveries", SNS, "repeated"),  # 100,000 a month are free
    "SQS requests": Price(0.40, MILLION, "requests", SQS, "repeated"),  # 1 million a month are free
    "data between Regions": Price(0.02, 1, "GB", TRANSFER, "memory"),  # dearer from some Regions
}
