"""How long `drill check` of two accounts with 17 Regions each takes, and a quiet drill."""

from bench.stacks import deploy
from bench.timing import console, report, taking_turns, timed
from sandbox.run import sandboxed

ROUNDS = 5
CHECK = ("python", "-m", "drill", "check", "--json")
CONTESTANTS = {
    "python -m drill use (asks AWS nothing)": ("python", "-m", "drill", "use"),
    "python -m drill check --stack member": (*CHECK, "--stack", "member"),
    "python -m drill check (both accounts)": CHECK,
    "python -m drill fire --quiet (34 events)": (
        *("python", "-m", "drill", "fire", "--quiet", "--why", "bench"),
    ),
}


def main() -> None:
    """Measure and print the table."""
    with sandboxed(console.print) as sandbox:
        deploy(sandbox)
        # A check and a drill end with 1 or 2 when something is not ready, or could not be checked.
        runs = {name: timed(sandbox, *command, exits=(0, 1, 2)) for name, command in CONTESTANTS.items()}
        report("2 accounts x 17 Regions", taking_turns(runs, rounds=ROUNDS))


if __name__ == "__main__":
    main()
