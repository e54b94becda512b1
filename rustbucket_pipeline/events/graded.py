"""Records → their readings and how far each can be believed; a damaged line gives several. Columns come later."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from rustbucket_pipeline.events.dialects import recognise
from rustbucket_pipeline.events.mend import Piece, glued_pieces, hopeless, pieces_of
from rustbucket_pipeline.events.normalise import SUSPECT
from rustbucket_pipeline.events.pieces import LogRecord
from rustbucket_pipeline.events.record import UNFINISHED, Parsed, Refused
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.events.witnesses import Witnesses, with_witnesses
from rustbucket_pipeline.model.window import HALF_HOUR

_CONTINUES = "belongs to a text record that is not here: cut off, too long, or torn apart by a forged line"
_HALF_HOUR = HALF_HOUR // timedelta(microseconds=1)


@dataclass(slots=True)
class Graded:
    """A record's reading, with its trust and the doubts it rests on; `source` are the bytes that were read."""

    record: LogRecord
    source: bytes
    reading: Parsed
    trust: float
    doubts: tuple[str, ...]

    @property
    def suspect(self) -> bool:
        """Whether it is taken for a forgery."""
        return self.trust < SUSPECT


class Lost(NamedTuple):
    """Bytes that are no record, and why; `continues`: they may be more lines of the record before."""

    record: LogRecord
    reason: str
    continues: bool = False


def graded(records: Iterable[LogRecord], grader: Grader) -> Iterator[Graded | Lost]:
    """What records that follow each other without a gap say, in order; together they cover the same bytes."""
    return judged(with_witnesses(records, grader.wary), grader)


def judged(witnessed: Iterable[tuple[LogRecord, Witnesses]], grader: Grader) -> Iterator[Graded | Lost]:
    """The same of records that come with those that follow them."""
    for record, later in witnessed:
        read = _read(record)
        if isinstance(read, Parsed):
            yield _graded(record, read, grader, later)
        elif isinstance(read, Refused):
            yield _lost(record, read, grader)
        else:
            for piece in read:
                yield _of_piece(record, piece, grader, later)


def _read(record: LogRecord) -> Parsed | Refused | list[Piece]:
    """The record as a whole if it can be read so, or can't be read at all; else its pieces."""
    if record.kind == "bare" and (why := hopeless(record.data)) is not None:
        return why
    reading = recognise(record.data, record.kind, record.likely)
    if isinstance(reading, Parsed):
        if record.kind != "text" or (reading.meaning.known and UNFINISHED not in reading.flags):
            return reading
        return glued_pieces(record.data, record.likely) or reading
    pieces = pieces_of(record.data, record.likely)
    only = pieces[0].reading
    return only if len(pieces) == 1 and isinstance(only, Refused) else pieces


def _of_piece(record: LogRecord, piece: Piece, grader: Grader, later: Witnesses) -> Graded | Lost:
    own = _part(record, piece)
    if isinstance(piece.reading, Parsed):
        return _graded(own, piece.reading, grader, later, quoted=piece.quoted)
    grader.pass_over(own)
    return Lost(own, piece.reading.reason, continues=piece.start > 0 and grader.open)


def _lost(record: LogRecord, refused: Refused, grader: Grader) -> Lost:
    grader.pass_over(record)
    bare = record.kind == "bare"
    return Lost(record, _CONTINUES if bare and grader.open else refused.reason, continues=bare)


def _graded(record: LogRecord, reading: Parsed, grader: Grader, later: Witnesses, *, quoted: bool = False) -> Graded:
    trust, doubts = grader.grade(reading, record, later, quoted=quoted)
    return Graded(record, record.data, reading, trust, doubts)


def _part(record: LogRecord, piece: Piece) -> LogRecord:
    """A part of a damaged record; its own time counts if it is in the record's half hour."""
    claimed, ts = piece.claimed, record.ts
    clamped = claimed is not None and claimed != record.claimed and claimed // _HALF_HOUR != ts // _HALF_HOUR
    if claimed is not None and claimed != record.claimed and not clamped:
        ts = claimed
    if claimed == record.claimed:
        clamped = record.clamped
    data = record.data[piece.start : piece.end]
    return LogRecord(record.segment, record.offset + piece.start, data, piece.kind, claimed, ts, clamped, record.likely)
