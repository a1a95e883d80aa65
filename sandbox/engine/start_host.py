"""Starts the language host with the SDK's protocol modules, but without the SDK around them.

The host needs nothing else of it. The engine starts the host twice in each command and waits for it, and
importing the SDK would take half of that time.
"""

import importlib.util
import runpy
import sys

for name in ("pulumi", "pulumi.runtime"):
    spec = importlib.util.find_spec(name)
    if spec is not None:
        sys.modules[name] = importlib.util.module_from_spec(spec)  # found, and never executed
runpy.run_module("sandbox.engine.language_host", run_name="__main__")
