"""The days (UTC) of `log_events`, a partition each, made when a day's first row comes. Rows are others' business."""

from datetime import date, timedelta

from sqlalchemy import Connection, text

from rustbucket_pipeline.storage.postgres import advisory_lock


def ensure_event_partition(connection: Connection, day: date) -> str:
    """The partition of `log_events` for that day (UTC), made if it is missing; its name."""
    name = _partition_of(day)
    if not _exists(connection, name) and _begin(connection, name, "INCLUDING ALL"):
        _attach(connection, name, day)
    return name


def event_partition(connection: Connection, day: date) -> str | None:
    """The partition of `log_events` for that day (UTC); None: there is none."""
    name = _partition_of(day)
    return name if _exists(connection, name) else None


def begin_event_day(connection: Connection, day: date) -> str | None:
    """A table for a day that has no partition yet, its name; None: it has one.

    It has no indexes and is nobody's but this transaction's until `attach_event_day`; who needs the day's partition
    meanwhile waits. Rows are written to it several times as fast.
    """
    name = _partition_of(day)
    return name if _begin(connection, name, "INCLUDING ALL EXCLUDING INDEXES") else None


def attach_event_day(connection: Connection, day: date) -> None:
    """Make the table that was begun the day's partition, and build its indexes, from rows that are all there."""
    # New pages go to the WAL whole: to compress them takes longer than to write them. Not everyone may choose.
    connection.execute(
        text(
            "SELECT set_config('wal_compression', 'off', true) WHERE has_parameter_privilege('wal_compression', 'SET')"
        )
    )
    _attach(connection, _partition_of(day), day)


def _partition_of(day: date) -> str:
    return f"log_events_{day:%Y_%m_%d}"


def _begin(connection: Connection, name: str, like: str) -> bool:
    """Make the table beside `log_events`, unless it is there; `PARTITION OF` would wait for its readers and writers."""
    advisory_lock(connection, f"partition {name}")
    if _exists(connection, name):
        return False
    connection.execute(text(f"CREATE TABLE {name} (LIKE log_events {like})"))
    return True


def _attach(connection: Connection, name: str, day: date) -> None:
    until = day + timedelta(days=1)
    connection.execute(
        text(
            f"ALTER TABLE log_events ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{day} 00:00:00+00') TO ('{until} 00:00:00+00')"
        )
    )


def _exists(connection: Connection, table: str) -> bool:
    """Whether the table is there now. `to_regclass` would remember that it wasn't, until the transaction's end."""
    query = (
        "SELECT EXISTS (SELECT FROM pg_class WHERE relname = :table AND relnamespace = current_schema::regnamespace)"
    )
    return connection.execute(text(query), {"table": table}).scalar_one()
