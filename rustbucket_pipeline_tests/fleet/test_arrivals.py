"""Rustbuckets that aren't asked are told by their logs: past its deadline silence is silence, never health."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select, update

from rustbucket_pipeline.alerts.book import raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.fleet.arrivals import Arrivals
from rustbucket_pipeline.fleet.status import observe_fleet
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.tables import rustbucket_status, rustbuckets, segments, source_files, window_builds
from rustbucket_pipeline_tests.fleet.conftest import NOW, Register

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def _arrives(
    database: Engine, rustbucket_id: str, until: datetime, pulled_at: datetime, period: timedelta = HOUR
) -> None:
    """Note in the ledger that a file with events until then was pulled."""
    with database.begin() as connection:
        start = until - timedelta(minutes=30)
        file_id = connection.execute(
            insert(source_files)
            .values(
                rustbucket_id=rustbucket_id, key=f"i/{until:%Y-%m-%d-%H-%M}", size=1, consumed=1, prefix_sha256="",
                clock=until, after_text=False, period_start=start, period_end=start + period,
                first_seen_at=pulled_at, last_seen_at=pulled_at,
            )
            .returning(source_files.c.id)
        ).scalar_one()  # fmt: skip
        connection.execute(
            insert(segments).values(
                log_id=file_id, source_file_id=file_id, rustbucket_id=rustbucket_id, window_start=start, byte_start=0,
                byte_end=1, object_key="k", stored_bytes=1, sha256="", previous_sha256="", chain_sha256="", records=1,
                first_event_ts=start, last_event_ts=until, clock=start, after_text=False, vouched_from=start,
                vouched_until=until, pulled_at=pulled_at,
            )
        )  # fmt: skip
        connection.execute(update(rustbuckets).where(rustbuckets.c.id == rustbucket_id).values(last_log_at=until))


def _pulls(database: Engine, now: datetime) -> None:
    """Note that a pull of the whole fleet ended well."""
    with database.begin() as connection:
        connection.execute(
            insert(window_builds).values(
                asset="log_archives", window_start=now, inputs_version="", output_version="", code_version="",
                built_at=now,
            )
        )  # fmt: skip


def _observe(database: Engine, settings: Settings, now: datetime, *, looked: bool = True) -> str:
    if looked:
        _pulls(database, now)
    observe_fleet(database, settings, now)
    with database.connect() as connection:
        query = select(rustbucket_status.c.outcome).where(rustbucket_status.c.observed_at == now)
        return connection.execute(query).scalar_one()


def _open_alerts(database: Engine) -> list[str]:
    with database.connect() as connection:
        return list(connection.execute(select(alerts.c.kind).where(alerts.c.closed_at.is_(None))).scalars())


def test_nothing_ever_is_unknown_and_not_seen(database: Engine, fleet_settings: Settings, register: Register) -> None:
    register()
    assert _observe(database, fleet_settings, NOW) == "unknown"
    assert _open_alerts(database) == []
    with database.connect() as connection:
        assert connection.execute(select(rustbuckets.c.last_seen)).scalar_one() is None


def test_nothing_for_days_after_approval_alerts(database: Engine, fleet_settings: Settings, register: Register) -> None:
    register()
    assert _observe(database, fleet_settings, NOW + 3 * DAY) == "unknown"
    assert _open_alerts(database) == ["silent_sensor"]


def test_bytes_since_the_observation_before_are_an_arrival(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    added = register()
    _observe(database, fleet_settings, NOW)
    _arrives(database, added.id, until=NOW - 5 * DAY, pulled_at=NOW + timedelta(minutes=1))
    assert _observe(database, fleet_settings, NOW + timedelta(minutes=15)) == "arrival"
    with database.connect() as connection:
        assert connection.execute(select(rustbuckets.c.last_seen)).scalar_one() == NOW + timedelta(minutes=1)


def test_silence_begins_at_the_deadline_and_ends_with_bytes(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    added = register()
    watermark = NOW - timedelta(minutes=10)
    due = NOW + HOUR + timedelta(hours=2, minutes=15)
    _arrives(database, added.id, watermark, pulled_at=NOW)
    assert [_observe(database, fleet_settings, at) for at in (NOW, due)] == ["arrival", "arrival"]
    assert _observe(database, fleet_settings, due + timedelta(seconds=1)) == "silent"
    assert _open_alerts(database) == ["silent_sensor"]
    _arrives(database, added.id, due, pulled_at=due + HOUR)
    assert _observe(database, fleet_settings, due + HOUR) == "arrival"
    assert _open_alerts(database) == []


def test_while_no_pull_ends_well_nobody_is_silent(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    added = register()
    _arrives(database, added.id, NOW, pulled_at=NOW)
    _observe(database, fleet_settings, NOW)
    assert _observe(database, fleet_settings, NOW + DAY, looked=False) == "unseen"
    assert _open_alerts(database) == []
    assert _observe(database, fleet_settings, NOW + DAY + HOUR) == "silent"


def test_one_whose_source_can_t_be_read_is_not_silent_but_that(
    database: Engine, fleet_settings: Settings, register: Register
) -> None:
    added = register()
    _arrives(database, added.id, NOW, pulled_at=NOW)
    _observe(database, fleet_settings, NOW)
    with database.begin() as connection:
        raise_(connection, Kind.SOURCE_FAILED, added.id, "gone", Kind.SOURCE_FAILED.severity, NOW)
    assert _observe(database, fleet_settings, NOW + DAY) == "unseen"
    assert _open_alerts(database) == ["source_failed"]


def test_silence_isnt_being_seen(database: Engine, fleet_settings: Settings, register: Register) -> None:
    added = register()
    _arrives(database, added.id, NOW, pulled_at=NOW)
    _observe(database, fleet_settings, NOW + HOUR)
    assert _observe(database, fleet_settings, NOW + DAY) == "silent"
    with database.connect() as connection:
        assert connection.execute(select(rustbuckets.c.last_seen)).scalar_one() == NOW


def test_daily_files_have_a_day_more(database: Engine, fleet_settings: Settings, register: Register) -> None:
    added = register()
    _arrives(database, added.id, NOW, pulled_at=NOW, period=DAY)
    midnight = NOW.replace(hour=0) + DAY
    assert _observe(database, fleet_settings, midnight + HOUR) == "arrival"
    assert _observe(database, fleet_settings, midnight + DAY + timedelta(hours=26)) == "arrival"
    assert _observe(database, fleet_settings, midnight + DAY + timedelta(hours=26, seconds=1)) == "silent"


@pytest.mark.parametrize(
    ("watermark", "daily", "due"),
    [
        ("10:59", False, "14:15"),
        ("11:00", False, "15:15"),
        ("11:59", False, "15:15"),
    ],
)
def test_the_first_hour_of_which_nothing_came_has_a_deadline(watermark: str, *, daily: bool, due: str) -> None:
    at = NOW.replace(hour=int(watermark[:2]), minute=int(watermark[3:]))
    found = Arrivals("BKT1", at, NOW, daily, NOW, NOW).due
    assert found is not None
    assert f"{found:%H:%M}" == due
