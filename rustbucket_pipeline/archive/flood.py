"""Floods of late data: one rustbucket that makes many built hours stale at once costs everyone their rebuilding."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ARRAY, Connection, DateTime, any_, literal, select

from rustbucket_pipeline.alerts.book import clear, raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.model.window import HOUR, window_at
from rustbucket_pipeline.storage.tables import window_builds

MOST_STALE = 96
"""Half hours, two days of them: the longest that uploads are late on their own is a day."""


def note_flood(connection: Connection, rustbucket_id: str, changed: Collection[datetime], now: datetime) -> None:
    """Alert if one pull of the rustbucket changed more than 96 half hours (by start, UTC) whose rows were built."""
    built = _built(connection, {window_at(start, HOUR).start for start in changed})
    stale = sum(window_at(start, HOUR).start in built for start in changed)
    if stale > MOST_STALE:
        cause = f"one pull brought late bytes for {stale} half hours that were built already; look who wrote them"
        raise_(connection, Kind.LATE_FLOOD, rustbucket_id, cause, Kind.LATE_FLOOD.severity, now)
    else:
        clear(connection, Kind.LATE_FLOOD, rustbucket_id, now, "no flood in a later pull")


def _built(connection: Connection, hours: Collection[datetime]) -> set[datetime]:
    if not hours:
        return set()
    starts = any_(literal(list(hours), ARRAY(DateTime(timezone=True))))
    query = select(window_builds.c.window_start)
    rows = connection.execute(
        query.where(window_builds.c.asset == "parsed_logs", window_builds.c.window_start == starts)
    )
    return set(rows.scalars())
