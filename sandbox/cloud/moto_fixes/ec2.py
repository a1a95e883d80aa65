"""EC2: the enabled Regions."""

from typing import Any

from moto.ec2.models.availability_zones_and_regions import Region, RegionsAndZonesBackend

from sandbox.cloud import emulation
from sandbox.cloud.moto_fixes.replacing import Function, corrects


@corrects(RegionsAndZonesBackend, "describe_regions")
def describe_regions(
    _original: Function, backend: Any, region_names: list[str] | None = None
) -> list[Region]:
    """DescribeRegions answers the Regions that are enabled; moto calls every Region there is enabled.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
    """
    return [
        Region(name, f"ec2.{name}.amazonaws.com", "opt-in-not-required")
        for name in emulation.enabled_regions(backend.account_id)
        if not region_names or name in region_names
    ]
