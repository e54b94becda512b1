"""What the dashboard finds, on a database with a little of everything; and where its page is put."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.alerts.book import raise_
from rustbucket_pipeline.alerts.desk import acknowledge
from rustbucket_pipeline.alerts.kinds import Kind, Severity
from rustbucket_pipeline.model.window import FOUR_HOURS, HOUR
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.analysis_tables import claude_calls, clusters, indicators, window_counts
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbucket_status
from rustbucket_pipeline.upkeep.dagster_seen import Heartbeat, JobSeen, LogLine, RunSeen
from rustbucket_pipeline.upkeep.dashboard.facts import Facts
from rustbucket_pipeline.upkeep.dashboard.gather import gather
from rustbucket_pipeline.upkeep.dashboard.operations import COST_DAYS, MOST_ALERTS
from rustbucket_pipeline.upkeep.dashboard.task import DASHBOARD, KEY, place_of
from rustbucket_pipeline.upkeep.task import Bench
from rustbucket_pipeline_tests.upkeep.seeding import NOW, fleet, hours, report, segment

NEWEST = datetime.fromisoformat("2026-03-20T08:00Z")


@dataclass(frozen=True)
class OneJob:
    """A Dagster in which one job ran twice and failed once."""

    def heartbeats(self) -> Sequence[Heartbeat]:
        return ()

    def jobs(self, now: datetime) -> Sequence[JobSeen]:
        return (JobSeen("parse_logs", on=True, late_after=HOUR, last_success=now - HOUR, overdue_since=None),)

    def unfinished(self) -> Sequence[RunSeen]:
        return ()

    def runs(self, since: datetime) -> Iterable[RunSeen]:
        at = NOW - HOUR
        yield RunSeen("b", "parse_logs", "FAILURE", at, at, at, 2.0, "the store is gone")
        yield RunSeen("a", "parse_logs", "SUCCESS", at, at, at, 4.0)
        yield RunSeen("c", "archive_logs", "SUCCESS", at, at, at, 1.0)

    def log(self, job: str, most: int) -> Sequence[LogLine]:
        return tuple(LogLine(NOW - n * HOUR, "INFO", job, "a", f"line {n}") for n in (3, 1))[:most]


@pytest.fixture
def bench(settings: Settings, database: Engine, archive: Archive) -> Bench:
    return Bench(settings=settings, engine=database, archive=archive, dagster=OneJob(), now=NOW)


def used(value: str, events: int, *, is_new: bool = False, second: str | None = None) -> dict[str, object]:
    return {"value": value, "second": second, "events": events, "sources": 2, "rustbuckets": 1, "is_new": is_new}


@pytest.fixture
def seeded(database: Engine) -> None:
    fleet(database, "BKT1", "BKT2", name="edge")
    fleet(database, "BKT3", status="review")
    hours(database, "BKT1", NOW.replace(minute=0) - 30 * HOUR, 24, events=10)
    segment(database, "BKT1", NOW.replace(minute=0) - 6 * HOUR)
    commands = [used("uname", 5), used("wget x", 3, is_new=True)]
    with database.begin() as connection:
        report(connection, NEWEST - FOUR_HOURS, "low", ("a scan",), digest={"commands": {"rows": commands}})
        report(connection, NEWEST, "high", ("a", "b"), digest={"commands": {"rows": commands}})
        counts = (("events", 100), ("protocol ssh", 70), ("protocol http", 20), ("type command", 9))
        rows = [{"window_start": NEWEST, "what": what, "events": count} for what, count in counts]
        connection.execute(window_counts.insert(), rows)
        for at, severity, found in (
            (NEWEST, "medium", "f1"),
            (NEWEST, "high", "f2"),
            (NEWEST - FOUR_HOURS, "low", "f2"),
        ):
            connection.execute(
                clusters.insert().values(
                    **dict.fromkeys(("sessions", "events", "sources", "rustbuckets"), 3),
                    **dict.fromkeys(("first_seen", "last_seen", "window_start"), at),
                    cluster_id=f"C{severity}",
                    fingerprint=found,
                    protocol="ssh",
                    steps=[f"step {number}" for number in range(9)],
                    rules=[],
                    severity=severity,
                    is_new=True,
                    at_least=False,
                    event_ids=[],
                )
            )
        for kind, value in (("ip", "192.0.2.1"), ("url", "http://a/x")):
            connection.execute(
                indicators.insert().values(
                    **dict.fromkeys(("first_seen", "last_seen", "window_start"), NEWEST),
                    type=kind,
                    value=value,
                    indicator_id=value,
                    is_new=True,
                    events=4,
                    rustbuckets=1,
                    event_ids=[],
                )
            )
        for ago, usd in ((timedelta(0), 0.25), (timedelta(days=2), 0.5), (timedelta(days=40), 9)):
            call = {"window_start": NEWEST, "model": "m", "asked_at": NOW - ago, "cost_usd": usd, "outcome": "answered"}
            connection.execute(claude_calls.insert().values(call))
        at = {"rustbucket_id": "BKT1", "observed_at": NOW - HOUR, "outcome": "arrival"}
        connection.execute(rustbucket_status.insert().values(at))
        raise_(connection, Kind.RUN_FAILED, "parse_logs", "why", Severity.ERROR, NOW - HOUR)
        raise_(connection, Kind.SILENT_SENSOR, "BKT2", "nothing came", Severity.WARNING, NOW)
        raise_(connection, Kind.DECOY_ANSWERED, "BKT1", "seen to", Severity.CRITICAL, NOW - 2 * HOUR)
        acknowledge(connection, [3], "ann", "", NOW)


@pytest.fixture
def facts(bench: Bench, seeded: None) -> Facts:
    return gather(bench)


def test_what_nobody_sees_to_comes_first_among_alerts_then_the_gravest(facts: Facts) -> None:
    assert [(one.kind, one.state) for one in facts.alerts.shown] == [
        ("run_failed", "open"),
        ("silent_sensor", "open"),
        ("decoy_answered", "acknowledged"),
    ]
    assert (facts.alerts.total, facts.alerts.by_severity["critical"]) == (3, 1)


def test_reports_are_newest_first_with_their_own_words(facts: Facts) -> None:
    assert [(one.window_start, one.severity, one.findings) for one in facts.windows] == [
        (NEWEST, "high", 2),
        (NEWEST - FOUR_HOURS, "low", 1),
    ]
    assert facts.windows[0].headline == "HIGH: A miner"


def test_protocols_are_ordered_by_events_and_what_no_log_names_is_shown_as_such(facts: Facts) -> None:
    found = facts.protocols
    assert list(found.series) == ["ssh", "http", "not stated"]
    place = found.starts.index(NEWEST)
    assert [counts[place] for counts in found.series.values()] == [70, 20, 10]
    assert {counts[place - 1] for counts in found.series.values()} == {None}
    assert found.total == 100


def test_the_last_day_has_what_was_used_most_and_each_new_thing_once(facts: Facts) -> None:
    day = facts.day
    assert day is not None
    assert (day.since, day.until) == (NEWEST + FOUR_HOURS - timedelta(days=1), NEWEST + FOUR_HOURS)
    assert [(one.value, one.events, one.is_new) for one in day.tops["commands"]] == [
        ("uname", 10, False),
        ("wget x", 6, True),
    ]
    assert day.tops["paths"] == ()
    assert [(one.severity, len(one.steps)) for one in day.behaviours] == [("medium", 5), ("low", 5)]
    assert [one.type for one in day.indicators] == ["url", "ip"]
    assert (day.behaviours_new, day.indicators_new) == (2, 2)


def test_rustbuckets_that_need_somebody_come_first_with_their_hours(facts: Facts) -> None:
    assert [one.id for one in facts.fleet.rows] == ["BKT3", "BKT2", "BKT1"]
    one = facts.fleet.rows[2]
    assert (one.name, one.outcome, one.events, sum(one.bins)) == ("edge", "arrival", 240, 240)
    states = facts.fleet.hours.states
    assert {len(found) for found in states.values()} == {72}
    assert "BKT3" not in states
    assert states["BKT1"].endswith("rMMM...")
    assert states["BKT2"].count("M") == facts.fleet.rows[1].missing == 69


def test_jobs_have_their_runs_and_logs_the_newest_first(facts: Facts) -> None:
    (job,) = facts.jobs
    assert (job.runs, job.failed, job.newest[0].error) == (2, 1, "the store is gone")
    assert [one.message for one in facts.log] == ["line 1", "line 3"]


def test_costs_are_of_thirty_days(facts: Facts) -> None:
    assert len(facts.costs.days) == COST_DAYS
    assert [facts.costs.days[-1].usd, facts.costs.days[-3].usd, facts.costs.total_usd] == [0.25, 0.5, 0.75]


def test_a_storm_of_alerts_is_counted_and_not_listed(bench: Bench, database: Engine) -> None:
    with database.begin() as connection:
        for number in range(MOST_ALERTS + 20):
            raise_(connection, Kind.SILENT_SENSOR, f"BKT{number}", "", Severity.WARNING, NOW)
    found = gather(bench).alerts
    assert (len(found.shown), found.total) == (MOST_ALERTS, MOST_ALERTS + 20)


def test_the_page_is_put_into_home_and_archive_whole_and_replaces_the_one_before(bench: Bench, seeded: None) -> None:
    place = place_of(bench.settings)
    bench.settings.home.mkdir(parents=True)
    for _ in range(2):
        told = DASHBOARD.run(bench)
    page = place.read_bytes()
    assert bench.archive.get(KEY) == page
    assert page.startswith(b"<!doctype html>")
    assert place.stat().st_mode & 0o077 == 0
    assert told.figures["page"] == place.as_uri()
    assert told.figures["bytes"] == len(page)
    assert [path.name for path in place.parent.glob("*.html*")] == [place.name]


def test_a_dry_run_writes_nothing(bench: Bench, tmp_path: Path) -> None:
    told = DASHBOARD.dry_run(bench)
    assert told.ok
    assert not place_of(bench.settings).exists()
    assert bench.archive.size(KEY) is None
