"""A log's bytes → records with their event time: the way through `split` (where) and `times` (when).

The archive cuts files into windows with it, events parse segments with it; neither looks behind it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rustbucket_pipeline.framing.lines import JsonLines, json_lines
from rustbucket_pipeline.framing.split import MAX_RECORD_BYTES, Kind, RawRecord, Splitter
from rustbucket_pipeline.framing.texts import TextRecords, text_records
from rustbucket_pipeline.framing.times import WITNESSES, Clock, counts, needs_witnesses

_STEP, _STEPS = 8, 8
"""Odd records that are split singly before text is looked for again, and how often that is done in a block."""


class FramedRecord(NamedTuple):
    """Bytes `[offset, offset + length)` of the log, final newline included. Times: microseconds since the epoch, UTC.

    `ts` is the event time; `claimed` what the record says itself, if anything; `clamped`: the claim didn't count.
    """

    offset: int
    length: int
    kind: Kind
    claimed: int | None
    ts: int
    clamped: bool


class Framer:
    """Turns a log's bytes, given in blocks of any size, into records; the same bytes give the same records."""

    def __init__(self, clock: Clock, offset: int = 0) -> None:
        """Start at a line's beginning: `offset` bytes into the log, with what is known of time there."""
        self._clock = clock
        self._end = offset
        self._splitter = Splitter(offset)
        self._waiting: list[RawRecord] = []

    @property
    def clock(self) -> Clock:
        """What is known of time after the last record returned."""
        return self._clock

    @property
    def offset(self) -> int:
        """End of the last record returned: where a later reader goes on."""
        return self._end

    def feed(self, block: bytes) -> list[FramedRecord]:
        """The records whose bytes and time are certain with this block."""
        self._waiting += self._splitter.feed(block)
        return self._settle(final=False)

    def feed_lines(self, block: bytes) -> JsonLines | None:
        """The quick way: the block's whole lines at once, if all are JSON records whose times count.

        None: they aren't, and nothing was taken; `feed` takes the block record by record.
        """
        held = None if self._waiting or self._clock.after_text else self._splitter.begun
        if held is None:
            return None
        lines = json_lines(held, block, self._clock, self._splitter.minute_start, MAX_RECORD_BYTES)
        if lines is not None:
            taken = int(lines.ends[-1])
            self._splitter.skip(taken, block)
            self._clock = self._clock.after(int(lines.ts[-1]), "json")
            self._end += taken
        return lines

    def feed_text(self, block: bytes) -> Iterator[TextRecords | list[FramedRecord]]:
        """The same records as `feed`, told at once where they are text as Rustbucket writes it."""
        for most in (*[_STEP] * _STEPS, None):
            text = self._told_at_once(block, final=False)
            if text is not None:
                yield text
                if not text.more:
                    return
                block = b""
            raw = self._splitter.feed(block, most)
            self._waiting += raw
            yield self._settle(final=False)
            if len(raw) != most:
                return
            block = b""

    def finish_text(self) -> TextRecords | None:
        """What can be told at once of the records that are left; `finish` has the others."""
        return self._told_at_once(b"", final=True)

    def _told_at_once(self, block: bytes, *, final: bool) -> TextRecords | None:
        data = b"" if self._waiting else self._splitter.everything(block)
        times = self._clock, self._splitter.minute_start
        records = text_records(data, *times, MAX_RECORD_BYTES, final=final) if data else None
        if records is not None:
            taken = int(records.ends[-1])
            self._splitter.keep(data[taken:], taken)
            self._clock = self._clock.after(int(records.ts[-1]), "text")
            self._end += taken
        return records

    def finish(self, *, tail: bool = True) -> list[FramedRecord]:
        """The records left when no more bytes come for now; a later reader may go on at `offset`.

        Without `tail`, a last line that has no newline yet is left for that reader.
        """
        self._waiting += self._splitter.finish(tail=tail)
        return self._settle(final=True)

    def _settle(self, *, final: bool) -> list[FramedRecord]:
        waiting, settled = self._waiting, list[FramedRecord]()
        for at, record in enumerate(waiting):
            asks = needs_witnesses(record, self._clock)
            if asks and not final and len(waiting) - at <= WITNESSES:
                break
            settled.append(self._frame(record, waiting[at + 1 : at + 1 + WITNESSES] if asks else ()))
        del waiting[: len(settled)]
        return settled

    def _frame(self, record: RawRecord, later: "list[RawRecord] | tuple[()]") -> FramedRecord:
        clock = self._clock
        believed = counts(record, clock, [other.claimed for other in later])
        ts = record.claimed if believed and record.claimed is not None else clock.at
        self._clock = clock.after(ts, record.kind)
        self._end = record.offset + record.length
        return FramedRecord(*record, ts, clamped=not believed and record.kind != "bare")
