"""Ending runs: by id or how it begins, waiting ones, ones whose process lives here, and ones whose process is gone."""

import signal
import socket
import subprocess
import sys
import time
from uuid import uuid4

import dagster as dg
import pytest

from rustbucket_pipeline.control.jobs import PARSE_LOGS
from rustbucket_pipeline.control.killing import find_run, kill
from rustbucket_pipeline.control.ran import Ran, ran
from rustbucket_pipeline.control.starting import PROCESS
from rustbucket_pipeline.control.switches import repository_origin
from rustbucket_pipeline.errors import UsageError

PATIENT = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("heard", flush=True))
print("up", flush=True)
time.sleep(60)
"""
"""A program that doesn't end when it is told to."""

STARTED, QUEUED = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.QUEUED


def note(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus = STARTED, run_id: str | None = None, **tags: str
) -> Ran:
    origin = repository_origin().get_job_origin(PARSE_LOGS.name)
    run = dg.DagsterRun(
        job_name=PARSE_LOGS.name, run_id=run_id or str(uuid4()), status=status, tags=tags, remote_job_origin=origin
    )
    instance.add_run(run)
    return find_run(instance, run.run_id)


def status(instance: dg.DagsterInstance, run: Ran) -> str:
    record = instance.get_run_record_by_id(run.id)
    assert record is not None
    return ran(record).status


def test_a_run_is_found_by_how_its_id_begins(instance: dg.DagsterInstance) -> None:
    run = note(instance)
    assert find_run(instance, run.id[:8]).id == run.id


def test_an_unknown_run_or_too_short_a_beginning_is_refused(instance: dg.DagsterInstance) -> None:
    run = note(instance)
    for written in ("nothing", run.id[:3], ""):
        with pytest.raises(UsageError, match="no run"):
            find_run(instance, written)


def test_a_beginning_of_several_runs_names_them(instance: dg.DagsterInstance) -> None:
    ids = [f"aaaa{number}{str(uuid4())[5:]}" for number in range(2)]
    for one in ids:
        note(instance, run_id=one)
    with pytest.raises(UsageError, match=f"{ids[0]}|{ids[1]}"):
        find_run(instance, "aaaa")


def test_a_queued_run_is_taken_out_of_the_queue(instance: dg.DagsterInstance) -> None:
    run = note(instance, QUEUED)
    assert kill(instance, run) == "taken out of the queue"
    assert status(instance, run) == "CANCELED"


def test_a_run_that_has_ended_is_refused(instance: dg.DagsterInstance) -> None:
    with pytest.raises(UsageError, match="has ended: SUCCESS"):
        kill(instance, note(instance, dg.DagsterRunStatus.SUCCESS))


def test_a_run_whose_process_is_gone_counts_as_ended(instance: dg.DagsterInstance) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    run = note(instance, **{PROCESS: f"{socket.gethostname()} {process.pid}"})
    assert kill(instance, run) == "its process is gone; it counts as ended"
    assert status(instance, run) == "CANCELED"


def test_a_run_of_another_machine_is_only_marked(instance: dg.DagsterInstance) -> None:
    run = note(instance, **{PROCESS: "elsewhere 1"})
    assert kill(instance, run) == "its process is gone; it counts as ended"


def test_a_process_that_came_later_under_the_same_number_is_left_alone(instance: dg.DagsterInstance) -> None:
    run = note(instance)  # never started: its process can't be one that lives
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        tagged = note(instance, **{PROCESS: f"{socket.gethostname()} {process.pid}"})
        assert kill(instance, tagged) == "its process is gone; it counts as ended"
        assert process.poll() is None
        process.kill()
    assert status(instance, run) == "STARTED"


def test_a_process_that_doesn_t_end_is_told_to_and_its_run_counts_as_ended(instance: dg.DagsterInstance) -> None:
    with subprocess.Popen([sys.executable, "-c", PATIENT], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        run = note(instance, **{PROCESS: f"{socket.gethostname()} {process.pid}"})
        start_now(instance, run)
        assert kill(instance, run, patience=0.5) == "didn't end by itself; it counts as ended"
        assert process.stdout.readline() == b"heard\n"
        process.send_signal(signal.SIGKILL)
    assert status(instance, run) == "CANCELED"


def start_now(instance: dg.DagsterInstance, run: Ran) -> None:
    """Let Dagster note that the run begins now."""
    from dagster._core.events import DagsterEvent

    started = DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name=PARSE_LOGS.name)
    instance.report_dagster_event(started, run_id=run.id, timestamp=time.time())
