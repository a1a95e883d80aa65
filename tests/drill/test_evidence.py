"""The evidence folder: what is kept is read as it was written, and nothing else passes for it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill import evidence
from drill.evidence import Arrival, Drill, UnusableEvidence

SECONDS = st.none() | st.floats(0, 1000)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
TEXT = st.text(max_size=20)
ARRIVALS = st.builds(
    Arrival,
    account=TEXT,
    region=TEXT,
    sent=TIMES,
    audit_log=SECONDS,
    topic=SECONDS,
    watchdog=SECONDS,
    error=TEXT,
)
DRILLS = st.builds(
    Drill,
    id=st.from_regex("[0-9a-f]{8}", fullmatch=True),
    started=TIMES,
    who=TEXT,
    why=TEXT,
    quiet=st.booleans(),
    arrivals=st.lists(ARRIVALS, max_size=3).map(tuple),
)
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ONE = Drill(
    id="0a1b2c3d",
    started=NOW,
    who="me",
    why="a test",
    quiet=False,
    arrivals=(Arrival(account="111111111111", region="eu-west-1", sent=NOW, audit_log=1.5),),
)


@given(DRILLS)
def test_what_is_kept_is_read_again(tmp_path_factory: pytest.TempPathFactory, drill: Drill) -> None:
    folder = tmp_path_factory.mktemp("evidence")
    file = evidence.save(folder, drill)
    assert evidence.drills(folder) == [drill]
    assert json.loads(file.read_text())["id"] == drill.id


def test_the_latest_comes_first(tmp_path: Path) -> None:
    earlier = Drill(**{**vars(ONE), "started": datetime(2026, 1, 1, tzinfo=UTC)})
    for drill in (ONE, earlier):
        evidence.save(tmp_path, drill)
    assert evidence.drills(tmp_path) == [ONE, earlier]


def test_evidence_is_never_overwritten(tmp_path: Path) -> None:
    file = evidence.save(tmp_path, ONE)
    with pytest.raises(UnusableEvidence, match="cannot be written: File exists"):
        evidence.save(tmp_path, ONE)
    assert [*tmp_path.iterdir()] == [file]


CHANGES: list[tuple[str, dict[str, Any] | str]] = [
    ("Invalid JSON", "{"),
    ("Input should be an object", "[]"),
    ("Input should be an object", "null"),
    ("id: Field required", "{}"),
    ("id: Input should be a valid string", {"id": 1}),
    ("started: Input should have timezone info", {"started": "2026-11-22T03:00:00"}),
    ("quiet: Input should be a valid boolean", {"quiet": "no"}),
    ("arrivals: Input should be a valid array", {"arrivals": None}),
    ("arrivals.0.account: Field required", {"arrivals": [{}]}),
    ("more: Unexpected keyword argument", {"more": 1}),
]


@pytest.mark.parametrize(("said", "change"), CHANGES)
def test_an_odd_file_is_named(tmp_path: Path, said: str, change: dict[str, Any] | str) -> None:
    text = change if isinstance(change, str) else json.dumps({**json.loads(evidence.as_json(ONE)), **change})
    (tmp_path / "drill-x.json").write_text(text)
    with pytest.raises(UnusableEvidence, match=r"drill-x\.json: not a drill's evidence: ") as error:
        evidence.drills(tmp_path)
    assert said in str(error.value)


@pytest.mark.parametrize("seconds", ['"soon"', "NaN", "Infinity", "true"])
def test_an_odd_latency_is_refused(tmp_path: Path, seconds: str) -> None:
    text = evidence.as_json(ONE).replace("1.5", seconds)
    (tmp_path / "drill-x.json").write_text(text)
    with pytest.raises(UnusableEvidence, match=r"arrivals\.0\.audit_log: "):
        evidence.drills(tmp_path)


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for call in (lambda folder: evidence.save(folder, ONE), evidence.check_writable):
        with pytest.raises(UnusableEvidence, match="file/"):
            call(tmp_path / "file" / "evidence")
