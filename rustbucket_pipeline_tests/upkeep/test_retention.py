"""Retention: what is old enough goes, nothing else does, and nothing without a backup of today."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from rustbucket_pipeline.alerts.book import clear, raise_
from rustbucket_pipeline.archive.verify import Selection, verify
from rustbucket_pipeline.errors import ConfigurationError, UsageError, WindowClosed
from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.fleet.holds import every_hold, hold, release
from rustbucket_pipeline.model.window import EPOCH, HOUR, Window
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.closed_days import state_of
from rustbucket_pipeline.storage.freezing import thaw_day
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbuckets
from rustbucket_pipeline.upkeep.backup import make_backup
from rustbucket_pipeline.upkeep.housekeeping import HOUSEKEEPING, WEEKLY_CLEANUP, keep_house
from rustbucket_pipeline_tests.upkeep.years import FREE, HELD, Years

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
SHORT = {
    "RUSTBUCKET_EVENTS_KEEP_DAYS": 8,
    "RUSTBUCKET_FROZEN_KEEP_DAYS": 10,
    "RUSTBUCKET_QUARANTINE_KEEP_DAYS": 8,
    "RUSTBUCKET_RAW_KEEP_DAYS": 11,
    "RUSTBUCKET_SESSIONS_KEEP_DAYS": 9,
    "RUSTBUCKET_IDLE_SESSIONS_KEEP_DAYS": 8,
    "RUSTBUCKET_STATUS_KEEP_DAYS": 8,
    "RUSTBUCKET_BACKUPS_KEEP_DAYS": 2,
    "RUSTBUCKET_SINCE": FIRST,
}


@pytest.fixture
def fleet(changed: Callable[..., Settings], database: Engine, archive: Archive, tmp_path: Path) -> Years:
    """A fleet whose settings keep little; the second rustbucket is held."""
    found = Years(changed(**SHORT), database, archive, tmp_path / "sources", FIRST)
    with database.begin() as connection:
        hold(connection, [HELD], "ann", "case 17", FIRST + timedelta(days=1))
    return found


@pytest.fixture
def years(fleet: Years) -> Years:
    """The same after fourteen days."""
    for number in range(14):
        fleet.live(number, digest=number == 0)
    return fleet


def test_nothing_goes_without_a_backup_of_today_and_a_dry_run_says_what_would_and_why(fleet: Years) -> None:
    fleet.live(0)
    fleet.live(1)
    sizes, now = fleet.sizes(), fleet.night(10)
    dry = HOUSEKEEPING.dry_run(fleet.bench(now))
    assert "would refuse: there is no good backup" in dry.summary
    assert "freeze 2026-03-02: rows older than 8 days" in dry.lines
    status = "status of rustbuckets: 1 rows of rustbucket_status, older than 8 days, since 2026-03-02"
    assert status in dry.lines
    refused = HOUSEKEEPING.run(fleet.bench(now))
    assert not refused.ok
    assert "nothing was deleted: there is no good backup" in refused.summary
    make_backup(fleet.settings, fleet.archive, now - timedelta(hours=25))
    assert "the newest good backup is of" in HOUSEKEEPING.run(fleet.bench(now)).summary
    assert {**fleet.sizes(), "backups": 0} == sizes
    assert WEEKLY_CLEANUP.dry_run(fleet.bench(now)).summary == "nothing was deleted: a dry run"


def test_old_days_freeze_and_expire_and_what_is_held_stays_until_it_is_released(years: Years) -> None:
    told = years.keep_house(13)
    assert told.ok, told
    assert (told.figures["days_frozen"], told.figures["days_expired"]) == (6, 4)
    with years.engine.connect() as connection:
        states = {number: state_of(connection, years.day(number)) for number in range(14)}
    assert {number for number, state in states.items() if state == "open"} == set(range(6, 14))
    assert set(states.values()) == {"open", "frozen"}  # held rows keep their days from being expired
    for (day, one), rows in years.remembered.items():
        gone = one == FREE and day < years.day(4)
        assert years.asked(day, one) == ([] if gone else rows), (day, one)
    assert years.raw_days(FREE) == {years.day(number) for number in range(3, 14)}
    assert years.raw_days(HELD) == {years.day(number) for number in range(14)}
    assert any("kept: all of BKT100002, by legal hold" in line for line in told.lines)
    everything = Selection(EPOCH, years.night(99))
    verified = verify(years.engine, years.archive, years.settings, everything, lambda *_: None)
    assert (verified.problems, verified.expired, verified.manifests) == ((), 3, 1)

    with years.engine.begin() as connection:
        release(connection, [HELD], "ann", years.night(13) + timedelta(hours=1))
    assert years.keep_house(14).ok
    assert years.raw_days(HELD) == {years.day(number) for number in range(4, 14)}
    assert years.asked(years.day(4), HELD) == []
    assert years.asked(years.day(5), HELD) == years.remembered[years.day(5), HELD]
    with years.engine.connect() as connection:
        assert {state_of(connection, years.day(number)) for number in range(5)} == {"expired"}
    sizes = years.sizes()
    assert keep_house(years.bench(years.night(14))).summary == "nothing is older than it may be"
    assert years.sizes() == sizes


def test_a_day_that_isnt_built_or_was_thawed_waits(years: Years) -> None:
    years.keep_house(13)
    day = years.day(5)
    until = years.night(13) + timedelta(days=3)
    thaw_day(years.engine, years.archive, years.settings, day, until, years.night(13))
    with years.engine.begin() as connection:
        stale = "UPDATE window_builds SET inputs_version = 'x' WHERE asset = 'parsed_logs' AND window_start = :hour"
        connection.execute(text(stale), {"hour": FIRST + timedelta(days=6, hours=9)})
    told = years.keep_house(15)
    assert "kept: 2026-03-08 stays: 09:00 isn't built from what is archived of it" in told.lines
    with years.engine.connect() as connection:
        assert [state_of(connection, years.day(number)) for number in (5, 6, 7)] == ["thawed", "open", "frozen"]
    assert years.raw_days(FREE) >= {day}
    years.keep_house(17)
    with years.engine.connect() as connection:
        assert state_of(connection, day) in {"frozen", "expired"}


def test_rustbuckets_never_approved_are_forgotten_after_a_week_and_closed_alerts_after_their_time(
    fleet: Years,
) -> None:
    now = fleet.night(13)
    with fleet.engine.begin() as connection:
        for number, days in ((1, 6), (2, 8)):
            row = {"id": f"BKT{number}", "name": "new", "status": "review", "registered_at": now - timedelta(days=days)}
            connection.execute(rustbuckets.insert().values(row))
            raise_(connection, "poll_failed", f"BKT{number}", "no answer", "warning", now)
        for number, days in ((3, 89), (4, 91)):
            raise_(connection, "late_data", f"BKT{number}", "late", "info", now - timedelta(days=days))
            clear(connection, "late_data", f"BKT{number}", now - timedelta(days=days), "came")
    fleet.keep_house(13)
    with fleet.engine.connect() as connection:
        assert set(connection.execute(select(rustbuckets.c.id)).scalars()) == {FREE, HELD, "BKT1"}
        left = connection.execute(select(alerts.c.subject, alerts.c.closed_by)).all()
    theirs = {tuple(one) for one in left if one.subject.startswith("BKT")}
    assert theirs == {("BKT1", None), ("BKT2", "never approved, so forgotten"), ("BKT3", "came")}


def test_leftovers_go_once_a_week(fleet: Years) -> None:
    now = datetime.now(UTC) + timedelta(days=3)
    fleet.archive.put_new("rows/2026/03/02/0.parquet", b"of a freeze that was killed")
    fleet.archive.put_new("backups/2026-01-01T000000Z/rustbucket.dump.age", b"of a backup that was killed")
    make_backup(fleet.settings, fleet.archive, now - timedelta(hours=1))
    dry = WEEKLY_CLEANUP.dry_run(fleet.bench(now))
    assert dry.figures == {"rows": 0, "objects": 1, "backups": 1}
    assert WEEKLY_CLEANUP.run(fleet.bench(now)).ok
    assert list(fleet.archive.keys("rows")) == []
    assert {key.split("/")[1] for key in fleet.archive.keys("backups")} != {"2026-01-01T000000Z"}


def test_a_hold_has_a_reason_and_is_given_and_released_once(fleet: Years) -> None:
    now = FIRST + timedelta(days=20)
    with fleet.engine.begin() as connection:
        with pytest.raises(UsageError, match="is held already"):
            hold(connection, [HELD], "bob", "again", now)
        with pytest.raises(UsageError, match="has a reason"):
            hold(connection, [FREE], "bob", " ", now)
        with pytest.raises(UsageError, match="isn't held"):
            release(connection, [FREE], "bob", now)
        assert [one.released_by for one in release(connection, [HELD], "bob", now)] == ["bob"]
        assert [(one.held_by, one.reason, one.released_by) for one in every_hold(connection)] == [
            ("ann", "case 17", "bob")
        ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"RUSTBUCKET_RAW_KEEP_DAYS": "100", "RUSTBUCKET_FROZEN_KEEP_DAYS": "101"},
        {"RUSTBUCKET_FROZEN_KEEP_DAYS": "80"},
        {"RUSTBUCKET_QUARANTINE_KEEP_DAYS": "80"},
        {"RUSTBUCKET_EVENTS_KEEP_DAYS": "0"},
        {"BACKUP_VERIFY_COMPONENTS": "objects,everything"},
    ],
)
def test_settings_under_which_rows_outlive_raw_are_refused(
    wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError):
        load_settings()


@pytest.mark.long
def test_two_years_stay_bounded_and_lose_nothing_before_its_time(
    changed: Callable[..., Settings], database: Engine, archive: Archive, tmp_path: Path
) -> None:
    years = Years(changed(RUSTBUCKET_SINCE=FIRST), database, archive, tmp_path / "sources", FIRST)
    with database.begin() as connection:
        hold(connection, [HELD], "ann", "case 17", FIRST)
    most: dict[int, dict[str, int]] = {}
    for number in range(730):
        years.live(number, digest=number % 7 == 0)
        if number % 7 == 6:
            told = years.keep_house(number)
            assert told.ok, told
            most[number] = years.sizes()
            look_back(years, number)
    first, second = most[391], most[727]
    print("\nafter 13 months:", first, "\nafter two years:", second)  # noqa: T201
    for bounded in ("log_events", "partitions", "sightings", "backups"):
        assert second[bounded] <= first[bounded], bounded
    for held in ("raw", "rows", "rustbucket_status", "session_parts"):
        assert second[held] - first[held] == 727 - 391, held  # a day's of the one that is held
    verified = verify(database, archive, years.settings, Selection(EPOCH, years.night(999)), lambda *_: None)
    assert verified.problems == ()
    hour = Window(FIRST + timedelta(hours=9), HOUR)
    with pytest.raises(WindowClosed):
        build_hour(database, archive, hour, years.night(729), None)


def look_back(years: Years, number: int) -> None:
    """Some days of every age answer as they must."""
    for age in (0, 30, 89, 90, 91, 97, 200, 363, 373, 500):
        if number - age < 0:
            continue
        day = years.day(number - age)
        for one in (FREE, HELD):
            gone = one == FREE and age >= 365
            assert years.asked(day, one) == ([] if gone else years.remembered[day, one]), (age, one)
