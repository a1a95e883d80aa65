"""What reports are made of in tests: checks, drills and a proof by hand, and the page as it is read."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from typing import Any

from alertpath.model import deployment, from_stack_export
from alertpath.proof import Judgement, prove
from drill import stacks
from drill.account import Account
from drill.check.catalogue import CHECKS
from drill.check.finding import CheckFinding, not_ready, ready, unknown
from drill.check.runner import CheckResult
from drill.check.stack_state import StackState
from drill.evidence import Arrival, Drill
from drill.report import provenance, report
from drill.report.content import Report
from drill.report.provenance import Accepted, AcceptedRisk, Caller, Versions, WeakPolicy
from tests.alertpath.exports import export

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
MANY = (
    *REGIONS,
    *(f"ap-southeast-{number}" for number in range(1, 8)),
    *(f"ap-northeast-{number}" for number in range(1, 4)),
    *(f"eu-central-{number}" for number in range(1, 6)),
)
HUB, MEMBER = "111111111111", "222222222222"
CALLER = "arn:aws:sts::111111111111:assumed-role/Auditor/jane"
HOSTILE = "\"'></td><script>document.title='owned'</script><img src=x onerror=alert(1)>{{ 7 * 7 }}&amp;"
UNSEEN = "\x1b[31mred\u202egnp.exe\ud800"
SIGN_IN = "The users can sign in to the console"
FIX = "pulumi up -s mgmt --refresh --policy-pack policies --policy-pack-config policies/config.json"

READY = (
    ("user-sign-in", SIGN_IN, "mgmt", [ready("BreakglassUser has a console password")]),
    ("user-mfa", "The users have MFA devices", "mgmt", [ready("BreakglassUser has 2 MFA devices")]),
    ("role-trust", "Only the users can assume the role", "member", [ready("trust as rendered")]),
    ("trail", "A trail records everything", "member", [ready("organisation trail, logging")]),
    ("hub-key", "Key and topics are as meant", "mgmt", [ready("key, alias and topics: 4 resources")]),
    ("drill", "It was drilled this quarter", "mgmt", [ready("2 days ago")]),
)
BROKEN = ("alarms", "The alarm is watched", "mgmt", [ready("two are"), not_ready("one is off", fix=FIX)])
UNTOLD = ("relay", "The relays are as meant", "member", [unknown("access denied to DescribeRule")])


def results(*answers: tuple[str, str, str, Sequence[CheckFinding]]) -> list[CheckResult]:
    groups = {check.id: check.group for check in CHECKS}
    return [
        CheckResult(
            check=id,
            group=groups.get(id, id),
            title=title,
            stack=stack,
            account=HUB if stack == "mgmt" else MEMBER,
            findings=findings,
        )
        for id, title, stack, findings in answers
    ]


@cache
def judged(regions: tuple[str, ...] = REGIONS) -> list[Judgement]:
    texts = {f"{stack}.json": json.dumps(export(stack, regions)) for stack in ("mgmt", "member")}
    return prove(deployment([one for name, text in texts.items() for one in from_stack_export(text, name)]))


def stack_states(regions: Sequence[str] = REGIONS, *only: str) -> list[StackState]:
    return [
        StackState(
            stack=stack,
            account=Account(stack.account_id, None, "a test"),
            enabled=list(regions),
            enabled_problem="",
            rendered=(),
            relays={HUB: list(regions), MEMBER: list(regions)},
            now=NOW,
        )
        for stack in stacks.load()
        if stack.name in (only or ("mgmt", "member"))
    ]


def arrival(account: str = HUB, region: str = "eu-west-1", **parts: Any) -> Arrival:
    took: dict[str, Any] = {"audit_log": 2.0, "topic": 3.5, "watchdog": 3.0}
    return Arrival(account=account, region=region, sent=NOW, **{**took, **parts})


def drill(number: int = 0, *, quiet: bool = False, **parts: Any) -> Drill:
    """A drill, `number` days ago."""
    arrivals = [arrival(account, region) for account in (HUB, MEMBER) for region in REGIONS]
    if quiet:
        arrivals = [replace(one, topic=None, watchdog=None) for one in arrivals]
    made: dict[str, Any] = {"id": f"{number:08x}", "who": CALLER, "why": "quarterly drill", **parts}
    made["arrivals"] = tuple(made.get("arrivals", arrivals))
    return Drill(**{"started": NOW - timedelta(days=number), "quiet": quiet, **made})


VERSIONS = Versions(
    breakglass="0.1.0",
    changed=True,
    commit="0123abcd" * 5,
    packages={"boto3": "1.44.5", "pulumi": "3.272.0", "pulumi-aws": "7.51.1"},
    python="3.11.9",
)


def sources(*answers: tuple[str, str, str, Sequence[CheckFinding]], **parts: Any) -> Report:
    callers = [
        Caller(account=account, caller=CALLER, components="role", problem="", stack=stack)
        for account, stack in ((HUB, "mgmt"), (MEMBER, "member"))
    ]
    usual = {
        "made": NOW,
        "all_stacks": stacks.load(),
        "stack_states": stack_states(),
        "checks": results(*(answers or READY)),
        "judgements": judged(),
        "kept_drills": [drill(1), drill(2, quiet=True)],
        "accounts": callers,
        "versions": VERSIONS,
        "accepted": provenance.accepted(),
    }
    return Report(**{**usual, **parts})


def rendered(made_of: Report) -> str:
    return report.render(made_of)


class Page(HTMLParser):
    """The page as a browser would read it: tags, and the visible text by heading."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._parts: dict[str, list[str]] = {"": []}
        self._heading = ""
        self._in = ""
        self.feed(text)

    @property
    def text(self) -> str:
        return " ".join(self.section(name) for name in self._parts)

    def section(self, heading: str) -> str:
        return " ".join("".join(self._parts[heading]).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in = tag if tag in ("style", "title", "h2") else self._in
        if tag == "h2":
            self._heading = ""
        elif tag in ("li", "td", "th", "p", "dd", "text", "div"):
            self._parts[self._heading].append(" ")

    def handle_endtag(self, tag):
        self._in = "" if tag == self._in else self._in

    def handle_data(self, data):
        if self._in == "h2":
            self._heading = data
            self._parts[data] = []
        elif self._in != "style":
            self._parts[self._heading].append(data)

    @property
    def tone(self) -> str | None:
        return next(attributes["class"] for tag, attributes in self.tags if tag == "header")


def hostile() -> Report:
    text = HOSTILE + UNSEEN + "x" * 300
    account, region = "9" * 12 + HOSTILE, "eu-west-1" + HOSTILE
    odd = arrival(account, region, audit_log=None, error=text)
    arrivals = [odd, arrival(topic=1e7), arrival(topic=-3.0)]
    risk = AcceptedRisk(attached_to=text, policy=text, reason=text, rules=[text])
    return sources(
        ("user" + text, text, "mgmt", [not_ready(text, fix=text), unknown(text, fix=text), ready(text)]),
        stack_states=[replace(one, enabled=[text], enabled_problem=text) for one in stack_states()],
        kept_drills=[drill(1, why=text, who=text, id=text, arrivals=arrivals)],
        accounts=[Caller(account=text, caller=text, components=text, problem=text, stack=text)],
        versions=replace(VERSIONS, commit=text, packages={text: text}),
        accepted=Accepted(
            problems=[text], risks=[risk], weak=[WeakPolicy(level=text, rule=text)]
        ),
    )  # fmt: skip


PAGES: dict[str, Callable[[], Report]] = {
    "ready": sources,
    "wide": lambda: sources(
        *READY, UNTOLD, BROKEN,
        judgements=judged(MANY),
        stack_states=stack_states(MANY),
        kept_drills=[drill(1, arrivals=[arrival(one, region) for one in (HUB, MEMBER) for region in MANY])],
    ),
    "hostile": hostile,
}  # fmt: skip
