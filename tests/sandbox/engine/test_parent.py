"""A plugin ends with the engine that started it, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLUGIN = """
import os, time
from sandbox.engine.parent import end_with_parent
end_with_parent(lambda: os._exit(0))
print(os.getpid(), flush=True)
time.sleep(60)
"""
ENGINE = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""


def is_running(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_plugin_does_not_outlive_its_engine(how):
    command = [sys.executable, "-c", ENGINE, PLUGIN]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        plugin = int(engine.stdout.readline())
        assert is_running(plugin)
        os.kill(engine.pid, how)
        engine.wait(10)
        for _ in range(100):
            if not is_running(plugin):
                break
            time.sleep(0.1)
        assert not is_running(plugin)
