"""Ending runs that a person wants ended: queued ones, ones the daemon started, ones a command runs, and dead ones."""

import os
import signal
import socket
import time

import dagster as dg
import psutil

from rustbucket_pipeline.control.ran import Ran, run_by_id
from rustbucket_pipeline.control.runs import UNFINISHED
from rustbucket_pipeline.control.starting import PROCESS
from rustbucket_pipeline.errors import UsageError

PATIENCE_SECONDS = 30.0
"""How long a run may take to end by itself before it is only marked as ended."""

SHORTEST_PREFIX = 4
_LOOKED_THROUGH = 1000
_POLL_SECONDS = 0.2


def find_run(instance: dg.DagsterInstance, written: str) -> Ran:
    """The run of that id, or the one whose id begins like that.

    Raises:
        UsageError: there is none, or several begin like that.
    """
    if run := run_by_id(instance, written):
        return run
    ids = _beginning(instance, written) if len(written) >= SHORTEST_PREFIX else []
    if len(ids) > 1:
        raise UsageError(f"{len(ids)} runs begin with {written!r}: {', '.join(ids[:5])}; write more of the id")
    run = run_by_id(instance, ids[0]) if ids else None
    if run is None:
        raise UsageError(f"no run {written[:80]!r}; `rustbucket jobs list` and `jobs show NAME` name them")
    return run


def kill(instance: dg.DagsterInstance, run: Ran, patience: float = PATIENCE_SECONDS) -> str:
    """End the run; what was done, in words. What it has built stays; the rest is due again.

    Raises:
        UsageError: it had ended already.
    """
    if run.finished:
        raise UsageError(f"run {run.id[:8]} has ended: {run.status}")
    if run.status in {dg.DagsterRunStatus.QUEUED.value, dg.DagsterRunStatus.NOT_STARTED.value}:
        _mark(instance, run.id)
        return "taken out of the queue"
    told = _tell(instance, run.id)
    deadline = time.monotonic() + (patience if told else 0)
    while True:
        now = run_by_id(instance, run.id)
        if now is None or now.finished:
            return "ended"
        if time.monotonic() >= deadline:
            break
        time.sleep(_POLL_SECONDS)
    _mark(instance, run.id)
    return "didn't end by itself; it counts as ended" if told else "its process is gone; it counts as ended"


def _tell(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Tell the run's process to end; whether somebody was there to be told."""
    run = instance.get_run_by_id(run_id)
    if run is None:
        return False
    if PROCESS not in run.tags:
        try:
            return instance.run_coordinator.cancel_run(run_id)
        except dg.DagsterError:  # the code server that started it is gone, and it with it
            return False
    host, _, pid = run.tags[PROCESS].partition(" ")
    if host != socket.gethostname() or not _is_ours(int(pid), instance, run_id):
        return False
    instance.report_run_canceling(run)  # else Dagster takes the interruption for a failure
    os.kill(int(pid), signal.SIGTERM)  # as SIGINT to Dagster, and nothing in the background ignores it
    return True


def _is_ours(pid: int, instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether it is the process that noted itself, not a later one of the same number."""
    record = instance.get_run_record_by_id(run_id)
    try:
        return record is not None and psutil.Process(pid).create_time() <= (record.start_time or 0)
    except psutil.NoSuchProcess:
        return False


def _mark(instance: dg.DagsterInstance, run_id: str) -> None:
    run = instance.get_run_by_id(run_id)
    if run is not None and run.status in UNFINISHED:
        instance.report_run_canceled(run, message="Ended by `rustbucket jobs kill`.")


def _beginning(instance: dg.DagsterInstance, prefix: str) -> list[str]:
    records = instance.get_run_records(limit=_LOOKED_THROUGH)
    ids = (record.dagster_run.run_id for record in records)
    return [one for one in ids if one.startswith(prefix)]
