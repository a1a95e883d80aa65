"""The program: read the stack's settings, create the components they list, export what people look up."""

import gc

import pulumi
import pulumi_aws as aws

from breakglass import naming
from breakglass.settings import reading
from breakglass.settings.model import AlertsSettings, RelaySettings
from components.alerts import BreakGlassAlerts, BreakGlassAlertsArgs
from components.relay import BreakGlassRelay, BreakGlassRelayArgs
from components.role import BreakGlassRole, BreakGlassRoleArgs
from components.user import BreakGlassUser, BreakGlassUserArgs


def main() -> None:
    """Create what `breakglass:components` lists, with one provider pinned to the stack's account."""
    # A short program with little garbage: with Python's default of 700 the collector walks over all that is
    # imported again and again, for a third of the time that the resources take here.
    gc.set_threshold(50_000)
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
    asking = pulumi.InvokeOptions(provider=provider)

    if "user" in config.components:
        user = BreakGlassUser(
            "break-glass-user",
            BreakGlassUserArgs(
                settings=config.user, account_id=config.account_id, role_name=config.role.name
            ),
            opts,
        )
        pulumi.export("userArns", user.user_arns)
    if "role" in config.components:
        role = BreakGlassRole(
            "break-glass-role",
            BreakGlassRoleArgs(
                settings=config.role,
                user_account_id=config.hub_account_id,
                user_names=config.user.names,
            ),
            opts,
        )
        pulumi.export("roleArn", role.role_arn)
    if config.alerts is not None:
        alerts = BreakGlassAlerts(
            "break-glass-alerts",
            BreakGlassAlertsArgs(
                settings=config.alerts,
                watched=config.watched,
                expected_heartbeats=_expected_heartbeats(config.alerts, config.relay, asking),
            ),
            opts,
        )
        pulumi.export("alertTopicArn", alerts.topic_arn)
        pulumi.export("hubBusArn", alerts.bus_arn)
    if config.relay is not None:
        # This waits for AWS's answer, so it comes last.
        enabled = aws.get_regions(opts=asking).names if config.relay.regions is None else ()
        regions = config.relay.covered(enabled)
        BreakGlassRelay(
            "break-glass-relay",
            BreakGlassRelayArgs(
                account_id=config.account_id,
                regions=regions,
                hubs=config.relay.hubs,
                watched=config.watched,
            ),
            opts,
        )
        pulumi.export("coveredRegions", regions)
        pulumi.export("uncoveredRegions", list(config.relay.exclude_regions))


def _expected_heartbeats(
    alerts: AlertsSettings, relay: RelaySettings | None, asking: pulumi.InvokeOptions
) -> pulumi.Input[int]:
    """Return how many heartbeats a day must bring, without waiting for AWS's answer on the Regions."""
    if relay is None:
        return alerts.heartbeats(own_regions=0)
    if relay.regions is not None:
        return alerts.heartbeats(own_regions=len(relay.regions))
    enabled = aws.get_regions_output(opts=asking).names
    return enabled.apply(lambda names: alerts.heartbeats(own_regions=len(relay.covered(names))))


main()
