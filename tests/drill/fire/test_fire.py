"""A drill rings what it must, tells nobody else, and says what did not arrive. The emulated AWS delivers."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from breakglass import naming
from drill import evidence, options
from drill.account import Account
from drill.fire import fire
from drill.fire.timing import Timing
from sandbox.cloud import emulation
from sandbox.cloud.delivery import SubscribedQueue
from tests.drill import deployed
from tests.drill.conftest import Broken

HUB, MEMBER = "111111111111", "222222222222"
LOUD = ("--why", "a test", "--yes")
QUIET = ("--why", "a test", "--quiet")

PLACES = [(naming.HUB, "us-east-1"), (naming.WATCHDOG, "us-west-2")]
"""Where each way ends."""

Ring = Callable[..., Any]


def _nap(seconds: float) -> None:
    time.sleep(min(seconds, 0.1))


FAST = Timing(loud_per_second=1000, poll_seconds=0, hidden_seconds=1, sleep=_nap)


@pytest.fixture
def ring(aws: str, broken: Broken, monkeypatch: pytest.MonkeyPatch) -> Ring:
    """Return `ring(*arguments)`, which runs the command fast: without a pace and without long polls."""

    def sign_in(stacks: Any, **_: Any) -> list[Account]:
        accounts = [deployed.account(stack.account_id, aws) for stack in stacks]
        for account in accounts:
            broken.apply(account)
        return accounts

    monkeypatch.setattr(options, "sign_in", sign_in)
    return _run


def _run(*arguments: str, input: str | None = None, timing: Timing = FAST) -> Any:
    app = typer.Typer()
    app.command()(fire.fire)
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, list(arguments), input=input, obj=timing)


@pytest.fixture
def mailboxes(aws: str) -> Iterator[list[SubscribedQueue]]:
    """The mailboxes of somebody who is told by the first topic, and of somebody by the watchdog."""
    hub = emulation.signed_in(HUB, aws)
    topics = [naming.topic_arn(HUB, region, way.topic) for way, region in PLACES]
    queues = [SubscribedQueue(hub, topic) for topic in topics]
    yield queues
    for queue in queues:
        queue.close()


@pytest.fixture
def silent_region(aws: str) -> Iterator[str]:
    """A Region of the hub's account whose relay to the hub is disabled for as long as the test lasts."""
    events = emulation.signed_in(HUB, aws).client("events", "eu-west-1")
    rules = events.list_rules(NamePrefix=naming.HUB.relay_rule)["Rules"]
    for rule in rules:
        events.disable_rule(Name=rule["Name"])
    yield "eu-west-1"
    for rule in rules:  # EnableRule would leave out the read-only events
        kept = {name: rule[name] for name in ("Name", "Description", "EventPattern", "State")}
        events.put_rule(**kept)


def _places(*accounts: str) -> list[tuple[str, str]]:
    return [(account, region) for account in accounts for region in deployed.REGIONS]


def _drill(result: Any) -> dict[str, Any]:
    return json.loads(result.stdout)


def test_a_drill_rings_at_hub_and_watchdog_from_every_region_of_the_hubs_account(
    ring: Ring, mailboxes: list[SubscribedQueue]
) -> None:
    result = ring(*LOUD, "--json")
    assert result.exit_code == 0, result.output
    drill = _drill(result)
    assert [(one["account"], one["region"]) for one in drill["arrivals"]] == _places(HUB)
    assert all(
        0 <= one[where] < 60 for one in drill["arrivals"] for where in ("audit_log", "topic", "watchdog")
    )
    assert drill["who"].startswith(f"arn:aws:sts::{HUB}:assumed-role/")
    for mailbox in mailboxes:
        texts = mailbox.receive()
        nonces = {".".join((drill["id"], *place)) for place in _places(HUB)}
        assert {re.findall(r"Drill       (\S+)\"", text)[0] for text in texts} == nonces
        assert all('"Reason      a test"' in text for text in texts)


def test_a_quiet_drill_tells_nobody(ring: Ring, mailboxes: list[SubscribedQueue]) -> None:
    result = ring(*QUIET, "--json")
    assert result.exit_code == 0, result.output
    arrivals = _drill(result)["arrivals"]
    assert [(one["account"], one["region"]) for one in arrivals] == _places(HUB, MEMBER)
    assert all(one["audit_log"] is not None and one["topic"] is None for one in arrivals)
    assert [mailbox.receive() for mailbox in mailboxes] == [[], []]


def test_the_table_names_every_place(ring: Ring) -> None:
    result = ring(*LOUD)
    assert result.exit_code == 0, result.output
    rows = re.findall(r"^([0-9]{12}) +(\S+) +[0-9.]+ +[0-9.]+ +[0-9.]+ *$", result.stdout, re.MULTILINE)
    assert rows == _places(HUB)
    assert "3 of 3 events arrived everywhere they had to." in result.stdout
    assert "3 of the topic and 3 of the watchdog topic: no API can tell" in result.stdout


def test_a_silent_region_is_named_with_what_to_look_at(ring: Ring, silent_region: str) -> None:
    result = ring(*LOUD, "--timeout", "3")
    assert result.exit_code == 1, result.output
    assert re.search(
        rf"^{HUB} +{silent_region} +did not arrive +did not arrive +[0-9.]+ *$",
        result.stdout,
        re.MULTILINE,
    )
    assert (
        f"Did not arrive: {HUB} {silent_region}. Look next at `python -m drill check`, and at the "
        "dead-letter queues: breakglass-relays-dlq of that Region, breakglass-hub-dlq of the hub."
    ) in " ".join(result.stdout.split())
    assert "2 of 3 events arrived everywhere they had to." in result.stdout
    assert "2 of the topic and 3 of the watchdog topic" in result.stdout


def test_a_loud_drill_of_another_account_is_refused(ring: Ring) -> None:
    result = ring(*LOUD, "--stack", "member")
    assert result.exit_code == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert "a loud drill rings from the hub's account only: use --quiet for others" in said


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "access denied to PutEvents"),
        ("ThrottlingException", "throttled at PutEvents, 5 times"),
    ],
)
def test_a_region_that_refuses_does_not_stop_the_others(
    ring: Ring, broken: Broken, code: str, said: str
) -> None:
    broken.refuse("PutEvents", code, region="eu-west-1")
    result = ring(*QUIET, "--json")
    assert result.exit_code == 1, result.output
    for one in _drill(result)["arrivals"]:
        if one["region"] == "eu-west-1":
            assert said in one["error"]
            assert one["audit_log"] is None
        else:
            assert one["audit_log"] is not None


def test_a_bus_that_takes_the_call_and_not_the_event(ring: Ring, broken: Broken) -> None:
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "no"}]}
    broken.answer("PutEvents", lambda answer: answer.update(refused), region="eu-west-1")
    result = ring(*QUIET)
    assert result.exit_code == 1, result.output
    place = f"{HUB} eu-west-1; {MEMBER} eu-west-1"
    assert f"Not sent: {place}: PutEvents answered InternalFailure: no" in result.stdout
    assert "Did not arrive" not in result.stdout


def test_an_account_without_credentials_is_not_taken_for_silent(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = options.sign_in

    def sign_in(stacks: Any, **_: Any) -> list[Account]:
        found: list[Account] = signed_in(stacks, profiles={}, member_role=None)
        return [found[0], Account(MEMBER, None, "no credentials for stack member: nobody signed in")]

    monkeypatch.setattr(options, "sign_in", sign_in)
    result = ring(*QUIET, "--json")
    assert result.exit_code == 2, result.output
    assert [(one["account"], one["region"]) for one in _drill(result)["arrivals"]] == _places(HUB, MEMBER)
    assert "no credentials for stack member" in result.stderr


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("FilterLogEvents", "the hub's audit log"),
        ("GetQueueUrl", "the hub's drill queue"),
        ("GetCallerIdentity", "who you are in the hub's account"),
    ],
)
def test_nobody_is_rung_when_nobody_could_look(
    ring: Ring, broken: Broken, mailboxes: list[SubscribedQueue], operation: str, what: str
) -> None:
    broken.refuse(operation, "AccessDenied")
    result = ring(*LOUD)
    assert result.exit_code == 2
    assert f"nothing was sent: {what} cannot be read: access denied to {operation}" in result.stderr
    assert [mailbox.receive() for mailbox in mailboxes] == [[], []]


def test_a_queue_that_cannot_be_read_later_is_not_taken_for_silence(ring: Ring, broken: Broken) -> None:
    broken.refuse("ReceiveMessage", "AccessDenied")
    result = ring(*LOUD, "--timeout", "1")
    assert result.exit_code == 2, result.output
    assert "could not tell" in result.stdout
    assert "did not arrive" not in result.stdout
    assert "Could not tell: topic, watchdog topic: access denied to ReceiveMessage" in result.stdout


def test_without_a_terminal_it_does_not_ring_people_unasked(
    ring: Ring, mailboxes: list[SubscribedQueue]
) -> None:
    result = ring("--why", "a test")
    assert result.exit_code == 2
    assert "there is no terminal to confirm it on: use --yes, or --quiet" in result.stderr
    assert [mailbox.receive() for mailbox in mailboxes] == [[], []]


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_it_asks_and_takes_no_for_an_answer(
    ring: Ring, monkeypatch: pytest.MonkeyPatch, mailboxes: list[SubscribedQueue], answer: str
) -> None:
    monkeypatch.setattr(fire, "_on_terminal", lambda: True)
    result = ring("--why", "a test", "--json", input=answer)
    assert result.exit_code == 2
    assert "Notify them?" in result.stderr
    assert [mailbox.receive() for mailbox in mailboxes] == [[], []]


def test_it_says_how_many_are_told_and_never_who(
    ring: Ring, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "https://hooks.example.com/very-secret"

    def told(answer: dict[str, Any]) -> None:
        one = {"SubscriptionArn": "arn:aws:sns:us-east-1:1:t:x", "Protocol": "https", "Endpoint": secret}
        pending = one | {"SubscriptionArn": "PendingConfirmation"}
        mail = one | {"Protocol": "email", "Endpoint": "somebody@example.com"}
        queue = [found for found in answer["Subscriptions"] if found["Protocol"] == "sqs"]
        answer["Subscriptions"] = [one, one, mail, pending, *queue]

    broken.answer("ListSubscriptionsByTopic", told)
    monkeypatch.setattr(fire, "_on_terminal", lambda: True)
    result = ring("--why", "a test", input="n\n")
    said = " ".join(result.stderr.split())
    for way in naming.WAYS:
        assert (
            f"Topic {way.topic}: 3 messages to each of 1 email, 2 https; pending, so not notified: 1 https"
            in said
        )
    assert "hooks.example.com" not in result.output
    assert "somebody@" not in result.output


def test_agreeing_rings(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fire, "_on_terminal", lambda: True)
    result = ring("--why", "a test", "--region", "us-east-1", input="y\n")
    assert result.exit_code == 0, result.output
    assert "1 of 1 event arrived everywhere they had to." in result.stdout


def test_a_region_without_a_relay_is_refused(ring: Ring) -> None:
    result = ring(*QUIET, "--region", "mars-north-1")
    assert result.exit_code == 2
    assert "eu-west-1, us-east-1, us-west-2" in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize("why", ["", " \n\t", "x" * 201])
def test_a_reason_is_needed(ring: Ring, why: str) -> None:
    result = ring("--why", why, "--quiet")
    assert result.exit_code == 2
    assert "--why" in result.stderr


def test_a_reason_becomes_one_line(ring: Ring) -> None:
    result = ring("--why", 'two\nlines\x1b[31m and "quotes"', "--quiet", "--json", "--region", "us-east-1")
    assert _drill(result)["why"] == 'two lines [31m and "quotes"'


def test_evidence_is_kept(ring: Ring, tmp_path: Path) -> None:
    result = ring(*QUIET, "--json", "--evidence", str(tmp_path / "new" / "folder"))
    assert result.exit_code == 0, result.output
    (kept,) = evidence.drills(tmp_path / "new" / "folder")
    assert evidence.as_json(kept) == result.stdout.strip()


def test_an_unusable_evidence_folder_is_refused_before_anything_is_sent(
    ring: Ring, broken: Broken, tmp_path: Path
) -> None:
    sent: list[object] = []
    broken.answer("PutEvents", sent.append)
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        result = ring(*LOUD, "--evidence", str(folder))
        assert result.exit_code == 2
        assert "--evidence" in result.stderr
    assert not sent


def test_evidence_that_cannot_be_kept_after_all_is_shown(
    ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise evidence.UnusableEvidence("disk full")

    monkeypatch.setattr(evidence, "save", full)
    result = ring(*QUIET, "--region", "us-east-1", "--evidence", str(tmp_path))
    assert result.exit_code == 2
    assert '"audit_log": 0.' in result.stderr


def test_an_interrupted_drill_keeps_what_arrived_until_then(
    ring: Ring, silent_region: str, tmp_path: Path
) -> None:
    naps = 0

    def interrupted(seconds: float) -> None:
        nonlocal naps
        naps += 1
        if naps > 30:
            raise KeyboardInterrupt
        time.sleep(0.1)

    result = ring(*QUIET, "--evidence", str(tmp_path), timing=replace(FAST, sleep=interrupted))
    assert result.exit_code == 130, result.output
    assert "interrupted: 5 of 6 had arrived" in result.stderr
    (kept,) = evidence.drills(tmp_path)
    assert [one.region for one in kept.arrivals if kept.missing(one)] == [silent_region]
    assert [file.name for file in tmp_path.iterdir()] == [file.name for file in tmp_path.glob("drill-*.json")]


def test_messages_of_others_stay_in_the_queue(ring: Ring, aws: str) -> None:
    sqs = emulation.signed_in(HUB, aws).client("sqs", "us-east-1")
    url = sqs.get_queue_url(QueueName=naming.HUB.drill_queue)["QueueUrl"]
    topic = naming.topic_arn(HUB, "us-east-1", naming.HUB.topic)
    envelope = {"TopicArn": topic, "Message": f"Drill 0bad1dea.{HUB}.us-east-1"}
    others = [json.dumps(envelope), "not JSON", "{}"]
    for body in others:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    result = ring(*LOUD, "--json")
    assert result.exit_code == 0, result.output
    time.sleep(FAST.hidden_seconds)
    left: list[str] = []
    while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        left += [message["Body"] for message in batch]
    sqs.purge_queue(QueueUrl=url)
    assert set(others) <= set(left)
    assert not [body for body in left if _drill(result)["id"] in body]


def test_nothing_secret_is_printed_or_kept(
    ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in, used = options.sign_in, list[Account]()

    def sign_in(stacks: Any, **_: Any) -> list[Account]:
        used.extend(signed_in(stacks, profiles={}, member_role=None))
        return used

    monkeypatch.setattr(options, "sign_in", sign_in)
    result = ring(*LOUD, "--evidence", str(tmp_path))
    (kept,) = tmp_path.iterdir()
    for account in used:
        assert account.session is not None
        issued = account.session.get_credentials().get_frozen_credentials()
        for secret in (issued.access_key, issued.secret_key, issued.token):
            assert secret
            assert secret not in result.output + kept.read_text()
    assert "example.com" not in result.output + kept.read_text()
