"""Runs whose process is gone are ended by Dagster's run monitoring and our launcher: real processes, really killed."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from rustbucket_pipeline.control.launcher import CLOCKS_DIFFER, Launcher
from rustbucket_pipeline.settings import PROJECT_ROOT

LAUNCHER = {"module": "rustbucket_pipeline.control.launcher", "class": "Launcher"}
HERE = '{"host": "localhost", "socket": "/tmp/some.socket"}'


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    overrides = {"run_launcher": LAUNCHER, "run_monitoring": {"enabled": True, "max_runtime_seconds": 7200}}
    with dg.instance_for_test(overrides, temp_dir=str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


class Workspace:
    """All that run monitoring wants of one."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance

    def create_request_context(self) -> None:
        return None


def started(instance: dg.DagsterInstance, pid: int, tags: dict[str, str], seconds_ago: float = 0.0) -> dg.DagsterRun:
    """A run under way that noted its process so long ago."""
    run = create_run_for_test(instance, "archive_logs", status=dg.DagsterRunStatus.STARTED, tags=tags)
    note(instance, run, pid, seconds_ago)
    return run


def note(instance: dg.DagsterInstance, run: dg.DagsterRun, pid: int, seconds_ago: float = 0.0) -> None:
    """The run notes a process of its own, as Dagster's launcher does."""
    event = DagsterEvent(
        event_type_value=DagsterEventType.ENGINE_EVENT.value,
        job_name=run.job_name,
        message="Started process for run",
        event_specific_data=EngineEventData.in_process(pid),
    )
    instance.handle_new_event(
        dg.EventLogEntry(
            error_info=None,
            level=logging.DEBUG,
            user_message="",
            run_id=run.run_id,
            timestamp=time.time() - seconds_ago,
            job_name=run.job_name,
            dagster_event=event,
        )
    )


def monitor(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    workspace: Any = Workspace(instance)
    for error in execute_run_monitoring_iteration(workspace, logging.getLogger("test")):
        assert error is None, error
    found = instance.get_run_by_id(run.run_id)
    assert found
    return found.status


def test_a_run_whose_process_was_killed_is_ended_and_says_so(
    instance: dg.DagsterInstance, worker: subprocess.Popen[bytes]
) -> None:
    run = started(instance, worker.pid, {".dagster/grpc_info": HERE})
    assert monitor(instance, run) is dg.DagsterRunStatus.STARTED
    worker.kill()
    worker.wait()
    assert monitor(instance, run) is dg.DagsterRunStatus.FAILURE
    (end,) = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
    assert f"its process {worker.pid} is gone" in end.event_log_entry.get_dagster_event().message


def test_a_process_that_nobody_has_buried_is_gone(
    instance: dg.DagsterInstance, worker: subprocess.Popen[bytes]
) -> None:
    run = started(instance, worker.pid, {".dagster/grpc_info": HERE})
    worker.kill()
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
    assert monitor(instance, run) is dg.DagsterRunStatus.FAILURE


def test_a_later_process_of_the_same_number_isn_t_the_run_s(
    instance: dg.DagsterInstance, worker: subprocess.Popen[bytes]
) -> None:
    run = started(instance, worker.pid, {".dagster/grpc_info": HERE}, seconds_ago=CLOCKS_DIFFER + 60)
    assert monitor(instance, run) is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("order", [1, -1])
def test_a_run_that_was_started_twice_lives_as_long_as_one_of_its_processes(
    instance: dg.DagsterInstance, worker: subprocess.Popen[bytes], order: int
) -> None:
    first, second = (2**22 + 1, worker.pid)[::order]
    run = started(instance, first, {".dagster/grpc_info": HERE})
    note(instance, run, second)
    assert monitor(instance, run) is dg.DagsterRunStatus.STARTED
    worker.kill()
    worker.wait()
    assert monitor(instance, run) is dg.DagsterRunStatus.FAILURE


def test_what_can_t_be_known_counts_as_living(instance: dg.DagsterInstance) -> None:
    gone = 2**22 + 1
    elsewhere = started(instance, gone, {".dagster/grpc_info": '{"host": "pipeline-2", "port": 4000}'})
    assert monitor(instance, elsewhere) is dg.DagsterRunStatus.STARTED
    silent = create_run_for_test(instance, "archive_logs", status=dg.DagsterRunStatus.STARTED)
    assert monitor(instance, silent) is dg.DagsterRunStatus.STARTED


@pytest.mark.parametrize(("all_here", "status"), [(True, WorkerStatus.FAILED), (False, WorkerStatus.RUNNING)])
def test_a_run_that_a_person_started_is_here_if_the_database_is(
    instance: dg.DagsterInstance, all_here: bool, status: WorkerStatus
) -> None:
    launcher = Launcher(all_here=all_here)
    launcher.register_instance(instance)
    assert launcher.check_run_worker_health(started(instance, 2**22 + 1, {})).status is status


def test_the_project_s_instance_watches_over_its_runs(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTBUCKET_HOME", str(own_home))
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.run_launcher, Launcher)
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 7200
        assert instance.run_launcher.check_run_worker_health(started(instance, 2**22 + 1, {})).status.value == "FAILED"
