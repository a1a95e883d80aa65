"""The program: read the stack's settings, create the components they list, export what people look up."""

import pulumi
import pulumi_aws as aws

from breakglass import naming
from breakglass.settings import reading
from breakglass.settings.reading import RelaySettings
from components.alerts import BreakGlassAlerts
from components.relay import BreakGlassRelay
from components.role import BreakGlassRole
from components.user import BreakGlassUser


def main() -> None:
    """Create what `breakglass:components` lists, with one provider pinned to the stack's account."""
    config = reading.load()
    # The wrong account is the worst mistake here, so the provider refuses any other, and the default
    # provider (ambient credentials) is disabled in Pulumi.yaml.
    provider = aws.Provider(
        "aws",
        region=naming.HOME_REGION,
        allowed_account_ids=[config.account_id],
        default_tags={"tags": {"breakglass": pulumi.get_stack()}},
    )
    opts = pulumi.ResourceOptions(provider=provider)
    regions = [] if config.relay is None else covered_regions(config.relay, provider)

    if "user" in config.components:
        user = BreakGlassUser(
            "break-glass-user",
            config.user,
            account_id=config.account_id,
            role_name=config.role.name,
            opts=opts,
        )
        pulumi.export("userArns", user.user_arns)
    if "role" in config.components:
        role = BreakGlassRole(
            "break-glass-role",
            config.role,
            user_account_id=config.hub_account_id,
            user_names=config.user.names,
            opts=opts,
        )
        pulumi.export("roleArn", role.role_arn)
    if config.alerts is not None:
        alerts = BreakGlassAlerts(
            "break-glass-alerts",
            config.alerts,
            watched=config.watched,
            expected_heartbeats=config.alerts.heartbeats(own_regions=len(regions)),
            opts=opts,
        )
        pulumi.export("alertTopicArn", alerts.topic_arn)
        pulumi.export("hubBusArn", alerts.bus_arn)
    if config.relay is not None:
        BreakGlassRelay(
            "break-glass-relay",
            account_id=config.account_id,
            regions=regions,
            hubs=config.relay.hubs,
            watched=config.watched,
            opts=opts,
        )
        pulumi.export("coveredRegions", regions)
        pulumi.export("uncoveredRegions", list(config.relay.exclude_regions))


def covered_regions(relay: RelaySettings, provider: aws.Provider) -> list[str]:
    """Return the Regions that get a relay: those listed, or all that the account has enabled but excluded."""
    if relay.regions is not None:
        return sorted(relay.regions)
    enabled = aws.get_regions(opts=pulumi.InvokeOptions(provider=provider)).names
    return sorted(set(enabled) - set(relay.exclude_regions))


main()
