"""`rustbucket trace`: every step and every check on one screen, whatever has become of the bytes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import build_analysis
from rustbucket_pipeline.archive.sources.base import nothing_held
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.model.window import FOUR_HOURS, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.analysis_tables import clusters, findings, indicators
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline_tests.cli.conftest import Command
from rustbucket_pipeline_tests.events.conftest import ArchivedHour

KEY = "rustbucket-a/rustbucket.log.2026-03-02-00"
LINE = (
    b'{"timestamp":"2026-03-02T00:00:0%d.5Z","level":"INFO","fields":{"message":"Command received","protocol":"SSH",'
    b'"command":"id \\u001b[2J\\n\\u202e"},"target":"rustbucket::protocols::ssh"}\n'
)


@pytest.fixture
def source(database: Engine, archive: Archive, tmp_path: Path) -> Path:
    """The log at its source, archived and built."""
    path = tmp_path / "logs" / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(LINE % at for at in range(3)))
    hour = ArchivedHour(database, archive)
    hour.log(path.read_bytes())
    [listed] = DirectorySource(tmp_path / "logs").files(nothing_held).files
    with database.begin() as connection:
        connection.execute(
            text("update source_files set key = :key, etag = :etag, size = :size"),
            {"key": KEY, "etag": listed.etag, "size": listed.size},
        )
        connection.execute(text("update rustbuckets set logs_url = :url"), {"url": (tmp_path / "logs").as_uri()})
    hour.build()
    return path


@pytest.fixture
def event(source: Path, database: Engine) -> str:
    with database.connect() as connection:
        return connection.execute(
            text("select event_id from log_events order by byte_offset offset 1 limit 1")
        ).scalar_one()


def checks(out: str) -> list[tuple[str, str]]:
    """The lines that say how a check went: the step's name, and whether it was right."""
    marked = [line for line in out.splitlines() if "  ✓" in line or "  ✗" in line]
    return [(line.split()[0], "✗" if "  ✗" in line else "✓") for line in marked]


def test_every_step_is_shown_and_checked(command: Command, event: str) -> None:
    ended = command("trace", event[:8])
    assert ended.code == 0
    assert checks(ended.out) == [("event", "✓"), ("segment", "✓"), ("sha256", "✓"), ("bytes", "✓"), ("now", "✓")]
    assert len(ended.out.splitlines()) < 30
    for shown in (event, KEY, r"id \x1b[2J\n\u202e", "still holds these bytes"):
        assert shown in ended.out
    assert all(line.isprintable() for line in ended.out.splitlines())


def test_a_source_that_forgot_is_told_and_nothing_is_wrong(command: Command, event: str, source: Path) -> None:
    source.unlink()
    ended = command("trace", event)
    assert ended.code == 0
    assert ("now", "✓") not in checks(ended.out)
    assert "can't be opened" in ended.out


def test_a_source_that_holds_other_bytes_by_now_is_told(command: Command, event: str, source: Path) -> None:
    source.write_bytes(source.read_bytes().upper())
    assert "holds other bytes there by now" in command("trace", event).out


def test_a_lost_object_is_a_cross_and_one_line_at_the_end(command: Command, event: str, archive: Archive) -> None:
    for key in list(archive.keys("raw")):
        archive.delete(key)
    ended = command("trace", event)
    assert ended.code == 1
    assert checks(ended.out) == [("event", "✗"), ("segment", "✓"), ("sha256", "✗"), ("bytes", "✗")]
    assert ended.err.startswith("error: event")
    assert ended.err.count("\n") == 1


def test_json_holds_the_same(command: Command, event: str) -> None:
    told = json.loads(command("trace", event, "--json").out)
    assert (told["holds"], told["nth"], told["event"]["event_id"]) == (True, 0, event)
    assert told["source"]["still_holds_it"] is True
    assert told["record"].encode() == LINE % 1
    assert [(one["linked"], one["fault"]) for one in told["segments"]] == [(True, None)]


@pytest.fixture
def reported(event: str, database: Engine, settings: Settings) -> str:
    """The key of the window of these events, reported; what it says rests on one of them."""
    window = Window(datetime(2026, 3, 2, tzinfo=UTC), FOUR_HOURS)
    build_digest(database, window, window.end, None)
    build_analysis(database, settings, window, window.end, None)
    named = {"window_start": window.start, "events": 3, "event_ids": [event]}
    seen = {"first_seen": window.start, "last_seen": window.start, "is_new": True, "rustbuckets": 1}
    finding = {"revision": 1, "finding_id": "F1", "rule": "r", "title": "A word", "severity": "high", "why": "why"}
    cluster = {"cluster_id": "C1", "fingerprint": "f", "steps": ["uname -a"], "rules": [], "severity": "info"}
    counts = {"sessions": 1, "sources": 1, "at_least": False}
    with database.begin() as connection:
        connection.execute(findings.insert().values(**named, **finding, rustbuckets=["BKT1"]))
        connection.execute(clusters.delete())
        connection.execute(clusters.insert().values(**named, **seen, **cluster, **counts))
        connection.execute(indicators.delete())
        connection.execute(
            indicators.insert().values(**named, **seen, indicator_id="I1", type="host", value="evil.example\x1b[2J")
        )
    return window.key


@pytest.mark.parametrize("kind", ["F", "C", "I"])
def test_what_a_report_says_is_followed_to_the_bytes(command: Command, reported: str, kind: str) -> None:
    told = json.loads(command("trace", f"{reported}/{kind}1", "--json").out)
    assert (told["id"], told["window"]) == (f"{kind}1", reported)
    assert told["rows"]
    assert all(row["holds"] for row in told["rows"])
    assert told["first"]["event"]["event_id"] == told["rows"][0]["event_id"]
    ended = command("trace", f"{kind}1")
    assert ended.code == 0
    assert "the first of them:" in ended.out
    assert all(line.isprintable() for line in ended.out.splitlines())
    assert set(checks(ended.out)) == {(name, "✓") for name in ("row", "event", "segment", "sha256", "bytes", "now")}


def test_a_claim_whose_bytes_are_lost_is_wrong(command: Command, reported: str, archive: Archive) -> None:
    for key in list(archive.keys("raw")):
        archive.delete(key)
    ended = command("trace", "F1")
    assert ended.code == 1
    assert ("row", "✗") in checks(ended.out)


@pytest.mark.parametrize("asked", ["F99", "I77", "2026-03-01-00:00/F1"])
def test_an_id_that_no_report_has_says_so(command: Command, reported: str, asked: str) -> None:
    ended = command("trace", asked)
    assert ended.code == 2
    assert "report" in ended.err
    assert ended.err.count("\n") == 1
