"""The alert on windows that can't be built: one for each job, opened when tries are used up, closed when they are."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection

from rustbucket_pipeline.alerts.book import clear, open_alerts, raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.control.jobs import CHAIN
from rustbucket_pipeline.control.plan import Planned

_NAMED = 5


def note_overdue(
    connection: Connection, planned: Iterable[Planned], asking: Collection[Planned], now: datetime
) -> None:
    """Open a job's alert when one of its windows is given up, count each of the daily tries, close it with the last."""
    given_up = [item for item in planned if item.given_up]
    opened = {subject for kind, subject in open_alerts(connection) if kind == str(Kind.JOB_OVERDUE)}
    for job in CHAIN:
        windows = [item for item in given_up if item.job is job]
        if windows and (job.name not in opened or any(item in asking for item in windows)):
            raise_(connection, Kind.JOB_OVERDUE, job.name, _cause(windows), Kind.JOB_OVERDUE.severity, now)
        elif not windows and job.name in opened:
            clear(connection, Kind.JOB_OVERDUE, job.name, now, "every window is built again")


def _cause(windows: Collection[Planned]) -> str:
    named = ", ".join(item.window.key for item in list(windows)[:_NAMED]) + (", …" if len(windows) > _NAMED else "")
    tries = max(item.tries for item in windows)
    return (
        f"{len(windows)} windows failed {tries} times ({named}); each is tried once a day now. "
        "The last run says why; `rustbucket plan` shows what waits"
    )
