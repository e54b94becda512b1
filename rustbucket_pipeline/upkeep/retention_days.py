"""Days of rows as they grow old: frozen after `RUSTBUCKET_EVENTS_KEEP_DAYS`, expired after `…_FROZEN_KEEP_DAYS`.

A day goes as a whole. One whose hours aren't all built from what is archived stays as it is: unknown is kept. Of an
expired day the rows of rustbuckets that are held stay frozen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Engine, func, select, text

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.closed_days import (
    FrozenDay,
    days_between,
    frozen_between,
    hold_day,
    note_closed,
    window_of,
)
from rustbucket_pipeline.storage.freezing import freeze_day, frozen_day, replace_frozen, scratch
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.retention_tables import closed_days, holds
from rustbucket_pipeline.storage.tables import hour_counts

MOST_DAYS = 60
"""Days frozen, or expired, a night: a first run of years takes some nights."""

_PARTITIONS = text(
    "SELECT min(to_date(right(relname, 10), 'YYYY_MM_DD')) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
    "WHERE inhparent = 'log_events'::regclass"
)


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What becomes of days: those to freeze, to expire, and those that should be frozen but wait, and why."""

    freeze: tuple[date, ...]
    expire: tuple[FrozenDay, ...]
    waiting: tuple[str, ...]
    more: bool

    @property
    def empty(self) -> bool:
        """Whether nothing is to be done."""
        return not self.freeze and not self.expire


def plan_days(connection: Connection, settings: Settings, now: datetime) -> DayPlan:
    """What is to be done now; oldest first."""
    today = now.astimezone(UTC).date()
    old = list(_open_days(connection, settings, now, today - timedelta(days=settings.events_keep_days)))
    ready, waiting = list[date](), list[str]()
    for day in old:
        window = window_of(day)
        unbuilt = connection.execute(
            load_sql("rustbucket_pipeline.upkeep", "unbuilt_hours"), {"start": window.start, "end": window.end}
        ).scalar()
        if unbuilt is None:
            ready.append(day)
        else:
            waiting.append(f"{day} stays: {unbuilt:%H:%M} isn't built from what is archived of it")
    expired = [
        frozen
        for frozen in reversed(frozen_between(connection, None, _start(today, settings.frozen_keep_days)))
        if _may_expire(connection, frozen)
    ]
    more = len(ready) > MOST_DAYS or len(expired) > MOST_DAYS
    return DayPlan(tuple(ready[:MOST_DAYS]), tuple(expired[:MOST_DAYS]), tuple(waiting), more)


def expire_day(engine: Engine, archive: Archive, settings: Settings, frozen: FrozenDay, now: datetime) -> int:
    """Delete a frozen day's rows but those of rustbuckets that are held; how many rows went.

    Raises:
        IntegrityError: rows are held, and the day's object is missing or altered; nothing is deleted.
    """
    with scratch(settings) as directory, engine.begin() as connection:
        hold_day(connection, frozen.day)
        before = frozen_day(connection, frozen.day)
        held = held_rustbuckets(connection)
        kept = FrozenDay(frozen.day, None, None, 0, 0)
        if held and before.object_key is not None:
            kept = replace_frozen(
                connection, archive, before, directory, lambda row: row if row["rustbucket_id"] in held else None, now
            )
        if not kept.rows:
            note_closed(connection, frozen.day, "expired", now)
    if before.object_key is not None and before.object_key != kept.object_key:
        archive.delete(before.object_key)  # last: an object without a row is cleaned up, a row without one is a loss
    return before.rows - kept.rows


def held_rustbuckets(connection: Connection) -> frozenset[str]:
    """The rustbuckets of which nothing may go."""
    return frozenset(connection.execute(select(holds.c.rustbucket_id).where(holds.c.released_at.is_(None))).scalars())


def freeze(engine: Engine, archive: Archive, settings: Settings, day: date, now: datetime) -> int:
    """Freeze a day, and delete the object it had before it was thawed; how many rows it has."""
    with engine.connect() as connection:
        before = connection.execute(select(closed_days.c.object_key).where(closed_days.c.day == day)).scalar()
    frozen = freeze_day(engine, archive, settings, day, now)
    if before is not None and before != frozen.object_key:
        archive.delete(before)
    return frozen.rows


def _open_days(connection: Connection, settings: Settings, now: datetime, until: date) -> Iterator[date]:
    """The days before `until` that are open, or thawed for long enough."""
    oldest = connection.execute(_PARTITIONS).scalar()
    first = settings.first_window(now).date()
    known = {row.day: row for row in connection.execute(select(closed_days))}
    for day in days_between(min(first, oldest or first), until):
        row = known.get(day)
        if row is None or (row.state == "thawed" and (row.thawed_until is None or row.thawed_until <= now)):
            yield day


def _may_expire(connection: Connection, frozen: FrozenDay) -> bool:
    """Whether an old frozen day has more rows than those that are held, or none at all."""
    window, held = frozen.window, held_rustbuckets(connection)
    query = select(func.coalesce(func.sum(hour_counts.c.events), 0)).where(
        hour_counts.c.hour >= window.start, hour_counts.c.hour < window.end, hour_counts.c.rustbucket_id.in_(held)
    )
    return not frozen.rows or frozen.rows > connection.execute(query).scalar_one()


def _start(day: date, days_before: int) -> datetime:
    return window_of(day - timedelta(days=days_before)).start
