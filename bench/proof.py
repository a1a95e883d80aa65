"""How long the offline proof takes, and how it grows with the number of accounts.

Both stacks are deployed in a sandbox, in the 17 Regions of a new account, and exported; further members are
copies of the member's export under other account ids, let in by the hub's bus policy.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from rich.table import Table

from bench.stacks import STACKS, deploy
from bench.timing import console
from sandbox.confirm import confirm
from sandbox.run import sandboxed

MEMBERS = (1, 20, 199)
MEMBER = "222222222222"
MEASURED = """
import resource, sys
from alertpath.__main__ import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""


def multiplied(hub: str, member: str, accounts: list[str], folder: Path) -> list[str]:
    """Write the hub's export, which lets all accounts in, and one export per account; return the files."""
    state = json.loads(hub)
    for entry in state["deployment"]["resources"]:
        if entry["type"].endswith(":EventBusPolicy"):
            policy = json.loads(entry["outputs"]["policy"])
            roots = [f"arn:aws:iam::{account}:root" for account in accounts]
            policy["Statement"][0]["Principal"]["AWS"] = roots
            entry["outputs"]["policy"] = json.dumps(policy)
    (folder / "hub.json").write_text(json.dumps(state))
    files = [str(folder / "hub.json")]
    for account in accounts:
        (folder / f"{account}.json").write_text(member.replace(MEMBER, account))
        files.append(str(folder / f"{account}.json"))
    return files


def main() -> None:
    """Measure and print the table."""
    table = Table("accounts", "Regions", "seconds", "MB at most", title="python -m alertpath")
    with sandboxed(console.print, stack_files=STACKS) as sandbox:
        deploy(sandbox)
        confirm(sandbox.account("mgmt"))
        sandbox.output("pulumi", "refresh", "--yes", "--stack", "mgmt")
        hub = sandbox.output("pulumi", "stack", "export", "--stack", "mgmt")
        member = sandbox.output("pulumi", "stack", "export", "--stack", "member")
        for count in MEMBERS:
            folder = sandbox.directory.with_name(f"members-{count}")
            folder.mkdir()
            accounts = [str(int(MEMBER) + number) for number in range(count)]
            files = multiplied(hub, member, accounts, folder)
            started = time.perf_counter()
            outcome = subprocess.run(
                [sys.executable, "-c", MEASURED, *files], capture_output=True, text=True, check=False
            )
            seconds = time.perf_counter() - started
            if outcome.returncode:
                sys.exit(f"the intact stacks must be proven:\n{outcome.stdout[-3000:]}")
            table.add_row(str(count + 1), "17", f"{seconds:.2f}", outcome.stderr.strip())
    console.print(table)
    console.print("Target: 2 accounts in 17 Regions within 6 s and 400 MB.")


if __name__ == "__main__":
    main()
