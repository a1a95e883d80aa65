"""The program: read the stack's settings, create the components they list, export what people look up."""

import gc
from collections.abc import Iterator, Mapping, Sequence

import pulumi
import pulumi_aws as aws

from breakglass import naming
from breakglass.naming import Way
from breakglass.settings import reading
from breakglass.settings.model import AlertsSettings, Settings
from components.alerts import BreakGlassAlerts, BreakGlassAlertsArgs
from components.place import PlaceArgs
from components.relay import BreakGlassRelay, BreakGlassRelayArgs
from components.role import BreakGlassRole, BreakGlassRoleArgs
from components.user import BreakGlassUser, BreakGlassUserArgs
from components.watchdog import BreakGlassWatchdog


def enabled_regions(provider: aws.Provider, config: Settings) -> Sequence[str]:
    """Return the Regions that the account has enabled, as AWS says.

    Raises:
        pulumi.RunError: It does not say, most likely because the credentials are of another account. This
            is the first call to AWS; the language host prints the message and no traceback.
    """
    try:
        return aws.get_regions(opts=pulumi.InvokeOptions(provider=provider)).names
    except Exception as error:
        raise pulumi.RunError(
            f"stack {pulumi.get_stack()} is for account {config.account_id}, whose enabled Regions AWS did "
            f"not list; the credentials must be of that account:\n  {_answer(error)}"
        ) from error


def not_there(provider: aws.Provider, config: Settings, enabled: Sequence[str]) -> Iterator[str]:
    """Yield a problem for each Region and policy in the settings that AWS does not have for the account.

    The deployment would fail at it half-way.
    """
    listed = (config.relay.regions or ()) if config.relay is not None else ()
    for index, region in enumerate(listed):
        if region not in enabled:
            yield (
                f"breakglass:relay.regions[{index}]: found {region}, must be a Region that account "
                f"{config.account_id} has enabled: `aws account enable-region --region-name {region}`"
            )
    named: dict[str, str] = {}
    for block in ("user", "role"):
        if block in config.components:
            arns = getattr(config, block).managed_policy_arns
            named |= {f"{block}.managedPolicyArns[{index}]": arn for index, arn in enumerate(arns)}
    if "role" in config.components and config.role.permissions_boundary_arn is not None:
        named["role.permissionsBoundaryArn"] = config.role.permissions_boundary_arn
    for key, arn in named.items():
        try:
            aws.iam.get_policy(arn=arn, opts=pulumi.InvokeOptions(provider=provider))
        except Exception as error:
            yield f"breakglass:{key}: found {arn}, must be a policy that exists. AWS: {_answer(error)}"


def _answer(error: Exception) -> str:
    """Return what AWS answered, without the provider's words around it."""
    return " ".join(str(error).rsplit("returned an error: ", 1)[-1].split())


def places(config: Settings, alerts: AlertsSettings, *, own_regions: int) -> Mapping[Way, PlaceArgs]:
    """Return what hub and watchdog are made from, given the number of Regions with a relay here."""
    recipients = {naming.HUB: alerts.subscriptions, naming.WATCHDOG: config.watchdog.subscriptions}
    return {
        way: PlaceArgs(
            watched=config.watched,
            recipients=recipients[way],
            other_recipients=recipients[other],
            account_ids=config.relaying_accounts,
            organization_id=alerts.organization_id,
            expected_heartbeats=alerts.heartbeats(own_regions=own_regions),
            runbook_url=alerts.runbook_url,
        )
        for way, other in (naming.WAYS, naming.WAYS[::-1])
    }


def main() -> None:
    """Create what `breakglass:components` lists, with one provider pinned to the stack's account."""
    # This is a short program with little garbage. With Python's default of 700 objects, the collector walks
    # over everything imported again and again: an eighth of the program's CPU time.
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
    # What only AWS knows is asked before the first resource is registered.
    enabled = enabled_regions(provider, config)
    if problems := [*not_there(provider, config, enabled)]:
        raise reading.SettingsError(problems)
    regions: list[str] = [] if config.relay is None else config.relay.covered(enabled)

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
    buses: list[pulumi.Resource] = []
    if config.alerts is not None:
        made_from = places(config, config.alerts, own_regions=len(regions))
        if "watchdog" in config.components:
            watchdog = BreakGlassWatchdog("break-glass-watchdog", made_from[naming.WATCHDOG], opts)
            pulumi.export("watchdogTopicArn", watchdog.topic_arn)
            pulumi.export("watchdogBusArn", watchdog.bus_arn)
            buses += [watchdog.place.bus, watchdog.place.bus_policy]
        if "alerts" in config.components:
            alerts = BreakGlassAlerts(
                "break-glass-alerts",
                BreakGlassAlertsArgs(
                    place=made_from[naming.HUB],
                    audit_retention_days=config.alerts.audit_retention_days,
                    audit_log_protected=config.alerts.audit_log_protected,
                ),
                opts,
            )
            pulumi.export("alertTopicArn", alerts.topic_arn)
            pulumi.export("hubBusArn", alerts.bus_arn)
            buses += [alerts.place.bus, alerts.place.bus_policy]
    if config.relay is not None:
        BreakGlassRelay(
            "break-glass-relay",
            BreakGlassRelayArgs(
                account_id=config.account_id,
                regions=regions,
                watched=config.watched,
                dead_letter_alarm=config.relay.dead_letter_alarm,
                depends_on=buses,
            ),
            opts,
        )
        pulumi.export("coveredRegions", regions)
        pulumi.export("uncoveredRegions", list(config.relay.exclude_regions))


main()
