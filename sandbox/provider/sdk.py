"""What the installed pulumi-aws SDK says about a resource type: the names of its inputs and outputs."""

import importlib
import keyword
import sys
import threading
from functools import cache

from pulumi import _types  # the SDK's own name tables; it publishes no schema

_importing = threading.Lock()
"""The engine asks in parallel, and an SDK module that another thread is importing may lack its classes."""


@cache
def python_names(token: str) -> dict[str, str]:
    """Return the Python name of each property a program may set on `token`, by its camelCase name.

    The provider's token is `pulumi:providers:aws`.

    Raises:
        KeyError: The installed SDK has no such type.
    """
    resource = _resource_class(token)
    args = getattr(sys.modules[resource.__module__], f"{resource.__name__}Args")
    return {camel: python for python, camel in _types.input_type_py_to_pulumi_names(args).items()}


@cache
def computed_names(token: str) -> frozenset[str]:
    """Return the outputs that AWS or the provider fills in when the program does not; KeyError as above.

    They are unknown before the deployment. The SDK types them as always there, the others as optional.
    """
    getters = _types._py_properties(_resource_class(token))
    return frozenset(
        name for _, name, getter in getters if "Optional[" not in str(getter.fget.__annotations__["return"])
    )


def _resource_class(token: str) -> type:
    if token == "pulumi:providers:aws":
        return importlib.import_module("pulumi_aws").Provider
    try:
        package, module, name = token.split(":")
        if package != "aws":
            raise KeyError(token)
        with _importing:
            module = module.split("/")[0]
            module = f"{module}_" if keyword.iskeyword(module) else module
            return getattr(importlib.import_module(f"pulumi_aws.{module}"), name)
    except (ValueError, ImportError, AttributeError) as error:
        raise KeyError(token) from error
