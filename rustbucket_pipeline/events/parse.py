"""One rustbucket's hour of records → rows of `log_events`, entries of `quarantine`, and the sums of both.

Every record ends in exactly one of three: a row, an entry, or the count of duplicates. No database here.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rustbucket_pipeline.events.casing import Casing
from rustbucket_pipeline.events.drift import Drift
from rustbucket_pipeline.events.graded import Graded, Lost, graded
from rustbucket_pipeline.events.identity import Identities
from rustbucket_pipeline.events.normalise import columns_of
from rustbucket_pipeline.events.own import Networks, OwnTraffic
from rustbucket_pipeline.events.pieces import LogRecord
from rustbucket_pipeline.events.redact import may_hold_secret, redacted_excerpt
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.events.tally import Tally
from rustbucket_pipeline.events.torn import made_whole
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.events.version import PARSER_VERSION
from rustbucket_pipeline.framing.split import Kind

EXCERPT_BYTES = 200
ENTRIES_PER_LOG = 1000
"""Beyond so many entries in a log's hour, unreadable records in a row share one: a file of garbage stays small."""


class QuarantineRow(NamedTuple):
    """A row of `quarantine`: bytes that are no record, where they are, when (microseconds, UTC), and why."""

    segment_id: int
    byte_offset: int
    byte_length: int
    event_ts: int
    reason: str
    excerpt: bytes


class Told(NamedTuple):
    """A row or entry and the bytes it was read from, as a record of that kind; `likely` as in `LogRecord`."""

    row: EventRow | QuarantineRow
    source: bytes
    kind: Kind
    likely: str


class Context:
    """What earlier records of a log say about later ones."""

    def __init__(self, collectors: Networks = ()) -> None:
        """Nothing yet."""
        self.casing = Casing()
        self.own = OwnTraffic(collectors)


class Parser:
    """Parses the logs of one rustbucket's hour, one after the other.

    `tally` and `drift` are what it has counted so far, and the templates it didn't know.
    """

    def __init__(self, identities: Identities, tally: Tally, collectors: Networks = ()) -> None:
        """Count into `tally`; `collectors` are the networks from which we ask rustbuckets ourselves."""
        self.drift = Drift()
        self._identities = identities
        self._tally = tally
        self._collectors = tuple(collectors)
        self._context = Context(self._collectors)
        self._log_id: int | None = None
        self._entries = 0
        self._joined_bytes = 0

    def parse(self, records: Iterable[LogRecord], grader: Grader) -> Iterator[EventRow | QuarantineRow]:
        """The rows and entries of records that follow each other without a gap, in order."""
        for told in self.tell(records, grader):
            yield told.row

    def begin(self) -> Context:
        """Forget the records before: what follows isn't their continuation. What will be remembered of it."""
        self._context = Context(self._collectors)
        return self._context

    def tell(self, records: Iterable[LogRecord], grader: Grader) -> Iterator[Told]:
        """The same, each with what it was read from."""
        self.begin()
        yield from self.go_on(graded(records, grader))

    def go_on(self, judged: Iterable[Graded | Lost]) -> Iterator[Told]:
        """The same of what records say that follow the ones before."""
        entry: Told | None = None
        for found in made_whole(judged):
            self._enter(found.record)
            if entry is not None:
                if isinstance(found, Lost) and self._joins(entry, found):
                    continue
                yield self._entered(entry)
                entry = None
            if isinstance(found, Lost):
                entry = self._lost(found)
            elif (told := self._told(found)) is not None:
                yield told
        if entry is not None:
            yield self._entered(entry)

    def _enter(self, record: LogRecord) -> None:
        if record.segment.log_id != self._log_id:
            self._log_id, self._entries = record.segment.log_id, 0

    def _told(self, found: Graded) -> Told | None:
        record, reading = found.record, found.reading
        event_id = self._identities.claim(record.segment.log_id, record.segment.window_start, record.data)
        if event_id is None:
            self._tally.duplicates += 1
            self._tally.duplicate_bytes += len(record.data)
            return None
        if not found.suspect:
            self._context.casing.hear(reading, record.ts)
            self._context.casing.recover(reading, record.ts)
            self._context.own.mark(reading, record.ts)
        secrets = may_hold_secret(found.source)
        columns = columns_of(reading, len(found.source), found.doubts, found.trust, secrets=secrets)
        row = EventRow(
            event_id,
            record.segment.rustbucket_id,
            record.ts,
            record.claimed if record.clamped else None,
            record.clamped,
            *columns,
            found.trust,
            record.segment.id,
            record.offset,
            len(record.data),
            PARSER_VERSION,
        )
        self._count(found, row)
        return Told(row, found.source, record.kind, record.likely)

    def _count(self, found: Graded, row: EventRow) -> None:
        tally, meaning = self._tally, found.reading.meaning
        tally.events += 1
        tally.event_bytes += row.byte_length
        tally.counted += row.counted
        tally.own += found.reading.own
        tally.redacted += found.reading.redacted
        if found.suspect:
            tally.suspects += 1
            return
        tally.refused += meaning.refuses
        if not meaning.known:
            tally.unknown_messages += 1
            self.drift.add(found.reading)

    def _lost(self, found: Lost) -> Told:
        record = found.record
        excerpt, secrets = redacted_excerpt(record.data[: EXCERPT_BYTES * 2])
        self._tally.redacted += secrets
        row = QuarantineRow(
            record.segment.id, record.offset, len(record.data), record.ts, found.reason, excerpt[:EXCERPT_BYTES]
        )
        return Told(row, record.data, record.kind, record.likely)

    def _joins(self, entry: Told, found: Lost) -> bool:
        """Whether both share one entry: once this log has had its share of them."""
        if self._entries < ENTRIES_PER_LOG or found.record.segment.id != entry.row.segment_id:
            return False
        self._joined_bytes += len(found.record.data)
        return True

    def _entered(self, entry: Told) -> Told:
        row = entry.row._replace(byte_length=entry.row.byte_length + self._joined_bytes)
        self._joined_bytes = 0
        self._entries += 1
        self._tally.quarantined += 1
        self._tally.quarantined_bytes += row.byte_length
        return entry._replace(row=row)
