"""Figures and their trends: sums of a week against the one before, states against what was kept, nothing made up."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, func, select

from docs.statistics import figures_table
from rustbucket_pipeline.alerts.book import raise_
from rustbucket_pipeline.alerts.kinds import Kind, Severity
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings
from rustbucket_pipeline.storage.statistics_tables import figures
from rustbucket_pipeline.upkeep.statistics import DAY, Measured, keep, measure
from rustbucket_pipeline.upkeep.statistics_figures import FIGURES
from rustbucket_pipeline_tests.upkeep.seeding import NOW, SETTLED, fleet, hours, report, segment


def measured(database: Engine, settings: Settings, now: datetime = NOW) -> dict[str, Measured]:
    with database.connect() as connection:
        return {one.figure.name: one for one in measure(connection, settings, now)}


def test_a_sum_is_of_seven_whole_days_and_stands_against_the_seven_before(database: Engine, settings: Settings) -> None:
    fleet(database, "BKT1", "BKT2")
    hours(database, "BKT1", SETTLED - 15 * DAY, 8 * 24, events=2)
    hours(database, "BKT1", SETTLED - 7 * DAY, 7 * 24, events=3, counted=1)
    hours(database, "BKT2", SETTLED - 1 * DAY, 24, events=5)
    hours(database, "BKT2", SETTLED, 2, events=1_000)  # not yet settled: no part of any day
    events = measured(database, settings)["events"]
    assert (events.value, events.week_ago) == (7 * 72 + 120, 7 * 48)
    assert events.days == (48,) * 7 + (72,) * 6 + (192,)
    assert events.change == pytest.approx(624 / 336 - 1)
    counted = measured(database, settings)["events_counted"]
    assert counted.days[-1] == 24 + 24 * 5


def test_days_before_our_time_are_unknown_and_a_week_of_them_is_compared_with_nothing(
    database: Engine, settings: Settings
) -> None:
    fleet(database, "BKT1")
    hours(database, "BKT1", SETTLED - 9 * DAY - timedelta(hours=1), 1, events=7)
    hours(database, "BKT1", SETTLED - timedelta(hours=1), 1, events=1)
    events = measured(database, settings)["events"]
    assert events.days == (None,) * 4 + (7.0,) + (0.0,) * 8 + (1.0,)
    assert (events.value, events.week_ago, events.change) == (1, None, None)


def test_an_empty_installation_has_every_figure_and_no_trend(database: Engine, settings: Settings) -> None:
    found = measured(database, settings)
    assert list(found) == [figure.name for figure in FIGURES]
    assert {name for name, one in found.items() if one.value} == {"database_bytes"}
    assert all(one.week_ago is None for one in found.values())


def test_a_state_stands_against_the_newest_that_was_kept_a_week_ago(database: Engine, settings: Settings) -> None:
    fleet(database, "BKT1", "BKT2")
    for ago, size in ((9 * DAY, 1), (7.5 * DAY, 2), (7.1 * DAY, 3), (6.9 * DAY, 4), (DAY / 4, 5)):
        with database.begin() as connection:
            rows = {"figure": "source_bytes", "taken_at": NOW - ago, "value": size}
            connection.execute(figures.insert().values(rows))
    segment(database, "BKT1", SETTLED, size=100, stored=10)
    segment(database, "BKT2", SETTLED, size=50, stored=5)
    found = measured(database, settings)
    assert (found["source_bytes"].value, found["source_bytes"].week_ago) == (150, 3)
    assert found["source_bytes"].days == (None,) * 4 + (1, None, 3, 4, *(None,) * 5, 150)
    assert (found["stored_bytes"].value, found["segments"].value) == (15, 2)


def test_reports_are_counted_once_however_often_they_were_revised(database: Engine, settings: Settings) -> None:
    digest = {"clusters": {"sessions": 40, "new": 2}, "indicators": {"new": 3}}
    with database.begin() as connection:
        report(connection, SETTLED - timedelta(hours=6), "low", ("a", "b"), digest=digest)
        report(connection, SETTLED - timedelta(hours=6), "high", ("a", "b", "c"), revision=2)
        report(connection, SETTLED - timedelta(hours=10), "medium", (), digest=digest)
    fleet(database, "BKT1")
    hours(database, "BKT1", SETTLED - timedelta(hours=3), 1, events=1)
    found = measured(database, settings)
    names = ("windows_reported", "windows_severe", "findings", "sessions", "behaviours_new", "indicators_new")
    assert [found[name].value for name in names] == [2, 1, 3, 80, 4, 6]


def test_hours_that_are_missing_and_alerts_that_are_open_are_counted(database: Engine, settings: Settings) -> None:
    fleet(database, "BKT1")
    segment(database, "BKT1", SETTLED - timedelta(hours=5))
    opens(database, Severity.ERROR)
    found = measured(database, settings)
    assert (found["hours_expected"].value, found["hours_missing"].value) == (24, 4)
    assert (found["alerts_open"].value, found["alerts_open_severe"].value) == (1, 1)


def test_figures_are_kept_once_a_moment(database: Engine, settings: Settings) -> None:
    kept: list[int] = []
    for _ in range(2):
        with database.begin() as connection:
            kept.append(keep(connection, measure(connection, settings, NOW), NOW))
    assert kept == [len(FIGURES), 0]
    with database.connect() as connection:
        assert count(connection) == len(FIGURES)


def opens(database: Engine, severity: Severity) -> None:
    with database.begin() as connection:
        raise_(connection, Kind.RUN_FAILED, "parse_logs", "why", severity, NOW - timedelta(hours=4))


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(figures)).scalar_one()


def test_the_page_of_figures_is_the_list_of_figures() -> None:
    assert figures_table() in (PROJECT_ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
