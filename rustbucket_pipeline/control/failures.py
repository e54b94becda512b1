"""Failed runs as alerts: one for each job and cause, counted, and closed when all of it is built after all.

What failed is kept by job, asset and window; the newest failure of each counts. Which runs failed: `failed.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import dagster as dg
from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.alerts.book import LONGEST_SUBJECT, clear, open_alerts, raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.control.failed import Failed, Seen, failed_since, succeeded_at
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import KEY_FORMAT
from rustbucket_pipeline.storage.alert_tables import run_failures
from rustbucket_pipeline.storage.postgres import load_sql

KINDS = (Kind.RUN_FAILED, Kind.ZOMBIE_RUN)

_CHANGED = ("kind", "cause", "why", "run_id", "began_at", "failed_at")
_NAMED = 5
_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Cause:
    """What an alert is about: runs of this job that failed for this cause."""

    kind: Kind
    job: str
    name: str

    @property
    def subject(self) -> str:
        """The alert's."""
        return bounded(f"{self.job}: {self.name}", LONGEST_SUBJECT)


def look(engine: Engine, instance: dg.DagsterInstance, since: datetime, first: datetime, now: datetime) -> None:
    """Note what failed in runs since then, for a command that doesn't wait for the sensor; windows from `first` on."""
    failed, _ = failed_since(instance, Seen(since), first)
    with engine.begin() as connection:
        note_failures(connection, failed, partial(succeeded_at, instance), now)


def note_failures(
    connection: Connection,
    failed: Sequence[Failed],
    success_of: Callable[[str], datetime | None],
    now: datetime,
) -> int:
    """Note what failed, forget what was built since; open, count and close alerts; how many causes are left.

    `success_of`: when a job last succeeded (UTC), asked of jobs whose failures have no window.
    """
    new = _note(connection, failed)
    connection.execute(load_sql("rustbucket_pipeline.control", "built_since"))
    _forget_succeeded(connection, success_of)
    left = _left(connection)
    for cause, runs in new.items():
        if cause in left:
            raise_(connection, cause.kind, cause.subject, left[cause], cause.kind.severity, now, len(runs))
    lasting = {(cause.kind.value, cause.subject) for cause in left}
    for kind, subject in open_alerts(connection):
        if kind in KINDS and (kind, subject) not in lasting:
            clear(connection, kind, subject, now, "built after all")
    return len(left)


def _note(connection: Connection, failed: Sequence[Failed]) -> dict[Cause, set[str]]:
    """Keep the newest failure of each window; by cause, the runs that weren't seen before."""
    known = set(connection.execute(select(run_failures.c.run_id)).scalars())
    new: dict[Cause, set[str]] = {}
    for one in failed:
        if one.run_id not in known:
            new.setdefault(Cause(one.kind, one.job, one.cause), set()).add(one.run_id)
    newest = {(one.job, one.asset, one.window): one for one in failed}
    rows = [_row(one) for one in newest.values()]
    for start in range(0, len(rows), _ROWS):
        statement = insert(run_failures).values(rows[start : start + _ROWS])
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["job", "asset", "window_start"],
                set_={name: statement.excluded[name] for name in _CHANGED},
                where=run_failures.c.failed_at < statement.excluded.failed_at,
            )
        )
    return new


def _row(one: Failed) -> dict[str, object]:
    return {
        "job": one.job,
        "asset": one.asset,
        "window_start": one.window.start if one.window else None,
        "kind": one.kind.value,
        "cause": one.cause,
        "why": one.why,
        "run_id": one.run_id,
        "began_at": one.began,
        "failed_at": one.at,
    }


def _forget_succeeded(connection: Connection, success_of: Callable[[str], datetime | None]) -> None:
    """Failures without a window are over when their job succeeded since."""
    windowless = run_failures.c.window_start.is_(None)
    for job in connection.execute(select(run_failures.c.job).where(windowless).distinct()).scalars():
        if success := success_of(job):
            mine = windowless & (run_failures.c.job == job) & (run_failures.c.failed_at < success)
            connection.execute(delete(run_failures).where(mine))


def _left(connection: Connection) -> dict[Cause, str]:
    """The causes that last, each with its words: what it is, of which windows, and where to look."""
    columns = (run_failures.c[name] for name in ("kind", "job", "cause", "why", "window_start", "failed_at"))
    by_cause: dict[Cause, list[tuple[datetime, str, datetime | None]]] = {}
    for kind, job, cause, why, window_start, failed_at in connection.execute(select(*columns)):
        by_cause.setdefault(Cause(Kind(kind), job, cause), []).append((failed_at, why, window_start))
    return {cause: _words(cause, rows) for cause, rows in by_cause.items()}


def _words(cause: Cause, rows: Iterable[tuple[datetime, str, datetime | None]]) -> str:
    newest = max(rows)
    starts = sorted({start for _, _, start in rows if start is not None}, reverse=True)
    where = ""
    if starts:
        named = ", ".join(start.strftime(KEY_FORMAT) for start in starts[:_NAMED])
        more = f" and {len(starts) - _NAMED:,} more" if len(starts) > _NAMED else ""
        where = f" (windows {named}{more})"
    return f"{newest[1]}{where}; `rustbucket jobs show {cause.job}` lists the runs"
