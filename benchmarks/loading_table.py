"""The table that every side fills: empty, its indexes in place or its day new, nothing left to flush.

Then it is held to the same rows.
"""

from collections.abc import Callable, Collection
from datetime import date

from sqlalchemy import Engine, text

from benchmarks.measure import seconds_of
from rustbucket_pipeline.storage.event_days import ensure_event_partition

_ROWS = text("SELECT count(*), md5(string_agg(md5(row::text), '' ORDER BY event_id, event_ts)) FROM log_events AS row")
_PARTITIONS = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'log_events'::regclass")
_FILLED = "log_events, quarantine, hour_counts, session_parts"


class DifferentRows(Exception):
    """A side made other rows than the first one: its time says nothing."""


class EventTable:
    """`log_events` of one database. `rows`: how many each side has made."""

    def __init__(self, engine: Engine, days: Collection[date]) -> None:
        """Nobody has filled it yet; its rows are of these days (UTC)."""
        self._engine = engine
        self._days = days
        self._made: tuple[int, str] | None = None

    @property
    def rows(self) -> int:
        """How many the sides made."""
        return self._made[0] if self._made else 0

    def filled_in(self, side: str, work: Callable[[], object], *, new_day: bool = False) -> float:
        """Seconds that `work` takes to fill the table; with `new_day`, to make the day's partition, too.

        Raises:
            DifferentRows: not with the rows of who filled it first.
        """
        with self._engine.begin() as connection:
            for name in connection.execute(_PARTITIONS).scalars().all():
                connection.execute(text(f"DROP TABLE {name}"))
            connection.execute(text(f"TRUNCATE {_FILLED}"))
            for day in () if new_day else self._days:
                ensure_event_partition(connection, day)
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("CHECKPOINT"))
        seconds = seconds_of(work)
        with self._engine.connect() as connection:
            count, digest = connection.execute(_ROWS).one()
        self._made = self._made or (count, digest)
        if (count, digest) != self._made:
            raise DifferentRows(f"{side} made {count} rows with md5 {digest}; the first side {self._made}")
        return seconds

    def keep(self) -> Callable[[], object]:
        """Write the rows to a file of the server's; returns what copies them back."""
        with self._engine.connect() as connection:
            file = f"{connection.execute(text('SHOW data_directory')).scalar_one()}/rows.copy"
            connection.execute(text(f"COPY (SELECT * FROM log_events) TO '{file}'"))
        return lambda: self._copy(file)

    def _copy(self, file: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(f"COPY log_events FROM '{file}'"))
