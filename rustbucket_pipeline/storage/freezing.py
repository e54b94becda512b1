"""A day's rows from PostgreSQL into the archive as Parquet and back, each proved before the other form goes.

Freezing drops the day's partition only after the stored object was read back and holds the same rows. Which days are
frozen when is `upkeep.retention`'s; what a closed day forbids, `closed_days`'s.
"""

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import Column, Connection, Engine, MetaData, Text, cast, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.elements import ColumnElement

from rustbucket_pipeline.errors import DatabaseUnavailable, IntegrityError, UsageError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.closed_days import (
    FrozenDay,
    frozen_between,
    hold_day,
    note_closed,
    state_of,
    window_of,
)
from rustbucket_pipeline.storage.event_days import ensure_event_partition, event_partition
from rustbucket_pipeline.storage.home import private_directory
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import copy_rows
from rustbucket_pipeline.storage.tables import log_events, segments

PREFIX = "rows"
"""Where frozen days lie."""

PATIENCE = timedelta(seconds=30)
"""How long dropping a partition waits for readers of the table; others wait behind it. Then the next night."""

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Thawed:
    """A day that is open again until then (UTC); `rows` are back, of an expired one none: they can be built anew."""

    day: date
    rows: int
    until: datetime


def freeze_day(
    engine: Engine, archive: Archive, settings: Settings, day: date, now: datetime, patience: timedelta = PATIENCE
) -> FrozenDay:
    """Put the day's rows into the archive, read them back, and drop them here; again changes nothing.

    Raises:
        IntegrityError: what is read back isn't what was written; nothing was dropped.
        StoreUnavailable, DatabaseUnavailable: nothing was dropped; somebody read the day for longer than `patience`.
    """
    with scratch(settings) as directory, engine.begin() as connection:
        hold_day(connection, day)
        if state_of(connection, day) in {"frozen", "expired"}:
            return frozen_day(connection, day)
        partition = event_partition(connection, day)
        frozen = FrozenDay(day, None, None, 0, 0)
        if partition is not None:
            path = directory / "rows.parquet"
            frozen = _stored(connection, archive, partition, day, path)
            _drop(connection, partition, patience)
        _note_frozen(connection, frozen, now)
        return frozen


def thaw_day(engine: Engine, archive: Archive, settings: Settings, day: date, until: datetime, now: datetime) -> Thawed:
    """Bring a frozen day's rows back and let it be built anew until then; an expired one's, if its raw bytes are there.

    Raises:
        UsageError: the day is open already, or nothing is left that its rows could be made of.
        IntegrityError: the object is missing or altered; nothing was changed.
    """
    with scratch(settings) as directory, engine.begin() as connection:
        hold_day(connection, day)
        state = state_of(connection, day)
        if state not in {"frozen", "expired"}:
            raise UsageError(f"{day} is open; there is nothing to thaw")
        frozen = frozen_day(connection, day)
        if state == "expired" and not _raw_left(connection, day):
            raise UsageError(f"{day} is expired, its archived logs too: nothing is left of it")
        if frozen.object_key is not None:
            ensure_event_partition(connection, day)
            copy_rows(connection, "log_events", log_events.c.keys(), _rows(download(archive, frozen, directory)))
        kept = {"object_key": frozen.object_key, "sha256": frozen.sha256, "stored_bytes": frozen.stored_bytes}
        note_closed(connection, day, "thawed", now, rows=frozen.rows, thawed_until=until, **kept)
        return Thawed(day, frozen.rows, until)


def replace_frozen(
    connection: Connection,
    archive: Archive,
    frozen: FrozenDay,
    directory: Path,
    change: Callable[[dict[str, object]], dict[str, object] | None],
    now: datetime,
) -> FrozenDay:
    """Store a frozen day anew with each row changed, or left out where `change` gives None; the old object stays.

    The caller deletes that one once this is committed.
    """
    names = log_events.c.keys()

    def changed() -> Iterator[tuple[object, ...]]:
        for row in _rows(download(archive, frozen, directory)):
            if (new := change(dict(zip(names, row, strict=True)))) is not None:
                yield tuple(new[name] for name in names)

    new = _put(archive, frozen.day, changed(), directory / "new.parquet")
    _note_frozen(connection, new, now)
    return new


def download(archive: Archive, frozen: FrozenDay, directory: Path) -> Path:
    """The frozen day's file.

    Raises:
        IntegrityError: it is missing, or holds other bytes than were frozen.
    """
    path, seen = directory / f"{frozen.day}.parquet", sha256()
    with path.open("wb") as file:
        for block in archive.stream(frozen.object_key or ""):
            seen.update(block)
            file.write(block)
    if seen.hexdigest() != frozen.sha256:
        raise IntegrityError(
            f"{frozen.object_key} holds other bytes than were frozen; put it back from a copy of the archive"
        )
    return path


def frozen_day(connection: Connection, day: date) -> FrozenDay:
    """The day as it was closed."""
    found = frozen_between(connection, window_of(day).start, window_of(day).end)
    return found[0] if found else FrozenDay(day, None, None, 0, 0)


@contextmanager
def scratch(settings: Settings) -> Generator[Path]:
    """A directory of our own for files on their way, gone afterwards."""
    root = private_directory(private_directory(settings.home) / "scratch")
    with tempfile.TemporaryDirectory(dir=root) as directory:
        yield Path(directory)


def _stored(connection: Connection, archive: Archive, partition: str, day: date, path: Path) -> FrozenDay:
    table = log_events.to_metadata(MetaData(), name=partition)  # itself: its parent stays free for others
    newest_first = (table.c.event_ts.desc(), table.c.segment_id.desc(), table.c.byte_offset.desc())
    query = select(*(_exact(column) for column in table.c)).order_by(*newest_first)
    with connection.execute(query, execution_options={"yield_per": 2000}) as rows:
        return _put(archive, day, (tuple(row) for row in rows), path)


def _drop(connection: Connection, partition: str, patience: timedelta) -> None:
    milliseconds = patience // timedelta(milliseconds=1)
    connection.execute(text(f"SET LOCAL lock_timeout = {milliseconds}"))
    try:
        connection.execute(text(f"DROP TABLE {partition}"))
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        raise DatabaseUnavailable(
            f"{partition} is being read for longer than {patience.total_seconds():g} s, by a backup perhaps; "
            "the next night freezes it"
        ) from error


def _put(archive: Archive, day: date, rows: Iterator[tuple[object, ...]], path: Path) -> FrozenDay:
    """Write, store and read back."""
    from rustbucket_pipeline.storage.parquet_rows import content_of, write_parquet  # and with it pyarrow

    written = write_parquet(rows, path)
    if not written.rows:
        return FrozenDay(day, None, None, 0, 0)
    digest = _hash_of(path)
    key = f"{PREFIX}/{day:%Y/%m/%d}/{digest}.parquet"
    with path.open("rb") as file:
        archive.put_stream(key, iter(lambda: file.read(_BLOCK), b""))
    archive.settle()
    frozen = FrozenDay(day, key, digest, path.stat().st_size, written.rows)
    path.unlink()
    if content_of(download(archive, frozen, path.parent)) != written:
        raise IntegrityError(f"{key} doesn't hold the rows that were frozen; nothing was dropped, delete it")
    return frozen


def _exact(column: Column[Any]) -> ColumnElement[Any]:
    return cast(column, Text).label(column.name) if isinstance(column.type, JSONB) else column


def _rows(path: Path) -> Iterator[tuple[object, ...]]:
    from rustbucket_pipeline.storage.parquet_rows import read_parquet

    for some in read_parquet(path):
        yield from map(tuple, some)


def _note_frozen(connection: Connection, frozen: FrozenDay, now: datetime) -> None:
    stored = {"object_key": frozen.object_key, "sha256": frozen.sha256, "stored_bytes": frozen.stored_bytes}
    note_closed(connection, frozen.day, "frozen", now, rows=frozen.rows, **stored)


def _raw_left(connection: Connection, day: date) -> bool:
    window = window_of(day)
    mine = (segments.c.window_start >= window.start) & (segments.c.window_start < window.end)
    query = select(segments.c.id).where(mine, segments.c.expired_at.is_(None)).limit(1)
    return connection.execute(query).first() is not None


def _hash_of(path: Path) -> str:
    seen = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            seen.update(block)
    return seen.hexdigest()
