"""One rustbucket that makes many built hours stale at once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from rustbucket_pipeline.model.window import HOUR, Window, windows_between
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.builds import Build, record_build
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, json_line

START = NINE - timedelta(days=10)


def flood(fleet: FleetOnDisk, hours: int) -> None:
    """Late lines, one for each half hour of so many hours, which are all built."""
    with fleet.engine.begin() as connection:
        for window in windows_between(START, START + hours * HOUR, HOUR):
            record_build(connection, Build("parsed_logs", window, "1", "1", "1", None), fleet.now)
            fleet.write(f"late/rustbucket.log.{window.start:%Y-%m-%d-%H}", lines(window))


def lines(window: Window) -> bytes:
    return json_line(window.start + timedelta(minutes=1)) + json_line(window.start + timedelta(minutes=31))


def floods(fleet: FleetOnDisk) -> list[str]:
    query = select(alerts.c.subject).where(alerts.c.kind == "late_flood", alerts.c.closed_at.is_(None))
    with fleet.engine.connect() as connection:
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize(("hours", "alerted"), [(48, []), (49, [BKT])])
def test_more_than_96_built_half_hours_made_stale_in_one_pull_are_a_flood(
    fleet: FleetOnDisk, hours: int, alerted: list[str]
) -> None:
    flood(fleet, hours)
    fleet.pull()
    assert floods(fleet) == alerted
    fleet.pull()
    assert floods(fleet) == []


def test_late_bytes_of_hours_that_were_never_built_are_none(fleet: FleetOnDisk) -> None:
    for window in windows_between(START, START + 60 * HOUR, HOUR):
        fleet.write(f"late/rustbucket.log.{window.start:%Y-%m-%d-%H}", lines(window))
    assert len(fleet.pull().windows) == 120
    assert floods(fleet) == []
