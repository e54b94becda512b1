"""When jobs tick: the table's own crons, what operators changed, who and when; checked before it is written."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rustbucket_pipeline.control.jobs import JOBS
from rustbucket_pipeline.control.timetable import Change, cron_of, history, load_timetable, reschedule
from rustbucket_pipeline.errors import ConfigurationError, UsageError
from rustbucket_pipeline.settings import Settings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(RUSTBUCKET_HOME=tmp_path)


def change(job: str = "parse_logs", **what: object) -> Change:
    return Change.model_validate({"job": job, "by": "alice", "at": NOON, **what})


def test_without_any_change_jobs_tick_as_their_table_says(settings: Settings) -> None:
    timetable = load_timetable(settings)
    assert {name: timing.cron for name, timing in timetable.items()} == {job.name: job.cron for job in JOBS}
    assert {(timing.timezone, timing.on, timing.testing) for timing in timetable.values()} == {("UTC", True, False)}
    assert list(settings.home.iterdir()) == []


def test_a_change_holds_for_its_job_until_the_next_and_all_are_kept_with_who_and_when(settings: Settings) -> None:
    first = change(cron="*/20 * * * *", timezone="Europe/Berlin")
    second = change(on=False, by='b"o\\b\n\x7f ☃', at=NOON + timedelta(hours=1))
    reschedule(settings, first)
    reschedule(settings, second)
    timing = load_timetable(settings)["parse_logs"]
    assert (timing.cron, timing.timezone, timing.on, timing.changed) == ("*/20 * * * *", "Europe/Berlin", False, second)
    assert load_timetable(settings)["archive_logs"].changed is None
    assert history(settings) == [first, second]
    assert stat.S_IMODE((settings.home / "schedules.toml").stat().st_mode) == 0o600


def test_changes_made_at_once_are_all_kept(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: reschedule(settings, change(cron=f"{n} * * * *")), range(16)))
    assert {one.cron for one in history(settings)} == {f"{n} * * * *" for n in range(16)}


def test_ticks_are_those_of_the_cron_in_its_time_zone(settings: Settings) -> None:
    timing = reschedule(settings, change(cron="30 4 * * *", timezone="Asia/Kolkata"))
    assert timing.tick(NOON) == datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert timing.tick(datetime(2026, 3, 2, 23, tzinfo=UTC)) == datetime(2026, 3, 2, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"job": "parse"}, "no job 'parse'; there are poll_fleet, archive_logs"),
        ({"cron": "61 * * * *"}, "is no cron"),
        ({"cron": "* * * * * *"}, "is no cron"),
        ({"cron": "0 0 31 2 *"}, "is no cron"),
        ({"cron": "0 0 31 4 *"}, "of a day that comes"),
        ({"cron": "tomorrow"}, "is no cron"),
        ({"timezone": "Mars/Base"}, "no time zone 'Mars/Base'"),
        ({"timezone": "../../etc/passwd"}, "no time zone"),
        ({"timezone": "Europe"}, "no time zone"),
    ],
)
def test_what_no_schedule_can_be_is_refused_and_nothing_is_written(
    settings: Settings, wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        reschedule(settings, change(**wrong))  # type: ignore[arg-type]
    assert history(settings) == []


@pytest.mark.parametrize(
    "text", ["cron = ", "change = 1", '[[change]]\njob = "parse_logs"\n', '[[change]]\njob = 1\nby = ""\nat = ""']
)
def test_a_file_that_cannot_be_read_is_named(settings: Settings, text: str) -> None:
    (settings.home / "schedules.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"schedules\.toml can't be read"):
        load_timetable(settings)


def test_a_bad_cron_written_by_hand_is_named_with_its_file(settings: Settings) -> None:
    by_hand = '[[change]]\njob = "parse_logs"\nby = "me"\nat = 2026-03-02T12:00:00Z\ncron = "nonsense"\n'
    (settings.home / "schedules.toml").write_text(by_hand, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"schedules\.toml: parse_logs: 'nonsense' is no cron"):
        load_timetable(settings)


def test_the_dashboard_s_cadence_may_be_set_by_the_environment_and_changed_by_hand(tmp_path: Path) -> None:
    settings = Settings(RUSTBUCKET_HOME=tmp_path, DASHBOARD_UPDATE_INTERVAL="15m")
    assert load_timetable(settings)["dashboard"].cron == "*/15 * * * *"
    assert load_timetable(settings)["statistics"].cron == "50 0-18/6 * * *"
    reschedule(settings, change("dashboard", cron="5 8 * * *"))
    assert load_timetable(settings)["dashboard"].cron == "5 8 * * *"
    with pytest.raises(ConfigurationError, match="DASHBOARD_UPDATE_INTERVAL: '7m' is no cadence"):
        load_timetable(Settings(RUSTBUCKET_HOME=tmp_path / "other", DASHBOARD_UPDATE_INTERVAL="7m"))
    unset = Settings(RUSTBUCKET_HOME=tmp_path / "other", DASHBOARD_UPDATE_INTERVAL="")
    assert load_timetable(unset)["dashboard"].cron == "20 * * * *"


def test_in_test_mode_every_job_ticks_each_5_minutes_whatever_was_changed(tmp_path: Path) -> None:
    settings = Settings(RUSTBUCKET_HOME=tmp_path, RUSTBUCKET_TEST_MODE="true")
    reschedule(settings, change(cron="0 0 * * *"))
    timetable = load_timetable(settings)
    assert {(timing.cron, timing.testing) for timing in timetable.values()} == {("*/5 * * * *", True)}


def test_the_settings_time_zone_holds_for_every_job_not_changed(tmp_path: Path) -> None:
    settings = Settings(RUSTBUCKET_HOME=tmp_path, RUSTBUCKET_TICK_TIMEZONE="Europe/Berlin")
    assert {timing.timezone for timing in load_timetable(settings).values()} == {"Europe/Berlin"}


@pytest.mark.parametrize(
    ("every", "cron"),
    [
        ("1m", "*/1 * * * *"),
        ("30m", "*/30 * * * *"),
        ("60m", "0 * * * *"),
        ("1h", "0 * * * *"),
        ("4h", "0 */4 * * *"),
        ("24h", "0 0 * * *"),
        ("1d", "0 0 * * *"),
    ],
)
def test_a_cadence_that_divides_an_hour_or_a_day_is_a_cron(every: str, cron: str) -> None:
    assert cron_of(every) == cron


@pytest.mark.parametrize("every", ["7m", "5h", "2d", "0m", "", "h", "-1h", "1w", "1h30m", "45m"])
def test_other_cadences_are_refused(every: str) -> None:
    with pytest.raises(UsageError, match="is no cadence"):
        cron_of(every)
