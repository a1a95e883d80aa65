"""How long `drill check` of two accounts with 17 Regions each takes, and a quiet drill."""

from functools import partial

from bench.stacks import STACKS, deploy
from bench.timing import compare, console, timed
from sandbox.run import sandboxed

ROUNDS = 5
CONTESTANTS = {
    "python -m drill use (asks AWS nothing)": ("use",),
    "python -m drill check --stack member": ("check", "--json", "--stack", "member"),
    "python -m drill check (both accounts)": ("check", "--json"),
    "python -m drill fire --quiet (34 events)": ("fire", "--quiet", "--why", "bench"),
}


def main() -> None:
    """Measure and print the table."""
    with sandboxed(console.print, stack_files=STACKS) as sandbox:
        deploy(sandbox)
        # A check and a drill end with 1 or 2 when something is not ready, or could not be checked.
        drill = partial(timed, sandbox, "python", "-m", "drill", exits=(0, 1, 2))
        runs = {name: drill(*arguments) for name, arguments in CONTESTANTS.items()}
        compare("2 accounts x 17 Regions", runs, rounds=ROUNDS)


if __name__ == "__main__":
    main()
