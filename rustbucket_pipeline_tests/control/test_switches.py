"""Switching schedules on and off: in Dagster's own records, where the planner and the UI look."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from rustbucket_pipeline.control.heartbeat import QUEUE, SILENCE, daemon_runs
from rustbucket_pipeline.control.jobs import PARSE_LOGS
from rustbucket_pipeline.control.runs import switched_off
from rustbucket_pipeline.control.switches import switch
from rustbucket_pipeline.control.timetable import Change, load_timetable, reschedule
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.home import prepare_home

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_job_is_switched_off_and_on_again_once(instance: dg.DagsterInstance, settings: Settings) -> None:
    timetable = load_timetable(settings)
    changes = [switch(instance, PARSE_LOGS, timetable["parse_logs"], NOW, on=on) for on in (True, False, False)]
    assert changes == [False, True, False]
    assert switched_off(instance, timetable) == {"parse_logs"}
    assert switch(instance, PARSE_LOGS, timetable["parse_logs"], NOW, on=True)
    assert switched_off(instance, timetable) == set()


def test_a_job_that_is_off_by_its_timetable_is_switched_on(instance: dg.DagsterInstance, settings: Settings) -> None:
    prepare_home(settings, NOW)
    reschedule(settings, Change(job="parse_logs", by="ann", at=NOW, on=False))
    timetable = load_timetable(settings)
    assert switched_off(instance, timetable) == {"parse_logs"}
    assert switch(instance, PARSE_LOGS, timetable["parse_logs"], NOW, on=True)
    assert switched_off(instance, timetable) == set()


def test_the_daemon_runs_while_its_heart_beats(instance: dg.DagsterInstance) -> None:
    from dagster._daemon.types import DaemonHeartbeat

    assert not daemon_runs(instance, NOW)
    instance.add_daemon_heartbeat(DaemonHeartbeat(NOW.timestamp(), QUEUE, "one", []))
    assert daemon_runs(instance, NOW + SILENCE - timedelta(seconds=1))
    assert not daemon_runs(instance, NOW + SILENCE)
