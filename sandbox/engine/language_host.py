"""A Python language host for an engine that was built from source, where the official host is missing.

It speaks the same protocol and runs the same launcher (`pulumi-language-python-exec`, from the engine's own
sources). Only what the engine calls for programs and policy packs is here: no code generation, no installs.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from sandbox.engine.parent import end_with_parent

LAUNCHER_VARIABLE = "SANDBOX_PYTHON_LAUNCHER"
EXIT_MESSAGE_SHOWN = 32
"""The launcher's exit code when it has shown the error itself."""


def interpreter(info: language_pb2.ProgramInfo) -> str:
    """Return the Python of the project's `virtualenv` option, or this one when it has none."""
    virtualenv = json_format.MessageToDict(info.options).get("virtualenv")
    if virtualenv is None:
        return sys.executable
    return str(Path(info.root_directory) / virtualenv / "bin" / "python")


_running: list[subprocess.Popen[Any]] = []
"""Every program and policy pack that was started; killing one that has ended does nothing."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs programs and policy packs as child processes."""

    def __init__(self, engine_address: str) -> None:
        """Serve the engine at `engine_address`."""
        self._engine = engine_address

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answer with the version of the Pulumi SDK."""
        return plugin_pb2.PluginInfo(version=version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Name none: the engine finds the provider on PATH when the program asks for it."""
        return language_pb2.GetRequiredPackagesResponse()

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run the program to its end; an exit code other than zero is its error."""
        arguments = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "root_directory": request.info.root_directory,
            "stack": request.stack,
            "pwd": request.pwd or request.info.program_directory,
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
            "organization": request.organization,
        }
        command = [interpreter(request.info), "-u", os.environ[LAUNCHER_VARIABLE]]
        for name, value in arguments.items():
            command += [f"--{name}", value]
        child = subprocess.Popen(
            [*command, request.info.entry_point or request.program, *request.args],
            cwd=request.info.program_directory or request.pwd,
            env={
                **os.environ,
                "PULUMI_CONFIG": json.dumps(dict(request.config)),
                "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            },
        )
        _running.append(child)
        context.add_callback(child.kill)
        exit_code = child.wait()
        if exit_code == EXIT_MESSAGE_SHOWN:
            return language_pb2.RunResponse(bail=True)
        error = f"the program ended with exit code {exit_code}" if exit_code else ""
        return language_pb2.RunResponse(error=error)

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a plugin written in Python, such as a policy pack; streams its output and its exit code."""
        program = request.info.program_directory
        module = ["-m", "pulumi.policy"] if request.kind == "analyzer" else []
        child = subprocess.Popen(
            [interpreter(request.info), "-u", *module, *request.args, program],
            cwd=request.pwd or program,
            env=dict(entry.split("=", 1) for entry in request.env) or None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _running.append(child)
        context.add_callback(child.kill)
        output: queue.Queue[Any] = queue.Queue()
        for name, stream in (("stdout", child.stdout), ("stderr", child.stderr)):
            threading.Thread(target=_pump, args=(name, stream, output), daemon=True).start()
        for _ in range(2):  # each stream ends with a None
            yield from iter(output.get, None)
        yield language_pb2.RunPluginResponse(exitcode=child.wait())


def _pump(name: str, stream: Any, output: "queue.Queue[Any]") -> None:
    for line in stream:
        output.put(language_pb2.RunPluginResponse(**{name: line}))
    output.put(None)


def _end(*_: object) -> None:
    """Kill the programs and end: the engine waits five seconds for processes that hold its pipes."""
    for child in _running:
        child.kill()
    os._exit(0)


def main() -> None:
    """Serve until the engine ends this process; it reads the port from the first line of standard output."""
    signal.signal(signal.SIGINT, _end)
    end_with_parent(_end)
    engine_address = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine_address), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
