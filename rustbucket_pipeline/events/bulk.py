"""An hour's records → rows in bulk: what can be read at once as columns, everything else record by record.

Both ways give the same rows; this is only where they meet. No database.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# (pyarrow's stubs leave its arrays without parameters)

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rustbucket_pipeline.events.columns import batch_from, batch_of, hex_of
from rustbucket_pipeline.events.drift import Drift
from rustbucket_pipeline.events.graded import Graded, Lost, graded
from rustbucket_pipeline.events.identity import Identities
from rustbucket_pipeline.events.lanes import Lanes, Stretch
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.parse import Parser, QuarantineRow, Tally
from rustbucket_pipeline.events.pieces import Piece, PlainLines, PlainText, Spans
from rustbucket_pipeline.events.quick import plain_rows
from rustbucket_pipeline.events.quick_columns import Meant, PlainRows
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.events.uncollected import uncollected
from rustbucket_pipeline.events.version import PARSER_VERSION
from rustbucket_pipeline.framing.words import Integers, Truths

BATCH_ROWS = 1000
"""Rows made before they are sent: few, so that the server never waits long; a row is at most some 32 KB."""


class _Made(NamedTuple):
    """Rows that wait to be sent, as columns and one by one."""

    batches: list[pa.RecordBatch]
    rows: list[EventRow]

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.rows) + sum(batch.num_rows for batch in self.batches)

    def take(self) -> list[pa.RecordBatch]:
        """All of them, as columns; none is left."""
        taken = [*self.batches, batch_of(self.rows)] if self.rows else [*self.batches]
        self.batches.clear()
        self.rows.clear()
        return taken


class _Belief(NamedTuple):
    """The dialect of plain records, and the trust of all or of each."""

    dialect: str
    trust: float | NDArray[np.float64]


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
        made = _Made([], [])
        for some in Lanes(read, grader, self._context.own.comes_from_us):
            if isinstance(some, PlainLines):
                self._lines(some, grader, made)
            elif isinstance(some, Stretch):
                self._stretch(some, grader, made)
            else:
                for row in self._rows(some):
                    made.rows.append(row)
                    if len(made.rows) >= BATCH_ROWS:
                        yield made.take()
            if made.size >= BATCH_ROWS:
                yield made.take()
        if made.size:
            yield made.take()

    def _rows(self, judged: Iterable[Graded | Lost]) -> Iterator[EventRow]:
        for told in self._parser.go_on(judged):
            if isinstance(told.row, EventRow):
                yield told.row
            else:
                self.refused.append(told.row)

    @uncollected
    def _lines(self, lines: PlainLines, grader: Grader, made: "_Made") -> None:
        plain = plain_rows(lines, self._context.own.comes_from_us)
        self._at_once(lines, plain, _Belief("json", 1.0), lambda run: graded(map(lines.record, run), grader), made)
        grader.believe_lines("json", lines.ts[-1], plain.told)

    @uncollected
    def _stretch(self, stretch: Stretch, grader: Grader, made: "_Made") -> None:
        calm, start, end = stretch
        believed = calm.believed(start, end)
        trusts = grader.believe_text(believed)
        plain = calm.values.rows(start, end)
        belief = _Belief(believed.dialect, trusts[plain.places - start])

        def one_by_one(run: Iterable[int]) -> Iterator[Graded]:
            for place in run:
                record = calm.text.record(place)
                yield Graded(record, record.data, calm.readings[place], float(trusts[place - start]), ())

        self._at_once(calm.text, plain, belief, one_by_one, made)

    def _at_once(
        self,
        block: PlainLines | PlainText,
        plain: PlainRows,
        belief: "_Belief",
        one_by_one: Callable[[Sequence[int]], Iterable[Graded | Lost]],
        made: "_Made",
    ) -> None:
        """Plain records as columns; the odd ones between them as usual, knowing what was typed before each."""
        spans, ids = block.spans(plain.places), list[bytes | None]()
        typed = dict(plain.typed(np.ones(len(plain.places), np.bool_)))
        noted = sorted({*typed, *plain.again})
        for run in (*_in_a_row(plain.odd), []):
            until = run[0] if run else len(block.ends)
            # An odd one may hold what is plain elsewhere, glued to something: their order says which is the first.
            ids += self._ids(block, spans, slice(len(ids), int(np.searchsorted(plain.places, until))))
            behind = bisect_left(noted, until)
            for place in noted[:behind]:
                if place in plain.again:
                    plain.spell(place, self._context.casing, block.times[place])
                elif ids[int(np.searchsorted(plain.places, place))] is not None:
                    self._context.casing.typed(typed[place], block.times[place])
            del noted[:behind]
            if run:
                made.rows.extend(self._rows(one_by_one(run)))
        if len(plain.places):
            self._count(plain.meant, spans.lengths, np.array([one is not None for one in ids], np.bool_))
            made.batches.append(_batch(block, plain, spans, ids, belief))

    def _ids(self, block: PlainLines | PlainText, spans: Spans, which: slice) -> Sequence[bytes | None]:
        segment, starts = block.segment, spans.starts[which]
        if not len(starts):
            return []
        borders = starts.tolist(), (starts + spans.lengths[which]).tolist()
        return self._identities.claim_all(segment.log_id, segment.window_start, block.data, *borders)

    def _count(self, meant: Meant, lengths: Integers, new: Truths) -> None:
        tally, events, event_bytes = self._tally, int(new.sum()), int(lengths[new].sum())
        tally.events += events
        tally.event_bytes += event_bytes
        tally.duplicates += len(new) - events
        tally.duplicate_bytes += int(lengths.sum()) - event_bytes
        tally.counted += int((meant.are("counted") & new).sum())
        tally.refused += int((meant.are("refuses") & new).sum())


def _batch(
    block: PlainLines | PlainText,
    plain: PlainRows,
    spans: Spans,
    ids: Sequence[bytes | None],
    belief: "_Belief",
) -> pa.RecordBatch:
    """The rows; an event that another log told (its id is None) is left out."""
    segment = block.segment
    batch = batch_from(
        {
            "event_id": hex_of(ids),
            "rustbucket_id": segment.rustbucket_id,
            "event_ts": block.ts[plain.places],
            "clamped": False,
            "dialect": belief.dialect,
            **plain.meant.columns(),
            **plain.columns,
            "trust": belief.trust,
            "segment_id": segment.id,
            "byte_offset": block.offset + spans.starts,
            "byte_length": spans.lengths,
            "parser_version": PARSER_VERSION,
        },
        len(plain.places),
    )
    return batch.filter(batch.column("event_id").is_valid()) if None in ids else batch


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
