"""Cursors: what every source file was like when it was last read, in `source_files`. They only save reading.

Whatever is lost here is found again by content (`resume.py`). Everything runs in the caller's transaction, which holds
the rustbucket's lock.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Connection, Row, Text, any_, insert, literal, select, update

from rustbucket_pipeline.archive.sources.base import SourceFile
from rustbucket_pipeline.framing.times import Clock, moment_of
from rustbucket_pipeline.storage.tables import source_files

_NAMES = (
    "id",
    "log_id",
    "key",
    "etag",
    "size",
    "consumed",
    "content_bytes",
    "unarchived",
    "expired_at",
    "period_start",
)
_COLUMNS = [source_files.c[name] for name in _NAMES]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A source file as last listed, and how far it is archived: its first `consumed` bytes are those of log `log_id`.

    `content_bytes` is how long the log in it was, once unpacked; None: it wasn't read to its end. `unarchived` says why
    not all of that is archived. `expired`: it was gone from its source before it was.
    """

    id: int
    log_id: int | None
    key: str
    etag: str | None
    size: int
    consumed: int
    content_bytes: int | None
    unarchived: str | None
    expired: bool
    listed: bool

    @property
    def complete(self) -> bool:
        """Whether all there was to read of it is archived."""
        return self.consumed == self.content_bytes


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a reading got: `consumed` of `content_bytes`, what it was (the hash of its chain), and the time there."""

    consumed: int
    content_bytes: int
    prefix_sha256: str
    clock: Clock
    unarchived: str | None


def cursors(connection: Connection, rustbucket_id: str, keys: Collection[str] | None = None) -> dict[str, Cursor]:
    """The current source files of the rustbucket, or those of them with these keys, by key."""
    query = select(*_COLUMNS).where(source_files.c.rustbucket_id == rustbucket_id, source_files.c.replaced_at.is_(None))
    if keys is not None:
        query = query.where(source_files.c.key == any_(literal(list(keys), ARRAY(Text))))
    return {row.key: _cursor(row) for row in connection.execute(query)}


def see(connection: Connection, seen: Collection[Cursor], now: datetime) -> None:
    """Note that these files are still there."""
    _update(connection, seen, last_seen_at=now, expired_at=None)


def expire(connection: Connection, known: Mapping[str, Cursor], listed: Collection[str], now: datetime) -> list[Cursor]:
    """Note which files are gone from a complete listing though not all of them is archived; returns those."""
    gone = [cursor for key, cursor in known.items() if cursor.listed and cursor.unarchived and key not in listed]
    _update(connection, [cursor for cursor in gone if not cursor.expired], expired_at=now)
    return gone


def leave(
    connection: Connection, rustbucket_id: str, file: SourceFile, own: Cursor | None, reason: str, now: datetime
) -> None:
    """Note that the file couldn't be read: it is tried again, and missed when it is gone by then."""
    if own is not None:
        _update(connection, [own], unarchived=reason, last_seen_at=now, etag="", size=file.size, expired_at=None)
        return
    nothing = {"consumed": 0, "prefix_sha256": "", "clock": now, "after_text": False, "unarchived": reason}
    _insert(connection, rustbucket_id, file, None, {"etag": "", **nothing}, now)


def save(
    connection: Connection,
    rustbucket_id: str,
    file: SourceFile,
    own: Cursor | None,
    log_id: int | None,
    reached: Reached,
    now: datetime,
    *,
    begun: bool,
) -> Cursor:
    """Write the file's cursor; without `log_id` it begins a log of its own (`begin_logs` notes it for all at once).

    A key that held another log so far gets a new row; the old one is kept as replaced. `begun`: `own` is the row in
    which a log with bytes began.
    """
    values = {
        "etag": file.etag,
        "consumed": reached.consumed,
        "content_bytes": reached.content_bytes,
        "prefix_sha256": reached.prefix_sha256,
        "clock": moment_of(reached.clock.at),
        "after_text": reached.clock.after_text,
        "unarchived": reached.unarchived,
    }
    if own is not None and _stays(own, log_id, begun=begun):
        log_id = log_id or own.id
        _update(connection, [own], **values, size=file.size, log_id=log_id, last_seen_at=now, expired_at=None)
        row_id = own.id
    else:
        if own is not None:
            _update(connection, [own], replaced_at=now)
        row_id = _insert(connection, rustbucket_id, file, log_id, values, now)
    return Cursor(
        id=row_id,
        log_id=log_id or row_id,
        key=file.key,
        etag=file.etag,
        size=file.size,
        consumed=reached.consumed,
        content_bytes=reached.content_bytes,
        unarchived=reached.unarchived,
        expired=False,
        listed=file.period is not None,
    )


def begin_logs(connection: Connection, rustbucket_id: str) -> None:
    """Note that files which were noted without a log each begin one."""
    own = (source_files.c.rustbucket_id == rustbucket_id) & source_files.c.log_id.is_(None)
    connection.execute(update(source_files).where(own).values(log_id=source_files.c.id))


def _stays(own: Cursor, log_id: int | None, *, begun: bool) -> bool:
    """Whether the row may go on for that log: it held none yet, or this one."""
    so_far = own.log_id or own.id
    return (so_far == own.id and not begun) or so_far == log_id


def _insert(
    connection: Connection,
    rustbucket_id: str,
    file: SourceFile,
    log_id: int | None,
    values: Mapping[str, object],
    now: datetime,
) -> int:
    start, end = file.period or (None, None)
    place = {"rustbucket_id": rustbucket_id, "key": file.key, "log_id": log_id, "size": file.size}
    times = {"period_start": start, "period_end": end, "first_seen_at": now, "last_seen_at": now}
    statement = insert(source_files).returning(source_files.c.id)
    return connection.execute(statement, {**place, **times, **values}).scalar_one()


def _update(connection: Connection, these: Collection[Cursor], **values: object) -> None:
    if these:
        ids = literal([cursor.id for cursor in these], ARRAY(BigInteger))
        connection.execute(update(source_files).where(source_files.c.id == any_(ids)).values(**values))


def _cursor(row: Row[tuple[object, ...]]) -> Cursor:
    return Cursor(
        row.id,
        row.log_id,
        row.key,
        row.etag,
        row.size,
        row.consumed,
        row.content_bytes,
        row.unarchived,
        row.expired_at is not None,
        row.period_start is not None,
    )
