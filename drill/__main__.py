"""`python -m drill`: the operator's commands."""

import os
import sys
from typing import Annotated

try:
    import typer

    from drill import init, listing, password, permissions, use
    from drill.check import readiness
    from drill.fire import fire
    from drill.report import report
except ModuleNotFoundError as missing:
    print(
        f"drill: {missing.name} is not installed: `make setup`, then `. .venv/bin/activate`",
        file=sys.stderr,
    )
    sys.exit(2)

from breakglass import VERSION

app = typer.Typer(
    help="Operate break-glass access: check it, test its alarm, report on it, use it.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    # A traceback with local variables could show a credential.
    pretty_exceptions_show_locals=False,
)
app.command("check")(readiness.readiness)
app.command("fire")(fire.fire)
app.command("report")(report.report)
app.command("password")(password.password)
app.command("use")(use.use)
app.command("stacks")(listing.listing)
app.command("init")(init.init)
app.command("policy")(permissions.policy)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(VERSION)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Operate break-glass access: check it, test its alarm, report on it, use it."""


def main() -> None:
    """Run a command and end with its exit code: 130 after Ctrl-C, 2 if a defect in this program ended it."""
    code = 2
    try:
        app()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 2
    except Exception as defect:
        sys.excepthook(type(defect), defect, defect.__traceback__)
    sys.stdout.flush()
    sys.stderr.flush()
    # Python would wait for running calls, and these for AWS: for minutes after Ctrl-C. They only read.
    os._exit(code)


if __name__ == "__main__":
    main()
