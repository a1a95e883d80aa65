"""Policies for AWS break-glass access: one module per subject, one decorated function per policy.

Importing a module registers its policies; `policy.py` says how to write one. Of the rest of the project the
pack uses `breakglass` for names and `alertpath` for what AWS would decide; `make policy-pack` puts all three
into one folder. What a stack accepts or requires is in policies/config.json.

A policy that has nothing to say about a resource reports "not applicable" instead of passing. Engine 3.259
prints nothing for it, and leaves the policy out of the passed ones in the policy summary events.
"""

from importlib import import_module
from pkgutil import iter_modules

from .policy import POLICIES

__all__ = ["POLICIES"]

for module in iter_modules(__path__):  # in the order of their names
    import_module(f"{__name__}.{module.name}")
