"""An hour's records → rows in bulk: blocks of plain JSON lines the quick way, everything else record by record.

Both ways give the same rows; this is only where they meet. No database.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, groupby, islice
from operator import itemgetter
from typing import cast

import pyarrow as pa

from rustbucket_pipeline.events.columns import batch_from, batch_of
from rustbucket_pipeline.events.drift import Drift
from rustbucket_pipeline.events.identity import Identities
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.parse import Parser, QuarantineRow, Tally
from rustbucket_pipeline.events.quick import PlainRows, plain_rows
from rustbucket_pipeline.events.read import LogRecord, PlainLines
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.events.trust import REACH, WITNESS_BYTES, Grader
from rustbucket_pipeline.events.version import PARSER_VERSION

BATCH_ROWS = 1000
"""Rows made before they are sent: few, so that the server never waits long; a row is at most some 32 KB."""


class BulkParser:
    """Parses the logs of one rustbucket's hour; what is no record is put into `refused`.

    `drift` are the unknown templates it met.
    """

    def __init__(self, rustbucket_id: str, *, several_logs: bool, tally: Tally, collectors: Networks = ()) -> None:
        """Count into `tally`; `collectors` as in `Parser`."""
        self.refused: list[QuarantineRow] = []
        self._identities = Identities(rustbucket_id, several_logs=several_logs)
        self._tally = tally
        self._parser = Parser(self._identities, tally, collectors)
        self._context = self._parser.begin()

    @property
    def drift(self) -> Drift:
        """The unknown templates so far."""
        return self._parser.drift

    def parse(self, read: Iterable[LogRecord | PlainLines], grader: Grader) -> Iterator[list[pa.RecordBatch]]:
        """The rows of records that follow each other without a gap: some batches at a time, together in order."""
        self._context = self._parser.begin()
        for at_once, some in groupby(_told_apart(read, grader), itemgetter(0)):
            if at_once:
                for _, lines in some:
                    yield list(self._at_once(cast("PlainLines", lines), grader))
            else:
                yield from self._one_by_one((cast("LogRecord", record) for _, record in some), grader)

    def _one_by_one(self, records: Iterable[LogRecord], grader: Grader) -> Iterator[list[pa.RecordBatch]]:
        rows = self._rows(records, grader)
        while some := list(islice(rows, BATCH_ROWS)):
            yield [batch_of(some)]

    def _rows(self, records: Iterable[LogRecord], grader: Grader) -> Iterator[EventRow]:
        for told in self._parser.go_on(records, grader):
            if isinstance(told.row, EventRow):
                yield told.row
            else:
                self.refused.append(told.row)

    def _at_once(self, lines: PlainLines, grader: Grader) -> Iterator[pa.RecordBatch]:
        plain = plain_rows(lines, self._context.own.comes_from_us)
        if plain.places:
            yield self._batch(lines, plain)
        typed, rows = deque(plain.typed), list[EventRow]()
        for run in _in_a_row(plain.odd):
            while typed and typed[0][0] < run[0]:
                place, command = typed.popleft()
                self._context.casing.typed(command, lines.ts[place])
            rows += self._rows(map(lines.record, run), grader)
        if rows:
            yield batch_of(rows)
        for place, command in typed:
            self._context.casing.typed(command, lines.ts[place])
        grader.believe_lines("json", lines.ts[-1], plain.told)

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
        self._tally.counted += sum(compress(cast("Sequence[bool]", plain.columns["counted"]), new))
        self._tally.refused += plain.refused
        return batch if all(new) else batch.filter(pa.array(new))

    def _count(self, lengths: list[int], new: list[bool]) -> None:
        tally, events, event_bytes = self._tally, sum(new), sum(compress(lengths, new))
        tally.events += events
        tally.event_bytes += event_bytes
        tally.duplicates += len(lengths) - events
        tally.duplicate_bytes += sum(lengths) - event_bytes


def _told_apart(
    read: Iterable[LogRecord | PlainLines], grader: Grader
) -> Iterator[tuple[bool, LogRecord | PlainLines]]:
    """Each, and whether it is read at once: lines so far behind all text that none of them can be an attacker's."""
    safe_from: int | None = None
    for one in read:
        if safe_from is None:
            safe_from = _safely_behind(one.offset) if grader.open else 0
        if isinstance(one, LogRecord):
            if one.kind == "text":
                safe_from = _safely_behind(one.offset + len(one.data))
            yield False, one
        elif one.offset < safe_from or grader.wary(one.offset):
            yield from ((False, record) for record in one.records())
        else:
            yield True, one


def _safely_behind(end: int) -> int:
    """Where neither attacker text that ends there can reach, nor a record that is asked about it."""
    return end + REACH + WITNESS_BYTES


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
