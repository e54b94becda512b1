"""An hour's records → rows in bulk: what can be read at once as columns, everything else record by record.

Both ways give the same rows; this is only where they meet. No database.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress, islice
from typing import cast

import pyarrow as pa

from rustbucket_pipeline.events.ahead import Piece
from rustbucket_pipeline.events.columns import batch_from, batch_of
from rustbucket_pipeline.events.drift import Drift
from rustbucket_pipeline.events.graded import Graded, Lost, graded
from rustbucket_pipeline.events.identity import Identities
from rustbucket_pipeline.events.lanes import Lanes, Stretch
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.parse import Parser, QuarantineRow, Tally
from rustbucket_pipeline.events.quick import plain_rows
from rustbucket_pipeline.events.quick_columns import PlainRows
from rustbucket_pipeline.events.read import PlainLines, PlainText
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.events.trust import Grader
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

    def parse(self, read: Iterable[Piece], grader: Grader) -> Iterator[list[pa.RecordBatch]]:
        """The rows of records that follow each other without a gap: some batches at a time, together in order."""
        self._context = self._parser.begin()
        for some in Lanes(read, grader, self._context.own.comes_from_us):
            if isinstance(some, PlainLines):
                yield list(self._lines(some, grader))
            elif isinstance(some, Stretch):
                yield list(self._stretch(some, grader))
            else:
                rows = self._rows(some)
                while batch := list(islice(rows, BATCH_ROWS)):
                    yield [batch_of(batch)]

    def _rows(self, judged: Iterable[Graded | Lost]) -> Iterator[EventRow]:
        for told in self._parser.go_on(judged):
            if isinstance(told.row, EventRow):
                yield told.row
            else:
                self.refused.append(told.row)

    def _lines(self, lines: PlainLines, grader: Grader) -> Iterator[pa.RecordBatch]:
        plain = plain_rows(lines, self._context.own.comes_from_us)
        yield from self._at_once(lines, plain, "json", 1.0, lambda run: graded(map(lines.record, run), grader))
        grader.believe_lines("json", lines.ts[-1], plain.told)

    def _stretch(self, stretch: Stretch, grader: Grader) -> Iterator[pa.RecordBatch]:
        calm, start, end = stretch
        believed = calm.believed(start, end)
        trusts = grader.believe_text(believed)
        plain = calm.values.rows(start, end)
        trust = [trusts[place - start] for place in plain.places]

        def one_by_one(run: Iterable[int]) -> Iterator[Graded]:
            for place in run:
                record = calm.text.record(place)
                yield Graded(record, record.data, calm.readings[place], trusts[place - start], ())

        return self._at_once(calm.text, plain, believed.dialect, trust, one_by_one)

    def _at_once(
        self,
        block: PlainLines | PlainText,
        plain: PlainRows,
        dialect: str,
        trust: object,
        one_by_one: Callable[[Sequence[int]], Iterable[Graded | Lost]],
    ) -> Iterator[pa.RecordBatch]:
        """Plain records as columns; the odd ones between them as usual, knowing what was typed before each."""
        typed = iter(())
        if plain.places:
            batch, new = self._batch(block, plain, dialect, trust)
            yield batch
            typed = iter(_typed(plain, new))
        following = next(typed, None)
        odd: list[EventRow] = []
        for run in _in_a_row(plain.odd):
            while following is not None and following[0] < run[0]:
                self._hear(block, *following)
                following = next(typed, None)
            odd += self._rows(one_by_one(run))
        if odd:
            yield batch_of(odd)
        while following is not None:
            self._hear(block, *following)
            following = next(typed, None)

    def _hear(self, block: PlainLines | PlainText, place: int, command: str) -> None:
        self._context.casing.typed(command, block.ts[place])

    def _batch(
        self, block: PlainLines | PlainText, plain: PlainRows, dialect: str, trust: object
    ) -> tuple[pa.RecordBatch, list[bool]]:
        """The rows, and which of the plain records they are: an event that another log told is left out."""
        segment = block.segment
        spans = [block.span(place) for place in plain.places]
        lengths = [end - start for start, end in spans]
        ids = self._identities.claim_all(
            segment.log_id, segment.window_start, [block.data[start:end] for start, end in spans]
        )
        batch = batch_from(
            {
                "event_id": [None if one is None else one.hex() for one in ids],
                "rustbucket_id": segment.rustbucket_id,
                "event_ts": [block.ts[place] for place in plain.places],
                "clamped": False,
                "dialect": dialect,
                **plain.columns,
                "trust": trust,
                "segment_id": segment.id,
                "byte_offset": [block.offset + start for start, _ in spans],
                "byte_length": lengths,
                "parser_version": PARSER_VERSION,
            },
            len(plain.places),
        )
        new = [one is not None for one in ids]
        self._count(plain, lengths, new)
        return batch if all(new) else batch.filter(pa.array(new)), new

    def _count(self, plain: PlainRows, lengths: list[int], new: list[bool]) -> None:
        tally, events, event_bytes = self._tally, sum(new), sum(compress(lengths, new))
        tally.events += events
        tally.event_bytes += event_bytes
        tally.duplicates += len(lengths) - events
        tally.duplicate_bytes += sum(lengths) - event_bytes
        tally.counted += sum(compress((one.counted for one in plain.known), new))
        tally.refused += sum(compress((one.refuses for one in plain.known), new))


def _typed(plain: PlainRows, new: Sequence[bool]) -> Iterator[tuple[int, str]]:
    """Places of new records that tell what was typed, and what."""
    commands = cast("Sequence[str]", plain.columns["command"])
    for place, known, command, is_new in zip(plain.places, plain.known, commands, new, strict=True):
        if known.typed and is_new:
            yield place, command


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
