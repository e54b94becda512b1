"""Puts back archived segments whose object is gone, from the source that still holds the bytes.

Nothing is believed: the bytes fetched again must have the segment's hash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, func, select

from rustbucket_pipeline.archive.decode import Content, from_offset
from rustbucket_pipeline.archive.held import Link
from rustbucket_pipeline.archive.reading import put_segment
from rustbucket_pipeline.archive.sources.base import Source, SourceFile, nothing_held
from rustbucket_pipeline.archive.steps import Step, Watcher
from rustbucket_pipeline.errors import SourceUnavailable
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import segments, source_files


@dataclass(frozen=True, slots=True)
class Lost:
    """A segment whose object isn't in the archive, or was cut; its window's start (UTC), and the files of its log."""

    rustbucket_id: str
    window_start: datetime
    keys: tuple[str, ...]
    link: Link


def lost_segments(connection: Connection, archive: Archive, starts: Sequence[datetime]) -> list[Lost]:
    """The segments of these windows (by start, UTC) whose object is missing or has another size.

    Retention's deletions aren't missed. What a purge overwrote has other bytes than its source: that isn't put back.
    """
    copies = (
        select(func.array_agg(source_files.c.key.distinct()))
        .where(source_files.c.log_id == segments.c.log_id, source_files.c.replaced_at.is_(None))
        .scalar_subquery()
    )
    rows = connection.execute(
        select(segments, copies.label("keys"))
        .where(segments.c.window_start.in_(starts), segments.c.expired_at.is_(None))
        .order_by(segments.c.id)
    )
    return [
        Lost(
            row.rustbucket_id,
            row.window_start,
            tuple(row.keys or ()),
            Link(row.byte_start, row.byte_end, row.redacted_sha256 or row.sha256, row.object_key),
        )
        for row in rows
        if archive.size(row.object_key) != row.stored_bytes
    ]


def refetch(archive: Archive, source: Source, lost: Sequence[Lost], reached: Watcher) -> list[Lost]:
    """Put back what the source still holds; returns what it doesn't. Logs with the same bytes share an object."""
    listed = {file.key: file for file in source.files(nothing_held).files} if lost else {}
    back = set[str]()
    for segment in lost:
        if segment.link.object_key not in back and _refetch_one(archive, source, listed, segment):
            back.add(segment.link.object_key)
            reached(Step.REFETCHED)
    archive.settle()
    return [segment for segment in lost if segment.link.object_key not in back]


def _refetch_one(archive: Archive, source: Source, listed: Mapping[str, SourceFile], segment: Lost) -> bool:
    for file in (listed[key] for key in segment.keys if key in listed):
        data = _bytes_of(source, file, segment.link)
        if sha256(data).hexdigest() == segment.link.sha256:
            put_segment(archive, segment.link, data)
            return True
    return False


def _bytes_of(source: Source, file: SourceFile, link: Link) -> bytes:
    """What the file has at the segment's place; nothing if it can't be read."""
    data = bytearray()
    try:
        with source.open(file, 0) as blocks:
            for block in from_offset(Content(blocks), link.byte_start):
                data += block
                if len(data) >= link.byte_end - link.byte_start:
                    break
    except SourceUnavailable:
        return b""
    return bytes(data[: link.byte_end - link.byte_start])
