"""The emulated `aws` provider plugin: Pulumi's provider protocol in front of the emulated AWS.

It replaces the real plugin, so it is as strict as that one: a property that pulumi-aws does not have
is refused, and so is every account that `allowedAccountIds` does not list. It is stricter where it must be:
a type or property that it does not emulate can be previewed, so that policies judge it, but not created.
"""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from importlib.metadata import version
from typing import Any

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from sandbox.cloud import emulation
from sandbox.engine.parent import end_with_parent
from sandbox.provider import sdk
from sandbox.provider.resources import RESOURCES, Props, Resource, is_gone

PINNED_ACCOUNT_VARIABLE = "SANDBOX_ACCOUNT"
PROVIDER_INPUTS = frozenset(
    {"region", "allowedAccountIds", "defaultTags", "skipCredentialsValidation", "skipRegionValidation"}
)
"""The two `skip…` settings are defaults of the SDK; the emulated AWS has nothing that they could skip."""

GET_REGIONS = "aws:index/getRegions:getRegions"
GET_POLICY = "aws:iam/getPolicy:getPolicy"

_KINDS = provider_pb2.PropertyDiff
_CHANGES = {False: provider_pb2.DiffResponse.DIFF_NONE, True: provider_pb2.DiffResponse.DIFF_SOME}


class Refused(RuntimeError):
    """The emulated provider does not do this; the message says what and why."""


def stack_account(urn: str) -> str:
    """Return the account whose credentials a command on the stack of `urn` uses.

    That is the stack's own account, or the one that `SANDBOX_ACCOUNT` pins. For a stack of another project it
    is that of `AWS_PROFILE`, the hub's.
    """
    if pinned := os.environ.get(PINNED_ACCOUNT_VARIABLE):
        return pinned
    stack = urn.split("::")[0].rsplit(":", 1)[-1]
    accounts = json.loads(os.environ[emulation.ACCOUNTS_VARIABLE])
    return accounts.get(stack) or next(iter(accounts.values()))


def check(token: str, inputs: Props) -> list[tuple[str, str]]:
    """Return what pulumi-aws would refuse of a resource's inputs, as pairs of property and reason.

    Raises:
        Refused: pulumi-aws has no such type.
    """
    try:
        real = sdk.python_names(token)
    except KeyError as error:
        raise Refused(f"pulumi-aws has no type {token}") from error
    wrong = [name for name in inputs if name not in real and not name.startswith("__")]
    return [(name, f"pulumi-aws has no property {name!r} on {token}") for name in wrong]


def emulated(token: str) -> Resource:
    """Return what emulates a type; raise `Refused` if nothing does."""
    if token not in RESOURCES:
        raise Refused(
            f"the sandbox does not emulate {token}, so it can only be previewed. It offers: "
            f"{', '.join(sorted(RESOURCES))}. See sandbox/provider/resources/"
        )
    return RESOURCES[token]


def refuse_what_is_not_emulated(token: str, inputs: Props) -> None:
    """Raise `Refused` for a type, or a property of one, that exists in previews only."""
    kind = emulated(token)
    offered = kind.inputs | {"tags"} | ({"region"} if kind.regional else set())
    ignored = sorted(name for name in inputs if name not in offered and not name.startswith("__"))
    if ignored:
        raise Refused(f"the sandbox does not emulate {', '.join(ignored)} of {token}")
    if "name" in kind.inputs and not inputs.get("name"):
        raise Refused(f"the sandbox does not make up names: give {token} a name")


def invoked(token: str, arguments: Props, account_id: str, account: Callable[[], emulation.Account]) -> Props:
    """Return the answer of a function about an account.

    Raises:
        Refused: The sandbox does not emulate the function, or an argument; or there is no such policy.
    """
    offered = {GET_REGIONS: set[str](), GET_POLICY: {"arn"}}
    if token not in offered:
        raise Refused(f"the sandbox does not emulate the function {token}: only {', '.join(offered)}")
    given = {name: value for name, value in arguments.items() if value is not None}
    if ignored := sorted(given.keys() - offered[token]):
        raise Refused(f"the sandbox does not emulate {', '.join(ignored)} of {token}")
    if token == GET_REGIONS:
        return {"id": "aws", "names": emulation.enabled_regions(account_id)}
    arn = given["arn"]
    try:
        policy = account().client("iam", "us-east-1").get_policy(PolicyArn=arn)["Policy"]
    except ClientError as error:
        if not is_gone(error):
            raise
        known = "the policies of AWS that moto lists" if ":aws:policy/" in arn else "sandbox:policies"
        raise Refused(f"there is no policy {arn}: the sandbox knows {known}") from error
    return {"id": arn, "arn": arn, "name": policy["PolicyName"], "path": policy["Path"]}


def difference(kind: Resource, old: Props, new: Props) -> dict[str, str]:
    """Return the changed inputs, each with the name of its Pulumi property-diff kind."""
    replacing = kind.replace_on | ({"region"} if kind.regional else frozenset())
    changed = {}
    for name in sorted(old.keys() | new.keys()):
        if name.startswith("__") or _same(old.get(name), new.get(name)):
            continue
        verb = "ADD" if name not in old else "DELETE" if name not in new else "UPDATE"
        changed[name] = f"{verb}_REPLACE" if name in replacing else verb
    return changed


def _same(left: Any, right: Any) -> bool:
    """Whether two values are equal, JSON texts by what they say, as the real provider compares policies."""
    if left == right:
        return True
    if isinstance(left, str) and isinstance(right, str) and left[:1] == "{" == right[:1]:
        with contextlib.suppress(ValueError):
            return json.loads(left) == json.loads(right)
    return False


def live_state(kind: Resource, api: Any, id: str, inputs: Props) -> Props | None:
    """Return a resource's properties as they are in the emulated AWS; None if it does not exist.

    Those that moto does not keep (`Resource.kept`, and tags) are taken from `inputs`.
    """
    try:
        live = kind.read(api, id, inputs)
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    if live is None:
        return None
    state = {name: inputs[name] for name in kind.kept | {"tags"} if name in inputs}
    for name, value in live.items():
        if value is not None:
            state[name] = inputs[name] if _same(inputs.get(name), value) else value
    if kind.regional:
        state["region"] = api.meta.region_name
    return state


class AwsProvider(provider_pb2_grpc.ResourceProviderServicer):
    """One configured provider: an account, a default Region."""

    def __init__(self) -> None:
        """Start unconfigured; the engine calls Configure before anything that needs an account."""
        self._region = ""
        self._account: emulation.Account | None = None
        self._signing_in = threading.Lock()
        self._account_id = ""

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answer with the version of the SDK that the real plugin would have."""
        return plugin_pb2.PluginInfo(version=version("pulumi_aws"))

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Refuse provider settings that pulumi-aws does not have or the sandbox does not emulate."""
        failures = []
        for name in _props(request.news).keys() - {"version"}:
            if name not in sdk.python_names("pulumi:providers:aws"):
                failures.append((name, "pulumi-aws has no such provider setting"))
            elif name not in PROVIDER_INPUTS:
                failures.append((name, "the sandbox does not emulate this provider setting"))
        return _check_response(request.news, failures)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Never replace the provider's resources: another account is refused when it is configured."""
        return provider_pb2.DiffResponse(changes=_CHANGES[_props(request.olds) != _props(request.news)])

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Take the stack's credentials and refuse an account that is not allowed, as the real plugin does."""
        settings = _props(request.args)
        self._region = settings.get("region", "")
        with _reported(context):
            self._account_id = stack_account(request.urn)
            allowed = json.loads(settings.get("allowedAccountIds", "null"))  # the SDK sends lists as JSON
            if allowed is not None and self._account_id not in allowed:
                raise Refused(
                    f"AWS account ID not allowed: {self._account_id}. "
                    f"This stack may only be deployed to {', '.join(allowed)}: use that account's credentials"
                )
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Refuse what the real provider, or the sandbox, does not have."""
        with _reported(context):
            return _check_response(request.news, check(_token(request.urn), _props(request.news)))

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Compare inputs with inputs."""
        kind = emulated(_token(request.urn))
        changed = difference(kind, _props(request.old_inputs), _props(request.news))
        for name in request.ignoreChanges:
            changed.pop(name, None)
        return provider_pb2.DiffResponse(
            changes=_CHANGES[bool(changed)],
            diffs=list(changed),
            replaces=[name for name, verb in changed.items() if verb.endswith("_REPLACE")],
            detailedDiff={
                name: _KINDS(kind=_KINDS.Kind.Value(verb), inputDiff=True) for name, verb in changed.items()
            },
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Create the resource; at preview answer what would be known, the rest as unknown."""
        token, inputs = _token(request.urn), _props(request.properties)
        if request.preview:
            unknown = dict.fromkeys(sdk.computed_names(token), UNKNOWN)
            defaults = dict(RESOURCES[token].defaults) if token in RESOURCES else {}
            planned = unknown | defaults | self._with_region(token, inputs)
            return provider_pb2.CreateResponse(properties=_struct(planned))
        with _reported(context, f"creating {token}: "):
            refuse_what_is_not_emulated(token, inputs)
            kind, api = self._reach(token, inputs)
            id = kind.create(api, inputs)
            state = live_state(kind, api, id, inputs)
            if state is None:
                raise RuntimeError(f"{id} is not there after it was created")
            return provider_pb2.CreateResponse(id=id, properties=_struct(state))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answer with the live state, and with the inputs as they would have to be to match it."""
        token, inputs = _token(request.urn), _props(request.inputs)
        kind, api = self._reach(token, _props(request.properties))
        with _reported(context, f"reading {token}: "):
            state = live_state(kind, api, request.id, inputs)
        if state is None:
            return provider_pb2.ReadResponse()
        live_inputs = {
            name: state.get(name, value)
            for name, value in inputs.items()
            if name.startswith("__") or name in state
        }
        return provider_pb2.ReadResponse(
            id=request.id, properties=_struct(state), inputs=_struct(live_inputs)
        )

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Bring the resource to the new inputs."""
        token, inputs = _token(request.urn), _props(request.news)
        if request.preview:
            outputs = RESOURCES[token].outputs
            computed = {name: value for name, value in _props(request.olds).items() if name in outputs}
            planned = computed | self._with_region(token, inputs)
            return provider_pb2.UpdateResponse(properties=_struct(planned))
        kind, api = self._reach(token, inputs)
        with _reported(context, f"updating {token}: "):
            refuse_what_is_not_emulated(token, inputs)
            kind.update(api, request.id, inputs)
            state = live_state(kind, api, request.id, inputs)
            if state is None:
                raise RuntimeError(f"{request.id} is gone: run `pulumi refresh`")
            return provider_pb2.UpdateResponse(properties=_struct(state))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Delete the resource; one that is gone already is as good as deleted."""
        token, state = _token(request.urn), _props(request.properties)
        kind, api = self._reach(token, state)
        with _reported(context, f"deleting {token}: "):
            try:
                kind.delete(api, request.id, state)
            except ClientError as error:
                if not is_gone(error):
                    raise
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answer what the program may ask about its account."""
        response = provider_pb2.InvokeResponse()
        with _reported(context):
            answer = invoked(request.tok, _props(request.args), self._account_id, self._signed_in)
            getattr(response, "return").CopyFrom(_struct(answer))  # the field's name is a Python keyword
        return response

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Let calls in flight finish: what they create must reach the state."""
        return empty_pb2.Empty()

    def _with_region(self, token: str, inputs: Props) -> Props:
        regional = token in RESOURCES and RESOURCES[token].regional
        return {"region": self._region} | inputs if regional else inputs

    def _reach(self, token: str, props: Props) -> tuple[Resource, Any]:
        kind = emulated(token)
        return kind, self._signed_in().client(kind.service, props.get("region", self._region))

    def _signed_in(self) -> emulation.Account:
        with self._signing_in:
            if self._account is None:
                self._account = emulation.Account(self._account_id, os.environ[emulation.ENDPOINT_VARIABLE])
            return self._account


@contextlib.contextmanager
def _reported(context: grpc.ServicerContext, doing: str = "") -> Iterator[None]:
    """Turn an error of the emulated AWS into the call's error, so that Pulumi shows its text."""
    try:
        yield
    except (ClientError, BotoCoreError, RuntimeError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, f"{doing}{error}")


def _token(urn: str) -> str:
    """Return the resource's type token: a URN holds the types of its parents too, joined by `$`."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _props(struct: struct_pb2.Struct) -> Props:
    return _whole(json_format.MessageToDict(struct))


def _whole(value: Any) -> Any:
    """Return `value` with whole numbers as int: a protobuf Struct holds every number as a float."""
    if isinstance(value, dict):
        return {name: _whole(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _struct(props: Props) -> struct_pb2.Struct:
    return json_format.ParseDict(props, struct_pb2.Struct())


def _check_response(news: struct_pb2.Struct, failures: list[tuple[str, str]]) -> Any:
    return provider_pb2.CheckResponse(
        inputs=news,
        failures=[provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in failures],
    )


def main() -> None:
    """Serve until the engine ends this process; it reads the port from the first line of standard output."""
    # The engine ends a plugin with SIGINT and waits five seconds for one that stays.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    end_with_parent(lambda: os._exit(0))
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=32))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(AwsProvider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
