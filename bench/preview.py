"""How long a preview of the management stack takes, beside an empty program and the same resources raw."""

from bench.raw import raw_project
from bench.stacks import STACKS, new_project
from bench.timing import compare, console, timed
from sandbox.run import sandboxed

ROUNDS = 9
PREVIEW = ("pulumi", "preview", "--non-interactive", "--stack")
PACK = ("--policy-pack", "policies", "--policy-pack-config", "policies/config.json")
EMPTY, RAW, MGMT, WITH_PACK = "an empty program", "the same resources, raw", "mgmt", "mgmt with the pack"
TARGETS = ((MGMT, RAW, 1.15), (WITH_PACK, MGMT, 1.3), (MGMT, EMPTY, None))
"""What is compared with what, and the ratio that it should not exceed."""


def main() -> None:
    """Measure; print the table and the ratios."""
    console.rule("[bold]Preview: mgmt in 17 Regions", align="left")
    with sandboxed(console.print, stack_files=STACKS) as sandbox:
        empty = new_project(sandbox, "empty", "empty")
        (empty / "__main__.py").write_text('"""Nothing."""\n')
        raw = raw_project(sandbox)
        contestants = {
            EMPTY: timed(sandbox, *PREVIEW, "empty", "--cwd", str(empty)),
            RAW: timed(sandbox, *PREVIEW, "mgmt", "--cwd", str(raw)),
            MGMT: timed(sandbox, *PREVIEW, "mgmt"),
            WITH_PACK: timed(sandbox, *PREVIEW, "mgmt", *PACK),
        }
        medians = compare("preview of", contestants, rounds=ROUNDS)
    for above, below, target in TARGETS:
        aim = "" if target is None else f"; target: at most {target}"
        console.print(f"{above} / {below}: {medians[above] / medians[below]:.2f}{aim}")


if __name__ == "__main__":
    main()
