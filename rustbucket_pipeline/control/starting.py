"""Starting runs for a person: in the daemon's queue while it runs, else in this process; and waiting for their end.

Either way they are runs like any other in Dagster's records. What to run is decided elsewhere (`by_hand.py`).
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, cast

import dagster as dg
from dagster._core.code_pointer import ModuleCodePointer  # Dagster exports none of these
from dagster._core.origin import DEFAULT_DAGSTER_ENTRY_POINT, JobPythonOrigin, RepositoryPythonOrigin

from rustbucket_pipeline.control.by_hand import Stretch
from rustbucket_pipeline.control.heartbeat import daemon_runs
from rustbucket_pipeline.control.jobs import Job
from rustbucket_pipeline.control.ran import BY_HAND, FORCED, WHO, Ran, run_by_id
from rustbucket_pipeline.control.runs import ASKED_BY, DEFINITIONS, PARTITION, QUIET, load_definitions, range_tags
from rustbucket_pipeline.control.switches import repository_origin
from rustbucket_pipeline.errors import PermanentError, TransientError
from rustbucket_pipeline.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from dagster._core.workspace.context import BaseWorkspaceRequestContext

PROCESS = "rustbucket/process"
"""Run tag: host and process that run it themselves, without the daemon."""

POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: Dagster's word for its status, and how many of its windows are built."""

    run_id: str
    status: str
    built: int


Watch = Callable[[Progress], None]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Start:
    """One run to start: of which id, job and windows, for whom, whether forced, and with which run config."""

    run_id: str
    job: Job
    stretch: Stretch
    who: str
    forced: bool
    config: Mapping[str, object]

    @property
    def tags(self) -> dict[str, str]:
        """The run's tags."""
        tags = {ASKED_BY: BY_HAND, WHO: self.who, "rustbucket/why": "forced" if self.forced else "asked for by hand"}
        if self.forced:
            tags[FORCED] = "true"
        return {**tags, **range_tags(*self.stretch)} if self.stretch else tags


@dataclass(frozen=True, slots=True)
class Starter:
    """Starts runs on this instance."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    clock: Clock

    @classmethod
    def of(cls, instance: dg.DagsterInstance, clock: Clock) -> "Starter":
        """With the project's definitions, loaded here: that takes two seconds."""
        return cls(load_definitions(), instance, clock)

    def run(self, start: Start, watch: Watch) -> Ran:
        """Run it to its end, watched.

        Raises:
            TransientError: it was queued, and the daemon ended before it began.
        """
        if daemon_runs(self.instance, self.clock()):
            self._submit(start)
            self._wait(start, watch)
        else:
            with self._watched(start, watch):
                self._execute(start)
        return self._record(start.run_id)

    def _submit(self, start: Start) -> None:
        """Queue the run, as the UI does. The queue asks nothing of the workspace: the daemon has one of its own."""
        job = self.definitions.resolve_job_def(start.job.name)
        origin = repository_origin()
        self.instance.create_run_for_job(
            job,
            run_id=start.run_id,
            run_config=start.config,
            status=dg.DagsterRunStatus.NOT_STARTED,
            tags=_with_own_tags(job, start.tags),
            remote_job_origin=origin.get_job_origin(start.job.name),
            job_code_origin=JobPythonOrigin(
                start.job.name,
                RepositoryPythonOrigin(
                    executable_path=sys.executable,
                    code_pointer=ModuleCodePointer(DEFINITIONS, "defs", os.fspath(PROJECT_ROOT)),
                    entry_point=DEFAULT_DAGSTER_ENTRY_POINT,
                ),
            ),
        )
        self.instance.submit_run(start.run_id, cast("BaseWorkspaceRequestContext", None))

    def _execute(self, start: Start) -> None:
        tags = {**start.tags, PROCESS: f"{socket.gethostname()} {os.getpid()}"}
        self.definitions.resolve_job_def(start.job.name).execute_in_process(
            instance=self.instance,
            run_id=start.run_id,
            partition_key=tags.get(PARTITION),
            tags=tags,
            raise_on_error=False,
            run_config={**QUIET, **start.config},
        )

    def _wait(self, start: Start, watch: Watch) -> None:
        seen = _Watching(self.instance, start)
        while True:
            run = self._record(start.run_id)
            watch(seen.progress(run))
            if run.finished:
                return
            if run.status == dg.DagsterRunStatus.QUEUED.value and not daemon_runs(self.instance, self.clock()):
                raise TransientError(
                    f"run {run.id[:8]} is queued, and the daemon has ended; `rustbucket up` starts both, "
                    f"`rustbucket jobs kill {run.id[:8]}` takes it back"
                )
            time.sleep(POLL_SECONDS)

    @contextmanager
    def _watched(self, start: Start, watch: Watch) -> Generator[None]:
        """Watch from a thread of its own: this one runs the job, and is the one that Ctrl-C reaches."""
        over = Event()
        seen = _Watching(self.instance, start)

        def look() -> None:
            if run := run_by_id(self.instance, start.run_id):
                watch(seen.progress(run))

        def look_on() -> None:
            while not over.wait(POLL_SECONDS):
                look()

        thread = Thread(target=look_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            look()

    def _record(self, run_id: str) -> Ran:
        run = run_by_id(self.instance, run_id)
        if run is None:
            raise PermanentError(
                f"run {run_id[:8]} is gone: somebody deleted it; `rustbucket jobs list` shows what is left"
            )
        return run


def _with_own_tags(job: dg.JobDefinition, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags, and those that every run of the job has."""
    key = tags.get(PARTITION)
    own: Mapping[str, str] = job.get_tags_for_partition_key(key, selected_asset_keys=None) if key else {}
    return {**job.run_tags, **own, **tags}


class _Watching:
    """Counts the windows that a run has built, reading each event once."""

    def __init__(self, instance: dg.DagsterInstance, start: Start) -> None:
        self._instance, self._run_id, self._job = instance, start.run_id, start.job
        self._cursor: str | None = None
        self._built: set[str] = set()

    def progress(self, run: Ran) -> Progress:
        more = True
        while more:
            page = self._instance.get_records_for_run(
                self._run_id, cursor=self._cursor, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION, limit=1000
            )
            self._cursor, more = page.cursor, page.has_more
            events = (record.event_log_entry.dagster_event for record in page.records)
            self._built |= {
                event.partition or ""
                for event in events
                if event and event.asset_key and event.asset_key.to_user_string() == self._job.assets[-1]
            }
        return Progress(run.id, run.status, len(self._built))
