"""The archived segments that a restored ledger names: whether all of them are there, and a share of them byte for byte.

Every object's size is compared; some 2 GB are read and hashed each week, so that in time all of them are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple

import psycopg
import zstandard
from psycopg.rows import args_row
from sqlalchemy import Engine, select

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import segments

READ_BYTES = 2 * 1024**3
"""Stored bytes read at a time."""

_BLOCK = 1 << 20
_TOTAL = "SELECT coalesce(sum(stored_bytes), 0) FROM segments WHERE expired_at IS NULL"
_NAMED = """
SELECT id, rustbucket_id, object_key, stored_bytes, coalesce(redacted_sha256, sha256), byte_end - byte_start
FROM segments
WHERE expired_at IS NULL
ORDER BY rustbucket_id, id
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """How many segments were looked up, how many of them read; and what is wrong."""

    segments: int = 0
    read: int = 0
    problems: tuple[str, ...] = ()


class _Named(NamedTuple):
    """A segment as the restored ledger has it; `sha256` is that of its bytes as they should be stored."""

    id: int
    rustbucket_id: str
    object_key: str
    stored_bytes: int
    sha256: str
    length: int


def check_segments(copy: psycopg.Connection, archive: Archive, today: Engine, week: int) -> Checked:
    """Look up every segment the restored copy names; `week` chooses which of them are read.

    What retention deleted or a purge overwrote since the backup, by the word of the ledger of `today`, isn't missed.
    """
    row = copy.execute(_TOTAL).fetchone()
    shares = -(-int(row[0] if row else 0) // READ_BYTES) or 1
    seen, read = 0, 0
    wrong: dict[int, str] = {}
    with copy.transaction(), copy.cursor("named", row_factory=args_row(_Named)) as cursor:
        cursor.itersize = 5000
        for rustbucket_id, rows in groupby(cursor.execute(_NAMED), key=lambda one: one.rustbucket_id):
            sizes = {stored.key: stored.size for stored in archive.stored(f"raw/{rustbucket_id}")}
            for one in rows:
                seen += 1
                chosen = one.id % shares == week % shares
                read += chosen
                if problem := _size_problem(one, sizes) or (_content_problem(archive, one) if chosen else ""):
                    wrong[one.id] = problem
    changed = _changed_since(today, sorted(wrong))
    return Checked(seen, read, tuple(problem for number, problem in wrong.items() if number not in changed))


def _size_problem(one: _Named, sizes: dict[str, int]) -> str:
    size = sizes.get(one.object_key)
    if size is None:
        return f"segment {one.id}: {one.object_key} is missing"
    if size != one.stored_bytes:
        return f"segment {one.id}: {one.object_key} has {size:,} bytes, not {one.stored_bytes:,}"
    return ""


def _content_problem(archive: Archive, one: _Named) -> str:
    seen, length = sha256(), 0
    try:
        for block in _unpacked(archive.get(one.object_key)):
            seen.update(block)
            length += len(block)
            if length > one.length:
                break
    except (IntegrityError, zstandard.ZstdError) as error:
        return f"segment {one.id}: {one.object_key} can't be read ({error})"
    if length != one.length or seen.hexdigest() != one.sha256:
        return f"segment {one.id}: {one.object_key} holds other bytes than were archived"
    return ""


def _unpacked(stored: bytes) -> Iterator[bytes]:
    with zstandard.ZstdDecompressor().stream_reader(stored) as reader:
        while block := reader.read(_BLOCK):
            yield block


def _changed_since(today: Engine, ids: Sequence[int]) -> set[int]:
    """Which of these retention or a purge has changed, by the ledger of today."""
    if not ids:
        return set()
    changed = segments.c.expired_at.is_not(None) | segments.c.redacted_sha256.is_not(None)
    with today.connect() as connection:
        return set(connection.execute(select(segments.c.id).where(segments.c.id.in_(ids), changed)).scalars())
