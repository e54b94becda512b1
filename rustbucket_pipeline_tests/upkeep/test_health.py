"""What a health report finds in a real database, archive and home, and which alerts follow and end by themselves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, insert, select

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.control.states import clocks_agree
from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.analysis_tables import claude_calls, findings, log_analyses, window_counts
from rustbucket_pipeline.storage.objects import Archive, open_archive
from rustbucket_pipeline.storage.tables import rustbucket_status, rustbuckets
from rustbucket_pipeline.upkeep.dagster_seen import Heartbeat, JobSeen, RunSeen
from rustbucket_pipeline.upkeep.health import Health
from rustbucket_pipeline.upkeep.health_report import COMPONENTS, HEALTH_REPORT, findings_of
from rustbucket_pipeline.upkeep.task import Bench
from rustbucket_pipeline.upkeep_settings import COMPONENTS as NAMES
from rustbucket_pipeline_tests.upkeep.dagster_told import DagsterTold

NOW = datetime(2026, 3, 2, 12, 5, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

Changed = Callable[..., Settings]


@pytest.fixture
def bench(database: Engine, changed: Changed, archive: Archive) -> Bench:
    settings = changed()
    settings.home.mkdir(exist_ok=True)
    return Bench(settings, database, archive, DagsterTold(), NOW)


def looking_at(bench: Bench, *names: str, **also: object) -> Bench:
    return replace(bench, settings=bench.settings.model_copy(update={"health_components": names}), **also)  # type: ignore[arg-type]


def found(bench: Bench) -> dict[str, tuple[Health, str]]:
    return {one.subject: (one.health, one.why) for one in findings_of(bench)}


def open_kinds(bench: Bench) -> list[tuple[str, str]]:
    with bench.engine.connect() as connection:
        rows = connection.execute(select(alerts.c.kind, alerts.c.subject).where(alerts.c.closed_at.is_(None)))
        return sorted((row.kind, row.subject) for row in rows)


def test_the_components_are_those_of_the_setting_and_no_two_own_a_kind() -> None:
    assert tuple(one.name for one in COMPONENTS) == NAMES
    owned = [kind for one in COMPONENTS for kind in one.kinds]
    assert len(owned) == len(set(owned))


def test_only_what_is_selected_is_looked_at_and_an_unknown_name_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(found(looking_at(bench, "archive"))) == {"archive"}
    monkeypatch.setenv("HEALTH_CHECK_COMPONENTS", "disk, archive")
    assert load_settings().health_components == ("disk", "archive")
    monkeypatch.setenv("HEALTH_CHECK_COMPONENTS", "disk,nonsense")
    with pytest.raises(ConfigurationError, match="no component 'nonsense'"):
        load_settings()


def test_a_new_home_is_well_but_for_a_daemon_that_never_ran_and_a_first_backup(bench: Bench) -> None:
    never = DagsterTold(beats=[Heartbeat("scheduler", None), Heartbeat("sensor", None)])
    told = HEALTH_REPORT.run(replace(bench, dagster=never, clock=lambda: datetime.now(UTC)))
    assert [line.partition(":")[0] for line in told.lines] == ["error", "warning", "warning"]
    assert all("backups" in line for line in told.lines[1:])
    assert (told.figures["error"], told.figures["unknown"], told.ok) == (1, 0, True)
    assert open_kinds(bench) == [("daemon_silent", "daemon")]


def test_the_night_s_report_is_in_full_whatever_is_selected(bench: Bench) -> None:
    night = looking_at(bench, "archive", now=NOW.replace(hour=2, minute=0), clock=lambda: datetime.now(UTC))
    told = HEALTH_REPORT.run(night)
    assert {line.split(": ")[1].partition(",")[0] for line in told.lines} >= set(NAMES) - {"daemon"}
    assert len(HEALTH_REPORT.run(replace(night, now=NOW)).lines) == 0


def test_a_dry_run_opens_nothing(bench: Bench) -> None:
    HEALTH_REPORT.dry_run(looking_at(bench, "daemon", dagster=DagsterTold(beats=[Heartbeat("sensor", None)])))
    assert open_kinds(bench) == []


def test_an_archive_that_can_t_be_written_is_an_error_until_it_can(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    broken = open_archive(bench.settings.model_copy(update={"archive_url": f"file://{tmp_path}/file/archive"}))
    HEALTH_REPORT.run(looking_at(bench, "archive", archive=broken))
    assert open_kinds(bench) == [("store_unavailable", "archive")]
    HEALTH_REPORT.run(looking_at(bench, "archive"))
    assert open_kinds(bench) == []
    assert list(bench.archive.keys("health")) == []


def test_a_database_that_is_gone_is_an_error_and_what_lies_in_it_unknown(bench: Bench) -> None:
    nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=1")
    seen = found(looking_at(bench, "rustbuckets", "logs", "database", "archive", engine=nowhere))
    assert seen["database"][0] is Health.ERROR
    assert {seen[name][0] for name in ("rustbuckets", "logs")} == {Health.UNKNOWN}
    assert seen["archive"][0] is Health.OK
    nowhere.dispose()


def test_what_is_unknown_neither_opens_nor_closes_an_alert(bench: Bench) -> None:
    late = JobSeen("parse_logs", True, DAY, NOW - 3 * DAY, NOW - DAY)
    HEALTH_REPORT.run(looking_at(bench, "clock", "jobs", dagster=DagsterTold(known=[late])))
    assert open_kinds(bench) == [("job_late", "parse_logs")]
    HEALTH_REPORT.run(looking_at(bench, "clock"))
    assert open_kinds(bench) == [("job_late", "parse_logs")]
    HEALTH_REPORT.run(looking_at(bench, "jobs", dagster=DagsterTold(known=[replace(late, overdue_since=None)])))
    assert open_kinds(bench) == []


def test_little_room_is_an_alert_and_a_large_database_too(bench: Bench, changed: Changed) -> None:
    small = changed(RUSTBUCKET_HEALTH_DISK_FREE_PERCENT="99.99", RUSTBUCKET_HEALTH_DATABASE_MAX_GB="0.000001")
    HEALTH_REPORT.run(looking_at(replace(bench, settings=small), "disk"))
    kind = "disk_or_database_size"
    assert open_kinds(bench) == [(kind, "disk of the home"), (kind, "size of the databases")]
    HEALTH_REPORT.run(looking_at(bench, "disk"))
    assert open_kinds(bench) == []


@pytest.mark.parametrize(("off", "agree"), [(10, True), (-25, True), (300, False), (-300, False)])
def test_clocks_that_differ_by_more_than_30_seconds_are_an_error_and_no_window_closes(
    bench: Bench, *, off: int, agree: bool
) -> None:
    wrong = replace(bench, clock=lambda: datetime.now(UTC) + off * timedelta(seconds=1))
    HEALTH_REPORT.run(looking_at(wrong, "clock"))
    subjects = ["clock of the database", "clock of the store"]
    assert open_kinds(bench) == [] if agree else [("clocks_disagree", subject) for subject in subjects]
    with bench.engine.connect() as connection:
        assert clocks_agree(connection) is agree
    HEALTH_REPORT.run(looking_at(replace(bench, clock=lambda: datetime.now(UTC)), "clock"))
    with bench.engine.connect() as connection:
        assert clocks_agree(connection)


def test_a_daemon_s_part_that_is_silent_is_named_and_errors_it_tells_of(bench: Bench) -> None:
    beats = [
        Heartbeat("scheduler", NOW - 10 * MINUTE),
        Heartbeat("sensor", NOW - MINUTE, ("no code server",)),
        Heartbeat("backfill", NOW),
    ]
    seen = found(looking_at(bench, "daemon", dagster=DagsterTold(beats=beats)))
    assert seen["scheduler"] == (
        Health.ERROR,
        "the daemon's scheduler wasn't heard since 2026-03-02 11:55 UTC, though other parts were",
    )
    assert seen["sensor"] == (Health.WARNING, "the daemon's sensor tells of errors: no code server")
    assert seen["daemon"][0] is Health.OK


def test_runs_that_go_on_or_wait_for_too_long_are_stuck_and_jobs_that_are_off_are_named(bench: Bench) -> None:
    going = RunSeen("1" * 8, "parse_logs", "STARTED", NOW - 3 * HOUR, NOW - 3 * HOUR, None, None)
    waiting = RunSeen("2" * 8, "poll_fleet", "QUEUED", NOW - 2 * HOUR, None, None, None)
    young = RunSeen("3" * 8, "archive_logs", "STARTED", NOW - HOUR, NOW - HOUR, None, None)
    off = JobSeen("sign_archive", False, DAY, None, None)
    told = DagsterTold(known=[off], going=[going, waiting, young])
    HEALTH_REPORT.run(looking_at(bench, "jobs", dagster=told))
    assert open_kinds(bench) == [("run_stuck", "runs of parse_logs"), ("run_stuck", "runs of poll_fleet")]
    assert found(looking_at(bench, "jobs", dagster=told))["sign_archive"][0] is Health.WARNING


def rustbucket(bench: Bench, number: int, outcome: str | None, *, status: str = "active", at: datetime = NOW) -> str:
    """A rustbucket that was added ten days ago, and how it was observed."""
    of, ago = f"BKT{number}", NOW - 10 * DAY
    row = {"id": of, "name": of, "status": status, "registered_at": ago, "approved_at": ago, "logs_url": f"s3://b/{of}"}
    with bench.engine.begin() as connection:
        connection.execute(insert(rustbuckets).values(row))
        if outcome:
            seen = {"rustbucket_id": of, "observed_at": at, "outcome": outcome, "detail": "why"}
            connection.execute(insert(rustbucket_status).values(seen))
    return of


def test_of_every_rustbucket_that_isn_t_well_the_cause_is_told(bench: Bench) -> None:
    for number, outcome in enumerate(("arrival", "silent", "timeout", "unknown", "unseen", None), 1):
        rustbucket(bench, number, outcome)
    rustbucket(bench, 7, "ok", at=NOW - HOUR)
    rustbucket(bench, 8, None, status="review")
    rustbucket(bench, 9, None, status="inactive")
    seen = found(looking_at(bench, "rustbuckets"))
    assert seen["fleet"] == (Health.OK, "1 of 7 are well")
    assert "BKT1" not in seen
    assert "BKT9" not in seen
    words = {
        "BKT2": "no logs since",
        "BKT3": "poll: timeout: why",
        "BKT4": "nothing ever came",
        "BKT5": "no pull looked",
    }
    words |= {"BKT6": "not observed ever", "BKT7": "not observed since", "BKT8": "never approved, 10 days"}
    for of, word in words.items():
        assert word in seen[of][1], of
    unknown = {of for of, (health, _) in seen.items() if health is Health.UNKNOWN}
    assert unknown == {"BKT5", "BKT6", "BKT7"}


def test_claude_is_off_without_a_key_and_its_budget_s_end_is_an_alert_until_midnight(
    bench: Bench, changed: Changed
) -> None:
    assert found(looking_at(bench, "claude"))["claude"][0] is Health.OK
    asked = replace(bench, settings=changed(ANTHROPIC_API_KEY="sk-ant-test", CLAUDE_BUDGET_USD_PER_DAY="1"))
    with bench.engine.begin() as connection:
        spent = {"window_start": NOW, "model": "m", "asked_at": NOW - HOUR, "cost_usd": 0.97, "outcome": "answered"}
        connection.execute(insert(claude_calls).values(spent))
    HEALTH_REPORT.run(looking_at(asked, "claude"))
    assert open_kinds(bench) == [("claude_budget_spent", "budget of the day")]
    HEALTH_REPORT.run(looking_at(asked, "claude", now=NOW + DAY))
    assert open_kinds(bench) == []
    plain = replace(bench, settings=changed(ANTHROPIC_API_KEY="sk-ant-test", CLAUDE_BASE_URL="http://example.com"))
    assert found(looking_at(plain, "claude"))["claude"][0] is Health.ERROR


def report(bench: Bench, start: datetime, status: str, *rules: str) -> None:
    """A report of that window, with findings of these rules."""
    values = {"window_start": start, "revision": 1, "status": status, "severity": "low", "report": {}}
    words = dict.fromkeys(("analysis_key", "question_key", "digest_sha256", "summary", "completeness"), "")
    with bench.engine.begin() as connection:
        connection.execute(insert(log_analyses).values(created_at=NOW, **values, **words))
        for rule in rules:
            named = {"window_start": start, "revision": 1, "finding_id": "F1", "rule": rule, "title": "", "why": ""}
            more = {"severity": "low", "events": 1, "event_ids": [], "rustbuckets": []}
            connection.execute(insert(findings).values(**named, **more))


def test_what_the_newest_report_says_of_claude_is_an_alert_until_a_newer_one_is_clean(bench: Bench) -> None:
    report(bench, NOW - 8 * HOUR, "model-marked", "prompt-injection")
    HEALTH_REPORT.run(looking_at(bench, "reports"))
    assert open_kinds(bench) == [("claude_citation_failed", "claude"), ("injection_attempt", "attackers' text")]
    report(bench, NOW - 4 * HOUR, "claude")
    HEALTH_REPORT.run(looking_at(bench, "reports"))
    assert open_kinds(bench) == []


@pytest.mark.parametrize(("events", "opens"), [(10_000, True), (90, True), (1_000, False), (3_000, False)])
def test_a_window_of_far_more_or_fewer_events_than_usual_is_an_alert(bench: Bench, *, events: int, opens: bool) -> None:
    first = NOW.replace(hour=0, minute=0) - 5 * DAY
    rows = [
        {"window_start": first + number * 4 * HOUR, "what": "events", "events": 1000 if number < 29 else events}
        for number in range(30)
    ]
    with bench.engine.begin() as connection:
        connection.execute(insert(window_counts), rows)
    HEALTH_REPORT.run(looking_at(bench, "logs"))
    assert open_kinds(bench) == ([("volume_changed", "fleet")] if opens else [])


def test_every_kind_that_health_owns_ends_by_itself(bench: Bench) -> None:
    owned = sorted({kind for one in COMPONENTS for kind in one.kinds} - {Kind.DAEMON_SILENT})
    with bench.engine.begin() as connection:
        row = {"severity": "error", "cause": "", "opened_at": NOW - HOUR, "last_seen_at": NOW - HOUR, "subject": "x"}
        connection.execute(insert(alerts), [row | {"kind": kind.value} for kind in owned])
    HEALTH_REPORT.run(replace(bench, clock=lambda: datetime.now(UTC)))
    assert open_kinds(bench) == []
