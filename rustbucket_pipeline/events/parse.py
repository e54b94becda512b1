"""One rustbucket's hour of records → rows of `log_events`, entries of `quarantine`, and the sums of both.

Every record ends in exactly one of three: a row, an entry, or the count of duplicates. No database here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rustbucket_pipeline.events.dialects import recognise
from rustbucket_pipeline.events.identity import Identities
from rustbucket_pipeline.events.normalise import SUSPECT, columns_of
from rustbucket_pipeline.events.read import LogRecord
from rustbucket_pipeline.events.record import Parsed
from rustbucket_pipeline.events.redact import may_hold_secret, redacted_bytes
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.events.version import PARSER_VERSION

EXCERPT_BYTES = 200
ENTRIES_PER_LOG = 1000
"""Beyond so many entries in a log's hour, unreadable records in a row share one: a file of garbage stays small."""

_CONTINUES = "belongs to a text record that is not here: cut off, too long, or torn apart by a forged line"


class QuarantineRow(NamedTuple):
    """A row of `quarantine`: bytes that are no record, where they are, when (microseconds, UTC), and why."""

    segment_id: int
    byte_offset: int
    byte_length: int
    event_ts: int
    reason: str
    excerpt: bytes


@dataclass(slots=True)
class Tally:
    """What became of a rustbucket's hour; bytes add up to what was archived."""

    archived_bytes: int = 0
    event_bytes: int = 0
    quarantined_bytes: int = 0
    duplicate_bytes: int = 0
    events: int = 0
    quarantined: int = 0
    duplicates: int = 0
    suspects: int = 0
    unknown_messages: int = 0

    @property
    def agrees(self) -> bool:
        """Whether every archived byte is accounted for."""
        return self.archived_bytes == self.event_bytes + self.quarantined_bytes + self.duplicate_bytes


class Parser:
    """Parses the logs of one rustbucket's hour, one after the other."""

    def __init__(self, identities: Identities, tally: Tally) -> None:
        """Count into `tally`."""
        self._identities = identities
        self._tally = tally
        self._log_id: int | None = None
        self._entries = 0

    def parse(self, records: Iterable[LogRecord], grader: Grader) -> Iterator[EventRow | QuarantineRow]:
        """The rows and entries of records that follow each other without a gap, in order."""
        entry: QuarantineRow | None = None
        for record in records:
            found = self._judge(record, grader)
            if entry is not None:
                joined = self._joined(entry, found)
                if joined is not None:
                    entry = joined
                    continue
                yield self._entered(entry)
                entry = None
            if isinstance(found, QuarantineRow):
                entry = found
            elif found is not None:
                yield found
        if entry is not None:
            yield self._entered(entry)

    def _judge(self, record: LogRecord, grader: Grader) -> EventRow | QuarantineRow | None:
        if record.segment.log_id != self._log_id:
            self._log_id, self._entries = record.segment.log_id, 0
        reading = recognise(record.data, record.kind, record.likely)
        if not isinstance(reading, Parsed):
            return _unreadable(record, _CONTINUES if record.kind == "bare" and grader.open else reading.reason)
        return self._row(record, reading, grader)

    def _row(self, record: LogRecord, reading: Parsed, grader: Grader) -> EventRow | None:
        segment, length, tally = record.segment, len(record.data), self._tally
        trust, doubts = grader.grade(reading, record.claimed, clamped=record.clamped)
        event_id = self._identities.claim(segment.log_id, segment.window_start, record.data)
        if event_id is None:
            tally.duplicates += 1
            tally.duplicate_bytes += length
            return None
        tally.events += 1
        tally.event_bytes += length
        tally.suspects += trust < SUSPECT
        tally.unknown_messages += not reading.meaning.known
        columns = columns_of(reading, length, doubts, trust, secrets=may_hold_secret(record.data))
        return EventRow(
            event_id,
            segment.rustbucket_id,
            record.ts,
            record.claimed if record.clamped else None,
            record.clamped,
            *columns,
            trust,
            segment.id,
            record.offset,
            length,
            PARSER_VERSION,
        )

    def _joined(self, entry: QuarantineRow, found: EventRow | QuarantineRow | None) -> QuarantineRow | None:
        """Both in one entry, once this log has had its share of them."""
        if self._entries < ENTRIES_PER_LOG or not isinstance(found, QuarantineRow):
            return None
        if found.segment_id != entry.segment_id:
            return None
        return entry._replace(byte_length=entry.byte_length + found.byte_length)

    def _entered(self, entry: QuarantineRow) -> QuarantineRow:
        self._entries += 1
        self._tally.quarantined += 1
        self._tally.quarantined_bytes += entry.byte_length
        return entry


def _unreadable(record: LogRecord, reason: str) -> QuarantineRow:
    excerpt = redacted_bytes(record.data[: EXCERPT_BYTES * 2])[:EXCERPT_BYTES]
    return QuarantineRow(record.segment.id, record.offset, len(record.data), record.ts, reason, excerpt)
