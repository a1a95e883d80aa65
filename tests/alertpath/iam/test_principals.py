"""The caller of a request. Principal elements are tested with the evaluation of whole documents."""

from typing import Any

import pytest

from alertpath.iam.principals import AccessError, Principal

USER = "arn:aws:iam::111111111111:user/Ann"

MISUSE: list[dict[str, Any]] = [
    {},
    {"service": "events.amazonaws.com", "arn": USER},
    {"arn": "Ann"},
    {"arn": "arn:aws:iam::111111111111:user/*"},
]


@pytest.mark.parametrize("misuse", MISUSE)
def test_misuse_is_refused(misuse):
    with pytest.raises(AccessError):
        Principal(**misuse)


def test_a_principal_knows_its_account():
    assert Principal(arn="arn:aws:sts::111111111111:assumed-role/Responder/ann").account == "111111111111"
    assert Principal(service="events.amazonaws.com").account is None
