"""An hour's records → rows in bulk: blocks of plain JSON lines the quick way, everything else record by record.

Both ways give the same rows; this is only where they meet. No database.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, groupby, islice
from typing import cast

import pyarrow as pa

from rustbucket_pipeline.events.columns import batch_from, batch_of
from rustbucket_pipeline.events.identity import Identities
from rustbucket_pipeline.events.parse import Parser, QuarantineRow, Tally
from rustbucket_pipeline.events.quick import PlainRows, plain_rows
from rustbucket_pipeline.events.read import LogRecord, PlainLines
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.events.version import PARSER_VERSION

BATCH_ROWS = 1000
"""Rows made before they are sent: few, so that the server never waits long; a row is at most some 32 KB."""


class BulkParser:
    """Parses the logs of one rustbucket's hour; what is no record is put into `refused`."""

    def __init__(self, rustbucket_id: str, *, several_logs: bool, tally: Tally) -> None:
        """Count into `tally`."""
        self.refused: list[QuarantineRow] = []
        self._rustbucket_id = rustbucket_id
        self._identities = Identities(rustbucket_id, several_logs=several_logs)
        self._tally = tally
        self._parser = Parser(self._identities, tally)

    def parse(self, records: Iterable[LogRecord | PlainLines], grader: Grader) -> Iterator[list[pa.RecordBatch]]:
        """The rows of records that follow each other without a gap: some batches at a time, together in order."""
        for kind, some in groupby(records, type):
            if kind is PlainLines:
                for lines in cast("Iterable[PlainLines]", some):
                    yield list(self._at_once(lines, grader))
            else:
                yield from self._one_by_one(cast("Iterable[LogRecord]", some), grader)

    def _one_by_one(self, records: Iterable[LogRecord], grader: Grader) -> Iterator[list[pa.RecordBatch]]:
        rows = self._rows(records, grader)
        while some := list(islice(rows, BATCH_ROWS)):
            yield [batch_of(some)]

    def _rows(self, records: Iterable[LogRecord], grader: Grader) -> Iterator[EventRow]:
        for found in self._parser.parse(records, grader):
            if isinstance(found, EventRow):
                yield found
            else:
                self.refused.append(found)

    def _at_once(self, lines: PlainLines, grader: Grader) -> Iterator[pa.RecordBatch]:
        plain = plain_rows(lines)
        if plain.places:
            yield self._batch(lines, plain)
        for run in _in_a_row(plain.odd):
            rows = list(self._rows((lines.record(place) for place in run), grader))
            if rows:
                yield batch_of(rows)
        grader.dialect, grader.last = "json", lines.ts[-1]

    def _batch(self, lines: PlainLines, plain: PlainRows) -> pa.RecordBatch:
        segment, places = lines.segment, plain.places
        spans = [lines.span(place) for place in places]
        lengths = [end - start for start, end in spans]
        ids = self._identities.claim_all(
            segment.log_id, segment.window_start, [lines.data[start:end] for start, end in spans]
        )
        batch = batch_from(
            {
                "event_id": [None if one is None else one.hex() for one in ids],
                "rustbucket_id": segment.rustbucket_id,
                "event_ts": [lines.ts[place] for place in places],
                "clamped": False,
                "dialect": "json",
                **plain.columns,
                "trust": 1.0,
                "segment_id": segment.id,
                "byte_offset": [lines.offset + start for start, _ in spans],
                "byte_length": lengths,
                "parser_version": PARSER_VERSION,
            },
            len(places),
        )
        new = [one is not None for one in ids]
        self._count(lengths, new)
        return batch if all(new) else batch.filter(pa.array(new))

    def _count(self, lengths: list[int], new: list[bool]) -> None:
        tally, events, event_bytes = self._tally, sum(new), sum(compress(lengths, new))
        tally.events += events
        tally.event_bytes += event_bytes
        tally.duplicates += len(lengths) - events
        tally.duplicate_bytes += sum(lengths) - event_bytes


def _in_a_row(places: Sequence[int]) -> Iterator[list[int]]:
    """Places that follow each other directly, together."""
    run: list[int] = []
    for place in places:
        if run and place != run[-1] + 1:
            yield run
            run = []
        run.append(place)
    if run:
        yield run
