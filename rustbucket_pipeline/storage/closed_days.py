"""Which days are open, frozen or expired, and what that forbids: nothing is built of a day that isn't open.

Frozen: its rows are Parquet in the archive (`freezing`). Expired: they are deleted. Whoever builds a window asks
`require_open` in its own transaction, after it took its lock; whoever closes a day holds all of these locks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.errors import WindowClosed
from rustbucket_pipeline.model.window import FOUR_HOURS, HOUR, Window, windows_between
from rustbucket_pipeline.storage.postgres import advisory_locks
from rustbucket_pipeline.storage.retention_tables import closed_days

DAY = timedelta(days=1)

BUILT_OF_ROWS = {"parsed_logs": HOUR, "window_digest": FOUR_HOURS, "log_analysis": FOUR_HOURS}
"""The assets that write or read a day's rows, and how long their windows are: each build holds a lock of its window."""

_CLOSED = ("frozen", "expired")


@dataclass(frozen=True, slots=True)
class FrozenDay:
    """A day whose rows are an object of the archive; `object_key` is None where there were none."""

    day: date
    object_key: str | None
    sha256: str | None
    stored_bytes: int
    rows: int

    @property
    def window(self) -> Window:
        """The day, UTC."""
        return window_of(self.day)


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A day that retention has touched: since when it is what it is, and until when if thawed. Times are UTC."""

    day: date
    state: str
    rows: int
    stored_bytes: int | None
    since: datetime
    until: datetime | None


def window_of(day: date) -> Window:
    """The day as a window."""
    return Window(datetime.combine(day, time(), UTC), DAY)


def require_open(connection: Connection, windows: Sequence[Window]) -> None:
    """Let pass what may be built.

    Raises:
        WindowClosed: one of the windows is frozen or expired.
    """
    days = {window.start.date() for window in windows}
    query = select(closed_days.c.day, closed_days.c.state).where(
        closed_days.c.day.in_(days), closed_days.c.state.in_(_CLOSED)
    )
    closed = connection.execute(query.order_by(closed_days.c.day).limit(1)).first()
    if closed is None:
        return
    was = "its rows are in the archive, as Parquet" if closed.state == "frozen" else "its rows were deleted"
    raise WindowClosed(
        f"{closed.day} is {closed.state} ({was}), so nothing of it is built anew and nothing was changed; "
        f"`rustbucket archive thaw {closed.day}` opens it"
    )


def hold_day(connection: Connection, day: date) -> None:
    """Wait for every build of the day, and keep others out until the transaction ends."""
    for asset, length in BUILT_OF_ROWS.items():
        hold_windows(connection, asset, window_of(day).parts(length))


def hold_windows(connection: Connection, asset: str, windows: Iterable[Window]) -> None:
    """Wait for builds of these windows, in their order, and keep others out until the transaction ends."""
    advisory_locks(connection, [f"{asset} {window.key}" for window in windows])


def state_of(connection: Connection, day: date) -> str:
    """`open`, `frozen`, `thawed` or `expired`."""
    state = connection.execute(select(closed_days.c.state).where(closed_days.c.day == day)).scalar()
    return state or "open"


def frozen_between(connection: Connection, start: datetime | None, end: datetime | None) -> list[FrozenDay]:
    """The frozen days that overlap `[start, end)`, newest first; None: without that border."""
    query = select(closed_days).where(closed_days.c.state == "frozen")
    if start is not None:
        query = query.where(closed_days.c.day >= start.astimezone(UTC).date())
    if end is not None:
        query = query.where(closed_days.c.day < _day_after(end))
    rows = connection.execute(query.order_by(closed_days.c.day.desc()))
    return [FrozenDay(row.day, row.object_key, row.sha256, row.stored_bytes or 0, row.rows) for row in rows]


def every_day(connection: Connection) -> list[ClosedDay]:
    """Every day that retention has touched, newest first."""
    names = ("day", "state", "rows", "stored_bytes", "changed_at", "thawed_until")
    query = select(*(closed_days.c[name] for name in names)).order_by(closed_days.c.day.desc())
    return [ClosedDay(*row) for row in connection.execute(query)]


def note_closed(connection: Connection, day: date, state: str, now: datetime, **values: object) -> None:
    """Write down what a day is from now on; what isn't given becomes null, and `rows` 0."""
    row = {"object_key": None, "sha256": None, "stored_bytes": None, "rows": 0, "thawed_until": None}
    row |= {"state": state, "changed_at": now, **values}
    statement = insert(closed_days).values(day=day, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["day"], set_=row))


def days_between(start: date, end: date) -> Iterator[date]:
    """The days in `[start, end)`, in order."""
    return (window.start.date() for window in windows_between(window_of(start).start, window_of(end).start, DAY))


def _day_after(moment: datetime) -> date:
    """The first day that begins at or after the moment."""
    day = moment.astimezone(UTC)
    return day.date() if day.time() == time() else (day + DAY).date()
