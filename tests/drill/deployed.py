"""Both stacks deployed into an emulated AWS without the engine: what is rendered is created through boto3."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, ClassVar

import boto3
import botocore.session

from alertpath.model import UNKNOWN, Resource
from drill import stacks
from drill.account import Account
from drill.check import rendered
from sandbox.cloud import emulation
from sandbox.provider.resources import RESOURCES

REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
KEY = "aws:kms/key:Key"


@contextmanager
def running() -> Iterator[str]:
    """Run an emulated AWS whose accounts have `REGIONS` enabled, with both stacks in it; yields its URL."""
    with emulation.running(REGIONS) as endpoint:
        for stack in stacks.load():
            deploy(stack, emulation.signed_in(stack.account_id, endpoint))
        yield endpoint


def deploy(stack: stacks.Stack, account: emulation.Account) -> None:
    """Create what the stack renders; the key first, because others are made of its id."""
    key: dict[str, str] = {}
    for found in rendered.render(stack, enabled_regions=REGIONS, key=key):
        if found.type != KEY:
            continue
        client = account.client("kms", found.home[1])
        key_id = RESOURCES[KEY].create(client, inputs(found))
        key = {"keyId": key_id, "arn": client.describe_key(KeyId=key_id)["KeyMetadata"]["Arn"]}
    for resource in rendered.render(stack, enabled_regions=REGIONS, key=key):
        if resource.type != KEY:
            kind = RESOURCES[resource.type]
            created = inputs(resource)
            assert UNKNOWN not in created.values(), created
            if resource.type.endswith(":QueuePolicy"):
                sqs = account.client("sqs", resource.home[1])
                name = created["queueUrl"].rsplit("/", 1)[-1]
                created["queueUrl"] = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            kind.create(account.client(kind.service, resource.home[1]), created)


def inputs(resource: Resource) -> dict[str, Any]:
    return {name: _whole(value) for name, value in resource.properties.items() if name != "region"}


def _whole(value: Any) -> Any:
    """Return a value with whole numbers as int, as the engine hands them to a provider."""
    if isinstance(value, dict):
        return {name: _whole(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def account(account_id: str, endpoint: str) -> Account:
    """Return an account whose clients are the caller's own: handlers may be put on them."""
    return Account(account_id, _Session(account_id, endpoint))


def shared_account(account_id: str, endpoint: str) -> Account:
    """Return an account with the clients of all tests; `interrupted` changes what they are answered."""
    return Account(account_id, _shared_session(account_id, endpoint))


@contextmanager
def interrupted(emit: Callable[..., Any]) -> Iterator[None]:
    """Have `emit(event, **details)` see every call of the shared accounts, before and after AWS answers."""
    _Shared.emit = emit
    yield
    _Shared.emit = None


class _Session(boto3.Session):
    """Reads the models of AWS's services once for all sessions: they are the same for every account."""

    def __init__(self, account_id: str, endpoint: str) -> None:
        core = botocore.session.get_session()
        core.register_component("data_loader", _MODELS)
        super().__init__(**credentials(account_id, endpoint), botocore_session=core)


class _Shared(_Session):
    """Makes each client once: that takes longer than all that most tests ask of it."""

    emit: ClassVar[Callable[..., Any] | None] = None

    def __init__(self, account_id: str, endpoint: str) -> None:
        super().__init__(account_id, endpoint)
        self._clients: dict[tuple[str, str], Any] = {}
        for event in ("before-call", "after-call"):
            self.events.register(event, partial(self._emit, event))

    def client(self, *service: Any, **where: Any) -> Any:
        key = (*service, where["region_name"])
        if key not in self._clients:
            self._clients[key] = super().client(*service, **where)
        return self._clients[key]

    @staticmethod
    def _emit(event: str, **details: Any) -> Any:
        return None if _Shared.emit is None else _Shared.emit(event, **details)


_shared_session = cache(_Shared)
credentials = cache(emulation.account_credentials)
_MODELS = botocore.session.get_session().get_component("data_loader")
