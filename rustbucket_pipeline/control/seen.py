"""Dagster's records as upkeep is told of them (`upkeep/dagster_seen.py`): heartbeats, jobs, runs, logs. Reads only."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster_shared.error import SerializableErrorInfo
from sqlalchemy import Connection, Engine

from rustbucket_pipeline.control.job_log import directory_of
from rustbucket_pipeline.control.job_log_reading import last_lines
from rustbucket_pipeline.control.jobs import JOBS, Job
from rustbucket_pipeline.control.ran import Ran, error_of, ran
from rustbucket_pipeline.control.runs import UNFINISHED, switched_off, targets
from rustbucket_pipeline.control.states import stale_windows
from rustbucket_pipeline.control.success import last_success
from rustbucket_pipeline.control.timetable import load_timetable
from rustbucket_pipeline.errors import DatabaseUnavailable
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.upkeep.dagster_seen import Heartbeat, JobSeen, LogLine, RunSeen

LOOK_BACK = timedelta(days=2)
"""How far back windows are looked at that should be built; what is older is the heal sensor's in any case."""

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """This instance, our database and settings: a `DagsterSeen`."""

    instance: dg.DagsterInstance
    engine: Engine
    settings: Settings

    def heartbeats(self) -> list[Heartbeat]:
        """Each part of the daemon that this instance needs."""
        known = self.instance.get_daemon_heartbeats()
        return [
            Heartbeat(part.lower(), datetime.fromtimestamp(beat.timestamp, UTC), _errors(beat.errors))
            if (beat := known.get(part))
            else Heartbeat(part.lower(), None)
            for part in self.instance.get_required_daemon_types()
        ]

    def jobs(self, now: datetime) -> list[JobSeen]:
        """Every job, in the table's order."""
        off = switched_off(self.instance, load_timetable(self.settings))
        first = self._first_run()
        with self.engine.connect() as connection:
            return [self._job(connection, job, job.name not in off, first, now) for job in JOBS]

    def unfinished(self) -> list[RunSeen]:
        """The runs that haven't ended, of whatever job, oldest first."""
        records = self.instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED), ascending=True)
        return [_run(_job_of(record.dagster_run), ran(record)) for record in records]

    def runs(self, since: datetime) -> Iterator[RunSeen]:
        """The runs of our jobs that were made since then, newest first."""
        cursor, made = None, dg.RunsFilter(created_after=since)
        while page := self.instance.get_run_records(made, limit=_PAGE, cursor=cursor):
            cursor = page[-1].dagster_run.run_id
            for record in page:
                run, job = ran(record), _job_of(record.dagster_run)
                if job is None:
                    continue
                failed = run.status == dg.DagsterRunStatus.FAILURE.value
                yield _run(job, run, error_of(self.instance, run.id) if failed else None)

    def log(self, job: str, most: int) -> list[LogLine]:
        """The job's newest log lines, oldest first."""
        lines = last_lines(directory_of(self.settings), job, most)
        return [LogLine(line.time, line.level, line.job, line.run, line.message) for line in lines]

    def _job(self, connection: Connection, job: Job, on: bool, first: datetime | None, now: datetime) -> JobSeen:
        success = last_success(self.instance, job)
        due = _windows_due(connection, job, first, now) if job.window else _due(job, success or first, now)
        return JobSeen(job.name, on, job.late_after, success, due if on else None)

    def _first_run(self) -> datetime | None:
        """When the oldest run that is known was made: before that, nothing can be overdue."""
        (oldest, *_) = [*self.instance.get_run_records(limit=1, ascending=True), None]
        return oldest.create_timestamp.replace(tzinfo=UTC) if oldest else None


def _due(job: Job, success: datetime | None, now: datetime) -> datetime | None:
    return success + job.late_after if success and success + job.late_after < now else None


def _windows_due(connection: Connection, job: Job, first: datetime | None, now: datetime) -> datetime | None:
    """Since when the first window of the job that isn't built should have been; what was before our time had none."""
    if first is None:
        return None
    midnight = (now - LOOK_BACK).replace(hour=0, minute=0, second=0, microsecond=0)
    dues = [
        max(one.window.end, one.changed_at or one.window.end, first) + job.late_after
        for asset in job.assets
        for one in stale_windows(connection, asset, midnight, now)
    ]
    return min((due for due in dues if due < now), default=None)


def _job_of(run: dg.DagsterRun) -> str | None:
    return next((job.name for job in JOBS if job.name == run.job_name or targets(run, job)), None)


def _run(job: str | None, run: Ran, error: str | None = None) -> RunSeen:
    return RunSeen(run.id, job or "–", run.status, run.created, run.started, run.ended, run.seconds, error)


def _errors(errors: Iterable[SerializableErrorInfo] | None) -> tuple[str, ...]:
    """The first line of each; Dagster keeps them with their tracebacks."""
    return tuple((error.message.strip().splitlines() or [""])[0] for error in errors or ())


@dataclass(frozen=True, slots=True)
class Unseen:
    """A `DagsterSeen` while Dagster's records can't be read: every question says so."""

    why: str

    def heartbeats(self) -> list[Heartbeat]:
        """Raises `DatabaseUnavailable`, as every other."""
        raise DatabaseUnavailable(self.why)

    def jobs(self, now: datetime) -> list[JobSeen]:
        """Raises `DatabaseUnavailable`."""
        raise DatabaseUnavailable(self.why)

    def unfinished(self) -> list[RunSeen]:
        """Raises `DatabaseUnavailable`."""
        raise DatabaseUnavailable(self.why)

    def runs(self, since: datetime) -> list[RunSeen]:
        """Raises `DatabaseUnavailable`."""
        raise DatabaseUnavailable(self.why)

    def log(self, job: str, most: int) -> list[LogLine]:
        """Raises `DatabaseUnavailable`."""
        raise DatabaseUnavailable(self.why)
