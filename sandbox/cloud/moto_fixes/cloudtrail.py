"""CloudTrail: what a trail records, and whether anything was delivered."""

import json
from typing import Any

from moto.cloudtrail.models import Trail, TrailStatus
from moto.cloudtrail.responses import CloudTrailResponse

from sandbox.cloud.moto_fixes.replacing import Function, corrects

_DEFAULT_SELECTOR = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


@corrects(Trail, "get_event_selectors")
def get_event_selectors(original: Function, trail: Any) -> tuple[list[Any], list[Any]]:
    """A trail that was given no selectors has AWS's default, and so has each part that was left out.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html
    """
    selectors, advanced = original(trail)
    if not selectors and not advanced:
        selectors = [{}]
    return [_DEFAULT_SELECTOR | selector for selector in selectors], advanced


@corrects(Trail, "put_event_selectors")
def put_event_selectors(
    original: Function, trail: Any, event_selectors: list[Any], advanced_event_selectors: list[Any]
) -> None:
    """Either kind of selector takes the place of the other; moto keeps the advanced ones.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
    """
    original(trail, event_selectors, advanced_event_selectors)
    if event_selectors:
        trail.advanced_event_selectors = []


@corrects(Trail, "description")
def description(original: Function, trail: Any, include_region: bool = False) -> dict[str, Any]:
    """HasCustomEventSelectors and HasInsightSelectors say what was put; moto always says no.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Trail.html
    """
    return original(trail, include_region) | {
        "HasCustomEventSelectors": bool(trail.event_selectors or trail.advanced_event_selectors),
        "HasInsightSelectors": bool(trail.insight_selectors),
    }


@corrects(TrailStatus, "description")
def status(original: Function, trail_status: Any) -> dict[str, Any]:
    """Nothing is delivered to the bucket here, so no delivery has a time; moto says: just now.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
    """
    made_up = {"LatestDeliveryTime", "LatestDeliveryAttemptTime"}
    return {name: value for name, value in original(trail_status).items() if name not in made_up}


@corrects(CloudTrailResponse, "describe_trails")
def describe_trails(original: Function, handler: Any) -> str:
    """DescribeTrails answers the trails that were asked for; moto always answers all.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
    """
    trails = json.loads(original(handler))["trailList"]
    if asked := handler._get_param("trailNameList"):
        trails = [trail for trail in trails if {trail["Name"], trail["TrailARN"]} & {*asked}]
    return json.dumps({"trailList": trails})
