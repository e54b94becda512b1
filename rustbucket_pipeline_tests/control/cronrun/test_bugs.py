"""The nine bugs of Socorro's cronrun, each tried on our own system, which doesn't have it."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, EngineEventData
from sqlalchemy import text

from rustbucket_pipeline.control.history import open_history
from rustbucket_pipeline.control.jobs import PARSE_LOGS
from rustbucket_pipeline.control.plan import PAUSES
from rustbucket_pipeline.control.pruning import prune
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline_tests.control.cronrun.system import (
    BAD,
    GOOD,
    MARKED,
    PATIENCE_SECONDS,
    YESTERDAY,
    Command,
    System,
    planned,
)
from rustbucket_pipeline_tests.e2e.running import eventually

ASKED = text(
    "UPDATE window_requests SET asked_at = :at, times = :times WHERE job = 'parse_logs' AND window_start = :start"
)


def test_i_a_failed_window_never_counts_as_done(system: System, command: Command) -> None:
    assert planned(command, BAD) is not None
    assert system.built_at("parsed_logs", BAD) is None
    assert system.materialized("parsed_logs", BAD) == []
    told = next(one for one in json.loads(command("jobs", "list", "--json").out) if one["job"] == PARSE_LOGS.name)
    assert BAD.key in told["missed_windows"]
    failed = {run.id for run in system.running.runs() if run.status == "FAILURE"}
    assert (told["last_success"] or {}).get("id") not in failed


@pytest.mark.parametrize(("hours", "due"), [(23, False), (25, True)])
def test_ii_ages_count_whole_days(system: System, command: Command, hours: int, due: bool) -> None:
    """A window that failed again and again is tried daily: 25 hours are more than a day, and not one hour."""
    before = {run.id for run in system.running.runs() if BAD in run.windows}
    place = {"start": BAD.start, "times": len(PAUSES) + 1, "at": datetime.now(UTC) - timedelta(hours=hours)}
    eventually(lambda: stands(command)[0] == "paused", PATIENCE_SECONDS, lambda: planned(command, BAD))
    with system.engine.begin() as connection:
        connection.execute(ASKED, place)
    if due:
        eventually(
            lambda: any(BAD in run.windows and run.id not in before for run in system.running.runs()),
            PATIENCE_SECONDS,
            system.running.runs,
        )
    else:
        eventually(lambda: stands(command) == ("paused", True), PATIENCE_SECONDS, lambda: planned(command, BAD))


def stands(command: Command) -> tuple[str, bool]:
    item = planned(command, BAD) or {}
    return item.get("standing", "built"), item.get("given_up", False)


def test_iii_a_killed_process_leaves_no_lock(system: System, command: Command, instance: dg.DagsterInstance) -> None:
    hour = GOOD[1]
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    tags = {"dagster/partition": hour.key, "dagster/max_retries": "0"}
    run = instance.add_run(
        dg.DagsterRun(PARSE_LOGS.name, run_id=str(uuid4()), tags=tags, status=dg.DagsterRunStatus.STARTED)
    )
    note_process(instance, run, dead.pid)
    command("jobs", "reset", PARSE_LOGS.name, hour.key)
    eventually(
        lambda: next(one for one in system.running.runs() if one.id == run.run_id).status == "FAILURE",
        PATIENCE_SECONDS,
        system.running.runs,
    )
    command("jobs", "run", PARSE_LOGS.name, "--window", hour.key)
    eventually(lambda: planned(command, hour) is None, PATIENCE_SECONDS, lambda: planned(command, hour))


def note_process(instance: dg.DagsterInstance, run: dg.DagsterRun, pid: int) -> None:
    """As a run's process does when it begins."""
    event = DagsterEvent(
        event_type_value=DagsterEventType.ENGINE_EVENT.value,
        job_name=run.job_name,
        message="Started process for run",
        event_specific_data=EngineEventData.in_process(pid),
    )
    instance.report_dagster_event(event, run.run_id)


def test_iv_without_an_error_there_is_none(command: Command) -> None:
    told = {one["job"]: one["last_error"] for one in json.loads(command("jobs", "list", "--json").out)}
    assert told["archive_logs"] is None
    shown = {line.split("\t")[0]: line.split("\t")[-1] for line in command("jobs", "list").out.splitlines()}
    assert shown["archive_logs"] == "–"


def test_v_an_error_is_json_with_words_for_people(system: System, command: Command) -> None:
    told = {one["job"]: one["last_error"] for one in json.loads(command("jobs", "list", "--json").out)}
    error = told[PARSE_LOGS.name]
    assert set(error) == {"run", "at", "message"}
    assert datetime.fromisoformat(error["at"]) <= datetime.now(UTC)
    assert BAD.key in error["message"] or MARKED.key in error["message"]
    assert "Traceback" not in error["message"]
    assert "{" not in error["message"]


def test_vi_a_run_that_failed_before_it_began_is_shown_like_any_other(
    command: Command, instance: dg.DagsterInstance
) -> None:
    run = instance.add_run(dg.DagsterRun("sign_archive", run_id=str(uuid4()), status=dg.DagsterRunStatus.FAILURE))
    try:
        shown = json.loads(command("jobs", "show", "sign_archive", "--json").out)["runs"]
        assert [(one["status"], one["started_at"], one["seconds"]) for one in shown if one["id"] == run.run_id] == [
            ("FAILURE", None, None)
        ]
        assert command("jobs", "list").code == 0
        assert command("jobs", "show", "sign_archive").code == 0
    finally:
        instance.delete_run(run.run_id)


def test_vii_a_reset_says_which_gap_it_leaves_and_nothing_is_forgotten(system: System, command: Command) -> None:
    hour = GOOD[2]
    said = command("jobs", "reset", PARSE_LOGS.name, hour.key).out
    assert f"gap: {hour} due again" in said
    item = planned(command, hour)
    assert item is None or item["standing"] in {"due", "building", "paused"}, "it is built again already, or will be"
    never = Window(YESTERDAY + 20 * HOUR, HOUR)
    assert "nothing to reset" in command("jobs", "reset", PARSE_LOGS.name, never.key).out
    command("jobs", "run", PARSE_LOGS.name, "--window", hour.key)
    eventually(lambda: planned(command, hour) is None, PATIENCE_SECONDS, lambda: planned(command, hour))


def test_viii_what_is_older_goes_at_the_very_moment_it_is(system: System) -> None:
    history, second = open_history(system.settings), timedelta(seconds=1)
    try:
        with history.connect() as connection:
            rows = connection.exec_driver_sql("SELECT update_timestamp FROM runs ORDER BY 1").all()
        ends = [row[0].replace(tzinfo=UTC) for row in rows]

        def going(before: datetime) -> int:
            return prune(history, before, lambda _: None, dry_run=True).runs

        assert going(ends[0]) == 0
        assert going(ends[-1] + second) > 0
        apart = [(one, after) for one, after in pairwise(ends) if after - one > 2 * second]
        assert all(going(one + second) == going(after) for one, after in apart), "nothing goes in between"
    finally:
        history.dispose()


def test_ix_unknown_names_are_refused_by_name(command: Command) -> None:
    for verb in (("reset", "nope"), ("mark-success", "nope", "2026-01-01-00:00", "--reason", "x"), ("kill", "nope1")):
        refused = command("jobs", *verb)
        assert refused.code == 2
        assert verb[1] in refused.err
    for verb in (("reset",), ("mark-success", "--reason", "x")):
        crooked = command("jobs", verb[0], PARSE_LOGS.name, "yesterday", *verb[1:])
        assert crooked.code == 2
        assert "yesterday" in crooked.err
