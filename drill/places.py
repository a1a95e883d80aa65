"""Regions of accounts, and how they are put in words."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """A Region of an account."""

    account: str
    region: str


def by_account(places: Iterable[Place]) -> dict[str, list[str]]:
    """Return the Regions of each account, in the order of the places."""
    regions: dict[str, list[str]] = {}
    for place in places:
        regions.setdefault(place.account, []).append(place.region)
    return regions


def in_words(places: Iterable[Place]) -> str:
    """Return places in words, such as `111111111111 eu-west-1, us-east-1; 222222222222 us-east-1`."""
    return "; ".join(f"{account} {', '.join(regions)}" for account, regions in by_account(places).items())
