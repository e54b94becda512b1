"""Archived segments → the records of a log, whole and in order. Verifies every byte; knows nothing of meaning.

Bare records that follow a text record belong to it, also over
a segment's border: an upload may have ended in the middle of a record.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import zstandard

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.events.cutting import cut_segment
from rustbucket_pipeline.events.pieces import LogRecord, Piece
from rustbucket_pipeline.framing.split import MAX_RECORD_BYTES
from rustbucket_pipeline.model.segment import Segment

BLOCK_BYTES = 1 << 19
"""Bytes taken out of a compressed object at a time; a segment is never held whole."""


class Objects(Protocol):
    """Where the objects are: the archive, or something that has a few of them."""

    def get(self, key: str) -> bytes:
        """The object's bytes."""
        ...


def runs_of(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    """Segments in the order of their logs and bytes → runs of one log without a gap."""
    run: list[Segment] = []
    for segment in segments:
        if run and (segment.log_id, segment.byte_start) != (run[-1].log_id, run[-1].byte_end):
            yield run
            run = []
        run.append(segment)
    if run:
        yield run


def records_of(archive: Objects, run: Sequence[Segment]) -> Iterator[LogRecord]:
    """The records of a run; together they cover its bytes exactly once, in order.

    Raises:
        IntegrityError: an object doesn't hold the bytes its segment says.
    """
    for read in read_run(archive, run):
        if isinstance(read, LogRecord):
            yield read
        else:
            yield from read.records()


def read_run(archive: Objects, run: Sequence[Segment]) -> Iterator[Piece]:
    """The same, many records at once where that is quicker.

    Raises:
        IntegrityError: an object doesn't hold the bytes its segment says.
    """
    whole: _Whole | None = None
    for segment in run:
        for piece in cut_segment(segment, _blocks(archive, segment)):
            if whole is not None and isinstance(piece, LogRecord) and whole.takes(piece):
                whole.add(piece.data)
                continue
            if whole is not None:
                yield whole.record()
                whole = None
            if isinstance(piece, LogRecord):
                whole = _Whole(piece)
            else:
                yield piece
    if whole is not None:
        yield whole.record()


def segment_bytes(archive: Objects, segment: Segment) -> bytes:
    """All bytes of a segment, verified.

    Raises:
        IntegrityError: the object doesn't hold the bytes its segment says.
    """
    return b"".join(_blocks(archive, segment))


@dataclass(slots=True)
class _Whole:
    """A record that may still grow by bare ones."""

    head: LogRecord
    rest: list[bytes] = field(default_factory=list[bytes])
    length: int = 0

    def takes(self, piece: LogRecord) -> bool:
        size = len(self.head.data) + self.length + len(piece.data)
        return piece.kind == "bare" and self.head.kind == "text" and size <= MAX_RECORD_BYTES

    def add(self, data: bytes) -> None:
        self.rest.append(data)
        self.length += len(data)

    def record(self) -> LogRecord:
        return self.head._replace(data=b"".join([self.head.data, *self.rest])) if self.rest else self.head


def _blocks(archive: Objects, segment: Segment) -> Iterator[bytes]:
    """The segment's bytes; the last block is given only once all of them proved right."""
    seen, size, held = sha256(), 0, b""
    try:
        with zstandard.ZstdDecompressor().stream_reader(archive.get(segment.object_key)) as reader:
            while block := reader.read(BLOCK_BYTES):
                seen.update(block)
                size += len(block)
                if held:
                    yield held
                held = block
                if size > segment.byte_end - segment.byte_start:
                    break
    except zstandard.ZstdError as error:
        raise _broken(segment, f"can't be decompressed ({error})") from error
    if size != segment.byte_end - segment.byte_start or seen.hexdigest() != segment.sha256:
        raise _broken(segment, "doesn't hold the bytes that were archived")
    yield held


def _broken(segment: Segment, what: str) -> IntegrityError:
    return IntegrityError(
        f"object {segment.object_key} of {segment.rustbucket_id} {what}; restore it, or materialize log_archives "
        f"for {segment.window_start:%Y-%m-%d-%H:%M} while the source still has the bytes"
    )
