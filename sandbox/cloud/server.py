"""The process of the emulated AWS: moto, corrected where its answers differ from AWS's (`moto_fixes`).

Events that are put on a bus are delivered in the background (`background`). `emulation.running` starts this.
"""

import contextlib
import logging
import os
import sys
from pathlib import Path

from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from sandbox.cloud import emulation, moto_fixes
from sandbox.cloud.background import in_background


def serve() -> None:
    """Print the URL, and serve until standard input ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line per request otherwise
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    def endpoint() -> str:
        host, port = server.get_host_and_port()
        return f"http://{host}:{port}"

    moto_fixes.apply(in_background(lambda account_id: emulation.signed_in(account_id, endpoint())))
    server.start()
    print(endpoint(), flush=True)
    # moto prints now and then; nobody reads the pipe, and when it is full the server would stop.
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        sys.stdin.read()
    os._exit(0)  # without waiting for deliveries under way


if __name__ == "__main__":
    serve()
