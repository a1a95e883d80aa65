"""Policy documents as pure functions that return plain dictionaries.

Components serialise them with `json.dumps`. Every function takes account ids and names only, so each
document is known at preview and can be tested without Pulumi.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from breakglass import naming

Document = dict[str, Any]

CLI_SIGN_IN_ACTIONS = ("signin:AuthorizeOAuth2Access", "signin:CreateOAuth2Token")
"""What `aws login` calls; both happen before the session could carry an MFA context."""

MFA_ENROLMENT_ACTIONS = (
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
)
"""The actions that AWS's own self-management policy exempts from its MFA requirement
(IAM User Guide, reference_policies_examples_aws_my-sec-creds-self-manage.html)."""


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(
    sid: str,
    *,
    principal: Any = None,
    action: str | list[str],
    resource: str | list[str] | None = None,
    condition: Document | None = None,
) -> Document:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    }
    return {element: value for element, value in statement.items() if value is not None}


def _service(name: str) -> Document:
    return {"Service": f"{name}.amazonaws.com"}


def _account(account_id: str) -> Document:
    return {"AWS": naming.iam_arn(account_id, "root")}


def _from_account(account_id: str) -> Document:
    return {"StringEquals": {"aws:SourceAccount": account_id}}


def assume_role(*, role_name: str, account_ids: Sequence[str] | None) -> Document:
    """Return the user's permission to assume the break-glass role.

    Args:
        role_name: Name of the role; the same in every account.
        account_ids: Accounts whose role may be assumed. None stands for every account: the role's trust
            policy in each of them still decides.
    """
    accounts = ["*"] if account_ids is None else account_ids
    roles = [naming.role_arn(account, role_name) for account in accounts]
    return _document(_allow("AssumeBreakGlassRole", action="sts:AssumeRole", resource=roles))


def cli_sign_in(*, account_id: str) -> Document:
    """Return the permission for `aws login`: command-line credentials of 12 hours without access keys.

    Only the browser on the same machine is allowed. AWS's managed policy SignInLocalDevelopmentAccess also
    allows `oauth2/public-client/remote`, where a code is carried over from another machine: that flow can be
    phished. See https://docs.aws.amazon.com/signin/latest/userguide/command-line-sign-in.html
    """
    client = f"arn:{naming.PARTITION}:signin:*:{account_id}:oauth2/public-client/localhost"
    return _document(_allow("SignInFromThisMachine", action=list(CLI_SIGN_IN_ACTIONS), resource=client))


def require_mfa(*, enrolment_open: bool) -> Document:
    """Return the denial of everything without MFA.

    `BoolIfExists` and not `Bool`: a request signed with a long-term access key carries no MFA context at
    all and must be denied as well
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html).

    Args:
        enrolment_open: Whether the user may enrol an MFA device of its own before it has one. Whoever holds
            the password could then do it first, so it stays False outside of set-up.
    """
    exempt = CLI_SIGN_IN_ACTIONS + (MFA_ENROLMENT_ACTIONS if enrolment_open else ())
    return _document(
        {
            "Sid": "DenyEverythingWithoutMfa",
            "Effect": "Deny",
            "NotAction": list(exempt),
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        }
    )


def mfa_enrolment(*, account_id: str) -> Document:
    """Return the user's permission to enrol MFA devices of its own; attached only while enrolment is open."""
    own_devices = [
        "iam:EnableMFADevice",
        "iam:GetMFADevice",
        "iam:GetUser",
        "iam:ListMFADevices",
        "iam:ResyncMFADevice",
    ]
    own_user, virtual = naming.user_arn(account_id, "${aws:username}"), naming.iam_arn(account_id, "mfa/*")
    return _document(
        _allow("EnrolOwnDevices", action=own_devices, resource=own_user),
        _allow("CreateVirtualDevice", action="iam:CreateVirtualMFADevice", resource=virtual),
        # IAM knows no resource for this action: with an ARN it would never match.
        _allow("ListVirtualDevices", action="iam:ListVirtualMFADevices", resource="*"),
    )


def role_trust(*, user_account_id: str, user_names: Sequence[str], mfa_max_age: int) -> Document:
    """Return who may assume the break-glass role: the named users, with a recent MFA sign-in.

    The principal is the account, narrowed by `aws:PrincipalArn`: a bare user ARN is stored as the user's
    unique id, and every role would break when the user is deleted and created again
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).

    Args:
        user_account_id: Account that holds the users.
        user_names: The users, in the exact case of their names.
        mfa_max_age: Seconds since the MFA sign-in after which the role can no longer be assumed.
    """
    users = [naming.user_arn(user_account_id, name) for name in user_names]
    recent_sign_in = {
        "ArnEquals": {"aws:PrincipalArn": users},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "NumericLessThanEquals": {"aws:MultiFactorAuthAge": str(mfa_max_age)},
    }
    return _trust("BreakGlassUserWithMfa", _account(user_account_id), recent_sign_in)


def hub_key(*, account_id: str) -> Document:
    """Return the policy of the key that encrypts the hub's topic.

    EventBridge sends none of aws:SourceAccount, aws:SourceArn and aws:SourceOrgID to KMS: with any of them
    in its statement every alert would be lost without an error
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html). Alarms do not use this topic.
    """
    encrypt = ["kms:GenerateDataKey*", "kms:Decrypt"]
    return _document(
        _allow("AccountAdministersTheKey", principal=_account(account_id), action="kms:*", resource="*"),
        _allow("EventBridgeEncryptsAlerts", principal=_service("events"), action=encrypt, resource="*"),
    )


def alert_topic(*, account_id: str, region: str, name: str) -> Document:
    """Return the policy of a topic for alerts: EventBridge may publish, nobody else is named.

    Without a condition: two AWS pages disagree whether EventBridge sends aws:SourceAccount here, and a
    mistake would silence every alert
    (https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html and
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html).
    """
    return _document(_rules_publish(naming.topic_arn(account_id, region, name)))


def alarms_topic(
    *,
    account_id: str,
    region: str,
    name: str,
    account_ids: Sequence[str],
    organization_id: str | None,
    for_rules: bool,
) -> Document:
    """Return the policy of a topic for alarms: CloudWatch may publish for alarms of the accounts that relay.

    CloudWatch does send the alarm's account
    (https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html).

    Args:
        account_id: Account of the topic.
        region: Its Region, and so that of the alarms: an alarm notifies topics of its own Region only.
        name: Its name.
        account_ids: Accounts whose alarms may use it.
        organization_id: Organisation whose accounts may all use it, if any. This is a statement of its own,
            because that CloudWatch sends aws:SourceOrgID rests on practitioners' reports alone.
        for_rules: Whether a rule publishes as well: key-change, so that it needs no key and no role.
    """
    topic = naming.topic_arn(account_id, region, name)
    publish = partial(_allow, principal=_service("cloudwatch"), action="sns:Publish", resource=topic)
    here = {"StringEquals": {"aws:SourceAccount": list(account_ids)}}
    statements = [publish("AlarmsPublish", condition=here)]
    if organization_id is not None:
        of_organization = {"StringEquals": {"aws:SourceOrgID": organization_id}}
        statements.append(publish("AlarmsOfTheOrganizationPublish", condition=of_organization))
    if for_rules:
        statements.append(_rules_publish(topic))
    return _document(*statements)


def _rules_publish(topic: str) -> Document:
    return _allow("RulesPublish", principal=_service("events"), action="sns:Publish", resource=topic)


def dead_letter_queue(*, account_id: str, region: str, name: str, rules: Sequence[str]) -> Document:
    """Return the policy of a dead-letter queue: our own rules may put what they could not deliver.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html

    Args:
        account_id: Account of queue and rules.
        region: Their Region: EventBridge takes no queue of another one.
        name: Name of the queue.
        rules: Names of the rules; `BUS/NAME` for a rule on another than the default bus, `*` at the end.
    """
    sources = [naming.rule_arn(account_id, region, rule) for rule in rules]
    return _document(
        _allow(
            "RulesKeepWhatTheyCouldNotDeliver",
            principal=_service("events"),
            action="sqs:SendMessage",
            resource=naming.queue_arn(account_id, region, name),
            condition={"ArnLike": {"aws:SourceArn": sources}},
        )
    )


def drill_queue(*, account_id: str, region: str, name: str, topic: str) -> Document:
    """Return the policy of a drill queue: our topic may put what it sends to people, nobody else.

    See https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
    """
    return _document(
        _allow(
            "TopicShowsWhatItSends",
            principal=_service("sns"),
            action="sqs:SendMessage",
            resource=naming.queue_arn(account_id, region, name),
            condition={"ArnEquals": {"aws:SourceArn": naming.topic_arn(account_id, region, topic)}},
        )
    )


def bus(*, bus_arn: str, account_ids: Sequence[str], organization_id: str | None) -> Document:
    """Return the policy of a bus that relays forward to: the accounts' relays may put events on it.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html. A bus policy holds
    10,240 characters: about 200 accounts. There is no condition on the relay's role: that one works with
    EventBridge's own calls is not documented, and a mistake would break both ways at once.

    Args:
        bus_arn: ARN of the bus.
        account_ids: Accounts whose relays may put events.
        organization_id: Organisation whose accounts may all put events, if any.
    """
    put = partial(_allow, action="events:PutEvents", resource=bus_arn)
    accounts = [naming.iam_arn(account, "root") for account in account_ids]
    statements = [put("RelaysOfListedAccounts", principal={"AWS": accounts})]
    if organization_id is not None:
        of_organization = {"StringEquals": {"aws:PrincipalOrgID": organization_id}}
        statements.append(put("RelaysOfTheOrganization", principal="*", condition=of_organization))
    return _document(*statements)


def log_group(*, group_arn: str, rules: Sequence[str]) -> Document:
    """Return the resource policy of a log group: our rules may write to it, through no role.

    As in AWS's own example, only PutLogEvents carries a condition
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html).

    Args:
        group_arn: ARN of the log group.
        rules: ARNs of the rules; `*` at the end.
    """
    writers = {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]}
    ours = {"ArnLike": {"aws:SourceArn": list(rules)}}
    write = partial(_allow, principal=writers, resource=f"{group_arn}:*")
    return _document(
        write("RulesOpenStreams", action="logs:CreateLogStream"),
        write("RulesRecord", action="logs:PutLogEvents", condition=ours),
    )


def relay_trust(*, account_id: str, rules: Sequence[str]) -> Document:
    """Return who may use a relay's role: EventBridge, for our rules, and for none of the other way.

    One pattern for all Regions: a list of them would not fit into a trust policy. See
    https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html

    Args:
        account_id: Account of role and rules.
        rules: ARNs of the rules; Region and end may be `*`.
    """
    return _service_trust("events", account_id, list(rules))


def relay_permission(*, bus_arn: str) -> Document:
    """Return what a relay's role may do: put events on exactly one bus."""
    return _document(_allow("Forward", action="events:PutEvents", resource=bus_arn))


def heartbeat_trust(*, account_id: str) -> Document:
    """Return who may use the heartbeat's role: EventBridge Scheduler, for schedules of our groups.

    The ARN must be that of the group: Scheduler sends nothing narrower
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html).
    """
    return _service_trust("scheduler", account_id, naming.schedule_group_arn(account_id, "*"))


def heartbeat_permission(*, account_id: str) -> Document:
    """Return what the heartbeat's role may do: tag the first relay rule of each Region, and keep failures."""
    rule = naming.rule_arn(account_id, "*", naming.HUB.relay_rule)
    queue = naming.queue_arn(account_id, "*", naming.RELAY_QUEUE)
    return _document(
        _allow("Beat", action="events:TagResource", resource=rule),
        _allow("KeepWhatFailed", action="sqs:SendMessage", resource=queue),
    )


def _service_trust(service: str, account_id: str, source_arn: str | list[str]) -> Document:
    ours = _from_account(account_id) | {"ArnLike": {"aws:SourceArn": source_arn}}
    return _trust("OurOwnResourcesOnly", _service(service), ours)


def _trust(sid: str, principal: Document, condition: Document) -> Document:
    return _document(_allow(sid, principal=principal, action="sts:AssumeRole", condition=condition))
