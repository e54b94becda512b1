"""Archived segments → the bytes the source held, each verified before it is handed out. Knows no records."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from io import BytesIO

import zstandard
from sqlalchemy import Connection

from rustbucket_pipeline.errors import IntegrityError, NoSuchRustbucket
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.tables import rustbuckets

_BLOCK = 1 << 20


def source_bytes(
    connection: Connection, archive: Archive, rustbucket_id: str, start: datetime, end: datetime
) -> Iterator[bytes]:
    """What the rustbucket's sources held for `[start, end)` (UTC), exactly, log after log in the order of time.

    Borders count by half hours: a segment belongs to the half hour of its records.

    Raises:
        NoSuchRustbucket: the registry doesn't know it.
        IntegrityError: an object is missing or altered; everything handed out before it is right.
    """
    if connection.execute(rustbuckets.select().where(rustbuckets.c.id == rustbucket_id)).first() is None:
        raise NoSuchRustbucket(rustbucket_id)
    query = load_sql("rustbucket_pipeline.archive", "segments_in_order")
    rows = connection.execute(query, {"rustbucket": rustbucket_id, "start": start, "end": end})
    for row in rows:
        if row.expired_at is not None:
            raise IntegrityError(
                f"{row.object_key} was deleted by retention on {row.expired_at:%Y-%m-%d}; ask for later"
            )
        yield content(archive, row.object_key, row.sha256, row.byte_end - row.byte_start)


def content(archive: Archive, object_key: str, expected_sha256: str, length: int) -> bytes:
    """The bytes of a segment, uncompressed; never more memory than the ledger says they take.

    Raises:
        IntegrityError: the object is missing, or holds anything but these bytes.
    """
    stored = archive.get(object_key)
    held = bytearray()
    try:
        with zstandard.ZstdDecompressor().stream_reader(BytesIO(stored)) as reader:
            while len(held) <= length and (block := reader.read(_BLOCK)):
                held += block
    except zstandard.ZstdError as error:
        raise IntegrityError(f"{object_key} can't be decompressed ({error}); {_REMEDY}") from error
    if len(held) != length or sha256(held).hexdigest() != expected_sha256:
        raise IntegrityError(f"{object_key} holds other bytes than were archived; {_REMEDY}")
    return bytes(held)


_REMEDY = "delete it, and materialize log_archives for its window while the source has it"
