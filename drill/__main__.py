"""`python -m drill`: the operator's commands."""

import os
import sys

import typer

from drill.check import readiness
from drill.custody import password, policy, use
from drill.fire import fire
from drill.report import report

app = typer.Typer(
    help="Break-glass access: is it ready, does it ring, and what shows it.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local variables could show a credential.
    pretty_exceptions_show_locals=False,
)
app.command("check")(readiness.readiness)
app.command("fire")(fire.fire)
app.command("report")(report.report)
app.command("password")(password.password)
app.command("use")(use.use)
app.command("policy")(policy.policy)


def main() -> None:
    """Run a command; Ctrl-C ends it at once, also while calls are waiting for their next try."""
    try:
        app()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr, flush=True)
        os._exit(130)


if __name__ == "__main__":
    main()
