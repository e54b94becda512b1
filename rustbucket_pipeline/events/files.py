"""A log file by itself → what its records say, for `rustbucket parse`: no database, no archive, no rustbucket.

The parser is the one that builds hours, so columns, trust and quarantine are what a row would have. But `message` and
`fields` are the record's own, whole; only secrets of ours are taken out. Where bytes come from is the caller's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast

import msgspec

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.events.dialects import likely_dialect, recognise
from rustbucket_pipeline.events.export import Column, Kind
from rustbucket_pipeline.events.identity import Identities
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.parse import Parser, QuarantineRow, Told
from rustbucket_pipeline.events.pieces import LogRecord
from rustbucket_pipeline.events.record import Parsed
from rustbucket_pipeline.events.redact import may_hold_secret, may_register, redacted
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.events.tally import Tally
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.framing.records import FramedRecord, Framer
from rustbucket_pipeline.framing.times import Clock, microseconds, moment_of
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.model.window import EPOCH

Period = tuple[datetime, datetime]
"""The UTC time a file vouches for by its name."""

BEFORE_PERIOD = timedelta(minutes=10)
AFTER_PERIOD = timedelta(minutes=5)
"""How far a record may lie outside its file's period: files are named by the time of writing."""

_SNIFFED_BYTES = 1 << 18
_FIRST, _LAST = microseconds(datetime(1, 1, 1, tzinfo=UTC)), microseconds(datetime(9999, 12, 31, tzinfo=UTC))


class FileRecord(NamedTuple):
    """One record of a file, or bytes of it that are none (`reason` says why; `excerpt` are the first of them).

    `timestamp` is what the record claims, `event_ts` (None: the same) what it is worth. `notes` are those that its row
    in the database would have; the other columns are as `docs/events.md` says. Offset and length are exact bytes of the
    unpacked file, final newline included; the records of a file cover it exactly, in order.
    """

    file: str
    offset: int
    length: int
    dialect: str | None = None
    timestamp: datetime | None = None
    event_ts: datetime | None = None
    level: str | None = None
    target: str | None = None
    message: str | None = None
    event_type: str | None = None
    counted: bool | None = None
    protocol: str | None = None
    src_ip: str | None = None
    src_port: int | None = None
    username: str | None = None
    password: str | None = None
    command: str | None = None
    http_method: str | None = None
    http_path: str | None = None
    duration_ms: float | None = None
    fields: dict[str, object] | None = None
    notes: dict[str, object] | None = None
    trust: float | None = None
    parser_version: int | None = None
    reason: str | None = None
    excerpt: str | None = None


_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("offset", "length", "src_port", "parser_version"), "integer"),
    **dict.fromkeys(("timestamp", "event_ts"), "time"),
    **dict.fromkeys(("duration_ms", "trust"), "number"),
    **dict.fromkeys(("fields", "notes"), "json"),
    "counted": "truth",
}
COLUMNS = [Column(name, _KINDS.get(name, "text")) for name in FileRecord._fields]
"""The columns of `FileRecord`, for whoever writes them."""


@dataclass(slots=True)
class LogFile:
    """A log file's content. `period` is what its name vouches for (None: nothing, so that every claimed time counts).

    `dialects`: records of others are quarantined (none named: every dialect is read). Visits from `collectors` are our
    own.
    """

    name: str
    blocks: Iterable[bytes]
    period: Period | None = None
    dialects: frozenset[str] = frozenset()
    collectors: Networks = ()
    tally: Tally = field(default_factory=Tally)

    def records(self) -> Iterator[FileRecord]:
        """What it holds, in the order of its bytes, read as it is asked for; counted in `tally`."""
        grader = Grader(open=False, last=self._clock().at)
        for told in Parser(_NoIdentities(), self.tally, self.collectors).tell(self._framed(), grader):
            row = told.row
            if isinstance(row, QuarantineRow):
                excerpt = row.excerpt.decode("utf-8", "backslashreplace")
                yield FileRecord(self.name, row.byte_offset, row.byte_length, reason=row.reason, excerpt=excerpt)
            elif self.dialects and row.dialect not in self.dialects:
                yield FileRecord(
                    self.name, row.byte_offset, row.byte_length, reason=f"in another dialect: {row.dialect}"
                )
            else:
                yield _record(self.name, row, _reading(told), told.source)

    def _framed(self) -> Iterator[LogRecord]:
        framer, held, start = Framer(self._clock()), b"", 0
        likely = next(iter(self.dialects)) if len(self.dialects) == 1 else ""
        for block in self.blocks:
            self.tally.archived_bytes += len(block)
            held += block
            likely = likely or likely_dialect(held[:_SNIFFED_BYTES])
            yield from _cut(framer.feed(block), held, start, likely)
            held, start = held[framer.offset - start :], framer.offset
        yield from _cut(framer.finish(), held, start, likely)

    def _clock(self) -> Clock:
        if self.period is None:
            return Clock(microseconds(EPOCH), after_text=False, vouched_from=_FIRST, vouched_until=_LAST)
        start, end = self.period
        vouched = microseconds(start - BEFORE_PERIOD), microseconds(end + AFTER_PERIOD)
        return Clock(microseconds(start), False, *vouched)


_NOWHERE = Segment(0, 0, 0, "", EPOCH, 0, 0, "", "", EPOCH, False, EPOCH, EPOCH)
"""Stands for the segment that a file's records don't have."""


class _NoIdentities(Identities):
    """A file has no rustbucket, so its records have no ids, and none is another's duplicate; nothing is remembered."""

    def __init__(self) -> None:
        super().__init__("", several_logs=False)

    def claim(self, log_id: int, window_start: datetime, data: bytes) -> str:
        return ""


def _reading(told: Told) -> Parsed:
    """The record of a row just made, as its dialect reads it: with what the row leaves out."""
    reading = recognise(told.source, told.kind, told.likely)
    if not isinstance(reading, Parsed):
        raise IntegrityError(f"a record is read in two ways ({reading.reason}); report this as a bug")
    return reading


def _cut(framed: Iterable[FramedRecord], held: bytes, start: int, likely: str) -> Iterator[LogRecord]:
    for offset, length, kind, claimed, ts, clamped in framed:
        data = held[offset - start : offset - start + length]
        yield LogRecord(_NOWHERE, offset, data, kind, claimed, ts, clamped, likely)


def _record(file: str, row: EventRow, reading: Parsed, source: bytes) -> FileRecord:
    clear = _Clear(may_register(reading.message, reading.target)) if may_hold_secret(source) else _as_it_is
    noted: dict[str, object] = msgspec.json.decode(row.fields) if row.fields else {}
    return FileRecord(
        file=file,
        offset=row.byte_offset,
        length=row.byte_length,
        dialect=row.dialect,
        timestamp=moment_of(row.event_ts if row.claimed_ts is None else row.claimed_ts),
        event_ts=moment_of(row.event_ts) if row.clamped else None,
        level=row.level,
        target=row.target,
        message=str(clear(reading.message, "message")),
        event_type=row.event_type,
        counted=row.counted,
        protocol=row.protocol,
        src_ip=row.src_ip,
        src_port=row.src_port,
        username=row.username,
        password=row.password,
        command=row.command,
        http_method=row.http_method,
        http_path=row.http_path,
        duration_ms=row.duration_ms,
        fields=cast("dict[str, object]", clear(reading.fields, "")),
        notes={name: note for name, note in noted.items() if name.startswith("_") and not name.startswith("__")}
        or None,
        trust=row.trust,
        parser_version=row.parser_version,
    )


def _as_it_is(value: object, _: str) -> object:
    return value


class _Clear(NamedTuple):
    """Takes secrets of ours out of values, wherever in them they stand; `name` is the field's that holds one."""

    registers: bool

    def __call__(self, value: object, name: str) -> object:
        if isinstance(value, str):
            return redacted(value, name, registers=self.registers)[0]
        if isinstance(value, dict):
            return {key: self(inner, key) for key, inner in cast("dict[str, object]", value).items()}
        if isinstance(value, list):
            return [self(inner, name) for inner in cast("list[object]", value)]
        return value
