"""Puts back archived segments whose object is gone, from the source that still holds the bytes.

Nothing is believed: the bytes fetched again must have the segment's hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import zstandard
from sqlalchemy import Connection, select

from rustbucket_pipeline.archive.pull import COMPRESSION_LEVEL
from rustbucket_pipeline.archive.sources.base import Source, SourceFile
from rustbucket_pipeline.errors import SourceUnavailable
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import segments, source_files


@dataclass(frozen=True, slots=True)
class Lost:
    """A segment the ledger names whose object isn't in the archive: bytes `[start, end)` of a source file."""

    rustbucket_id: str
    file_key: str
    byte_start: int
    byte_end: int
    object_key: str
    sha256: str


def lost_segments(connection: Connection, archive: Archive, starts: Sequence[datetime]) -> list[Lost]:
    """The segments of these windows (by start, UTC) whose object is missing."""
    rows = connection.execute(
        select(segments, source_files.c.key)
        .join(source_files, source_files.c.id == segments.c.source_file_id)
        .where(segments.c.window_start.in_(starts))
        .order_by(segments.c.id)
    )
    return [
        Lost(row.rustbucket_id, row.key, row.byte_start, row.byte_end, row.object_key, row.sha256)
        for row in rows
        if archive.size(row.object_key) is None
    ]


def refetch(archive: Archive, source: Source, lost: Sequence[Lost]) -> list[Lost]:
    """Put back what the source still holds; returns what it doesn't."""
    listed = {file.key: file for file in source.files()} if lost else {}
    gone = [segment for segment in lost if not _refetch_one(archive, source, listed.get(segment.file_key), segment)]
    archive.settle()
    return gone


def _refetch_one(archive: Archive, source: Source, file: SourceFile | None, segment: Lost) -> bool:
    if file is None or file.size < segment.byte_end:
        return False
    data = bytearray()
    try:
        with source.open(file, segment.byte_start) as blocks:
            for block in blocks:
                data += block
                if len(data) >= segment.byte_end - segment.byte_start:
                    break
    except SourceUnavailable:
        return False
    del data[segment.byte_end - segment.byte_start :]
    if sha256(data).hexdigest() != segment.sha256:
        return False
    archive.put_new(segment.object_key, zstandard.compress(bytes(data), COMPRESSION_LEVEL))
    return True
