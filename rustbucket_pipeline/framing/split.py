"""Where each record of a log begins and ends. Splitting is on byte 0x0A alone; no field is decoded, no time is judged.

A JSON record is one line, Rustbucket's or of another writer, whose keys come in any order. A text record begins with a
strict head and runs to the next head; any other line is bare: it continues the text record before it or, after JSON,
stands alone. What a crash leaves may stand before a head: a byte order mark, NULs, the beginning of another head.
"""

import re
from datetime import UTC, datetime
from typing import Literal, NamedTuple

Kind = Literal["json", "text", "bare"]
"""`json` and `text` have a head with a time; a `bare` record has none and belongs to the time before it."""

MAX_RECORD_BYTES = 8 * 1024 * 1024
"""A record that grows longer is cut there; the rest follows as bare records. JSON lines of 600 KB are real."""

_LEVEL = rb"(?:TRACE|DEBUG|INFO|WARN|ERROR)"
_TEXT = rb"%s {1,2}" + _LEVEL + rb" "
_JSON = rb'\{"timestamp":"%s","level":"' + _LEVEL + rb'"'
_TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z"
_PARTS = rb"(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d)\.(\d{1,9})Z"
_COWRIE = rb'\{"eventid": ?"cowrie\.'
_DAMAGE = rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff|\0++|\d[\d:T.-]{0,25}Z? {0,2}[A-Z]{0,5})??"
_HEAD = re.compile(_DAMAGE + rb"(?:" + _TEXT % _PARTS + rb"|" + _JSON % _PARTS + rb")")
_NEXT_HEAD = re.compile(
    rb"\n(?=" + _DAMAGE + rb"(?:" + _TEXT % _TIME + rb"|" + _JSON % _TIME + rb"|" + _COWRIE + rb"))"
)
_ANY_JSON = re.compile(_DAMAGE + rb"\{")
_ANY_TIME = re.compile(rb'"timestamp": ?"(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|[+-]00:?00)?"')
_MINUTE_PARTS = slice(0, 4), slice(5, 7), slice(8, 10), slice(11, 13), slice(14, 16)
LONGEST_HEAD = 128
"""Bytes in which a line shows whether it begins a record; NULs before it aren't counted."""

_MOST_HELD = 1 << 18


class RawRecord(NamedTuple):
    """Bytes `[offset, offset + length)` of a log, final newline included, and the time its head claims.

    `claimed` is in microseconds since the epoch, UTC; None for a bare record or an impossible time.
    """

    offset: int
    length: int
    kind: Kind
    claimed: int | None


class Splitter:
    """Cuts bytes, given in blocks of any size, into records; the same bytes give the same records."""

    def __init__(self, offset: int) -> None:
        """Start at a line's beginning, `offset` bytes into the log."""
        self._offset = offset
        self._minutes: dict[bytes, int | None] = {}
        self._pending = b""
        self._scanned = 0
        self._continues = False

    def feed(self, block: bytes, most: int | None = None) -> list[RawRecord]:
        """The records that are complete: at their newline (JSON, bare) or where the next head begins (text).

        With `most`, no more than that; the others stay for the next time.
        """
        data = self._pending + block
        records: list[RawRecord] = []
        at, resume = 0, self._scanned
        while at < len(data):
            head = None if self._continues else _HEAD.match(data, at)
            end = self._end_of(data, at, head, resume)
            if end is None:
                break
            records.append(self._record(data, at, end, head))
            at = resume = end
            if len(records) == most:
                break
        self._pending = data[at:]
        self._scanned = 0 if len(records) == most else _scanned(self._pending)
        return records

    @property
    def begun(self) -> bytes | None:
        """What is held of one line, which may end in the next block, for a reader of whole lines; he may `skip` them.

        None where a record was cut, or more is held.
        """
        return None if self._continues or b"\n" in self._pending else self._pending

    def skip(self, lines: int, block: bytes) -> None:
        """Take so many bytes as read: what was held, and the block up to its last newline."""
        self._pending = block[lines - len(self._pending) :]
        self._scanned = _scanned(self._pending)
        self._offset += lines

    def everything(self, block: bytes) -> bytes:
        """What is held and the block, for a reader who tells records by himself; he `keeps` what he leaves of it.

        Nothing where a line goes on, or where so much is held that it isn't worth reading again.
        """
        return b"" if self._continues or len(self._pending) > _MOST_HELD else self._pending + block

    def keep(self, rest: bytes, taken: int) -> None:
        """Hold the rest of what `everything` gave, behind so many bytes that were read."""
        self._pending, self._scanned = rest, 0
        self._offset += taken

    def minute_start(self, minute: bytes) -> int | None:
        """Microseconds of `YYYY-MM-DDTHH:MM`, or None where no such minute exists."""
        if minute not in self._minutes:
            self._minutes[minute] = _minute_start(minute)
        return self._minutes[minute]

    def finish(self, *, tail: bool) -> list[RawRecord]:
        """The records left over when no more bytes come for now; a later reader may go on behind them.

        Without `tail`, a last line that has no newline yet is left for that reader.
        """
        records = self.feed(b"")
        data = self._pending if tail else self._pending[: self._pending.rfind(b"\n") + 1]
        self._pending, self._scanned = b"", 0
        if data:
            records.append(self._record(data, 0, len(data), None if self._continues else _HEAD.match(data)))
        return records

    def _end_of(self, data: bytes, at: int, head: re.Match[bytes] | None, resume: int) -> int | None:
        start = max(at, resume)
        if head is not None and head[1] is not None:
            following = _NEXT_HEAD.search(data, start)
            end = following.start() + 1 if following else 0
        else:
            end = data.find(b"\n", start) + 1
        if 0 < end <= at + MAX_RECORD_BYTES:
            return end
        return at + MAX_RECORD_BYTES if len(data) - at > MAX_RECORD_BYTES else None

    def _record(self, data: bytes, at: int, end: int, head: re.Match[bytes] | None) -> RawRecord:
        kind: Kind = "bare" if head is None else "text" if head[1] is not None else "json"
        if head is None and not self._continues and (head := _any_json(data, at, end)) is not None:
            kind = "json"
        record = RawRecord(self._offset, end - at, kind, None if head is None else self._claim(head))
        self._offset += end - at
        self._continues = data[end - 1] != 0x0A
        return record

    def _claim(self, head: re.Match[bytes]) -> int | None:
        minute, second, fraction = head.group(1, 2, 3) if head[1] is not None else head.group(4, 5, 6)
        start = self.minute_start(minute)
        if start is None or second > b"60":
            return None
        return start + int(second) * 1_000_000 + int((fraction or b"0")[:6].ljust(6, b"0"))


def may_begin(data: bytes, at: int) -> bool:
    """Whether the line there begins a record behind text; `LONGEST_HEAD` bytes must be there."""
    return data[at] == 0 or _NEXT_HEAD.match(data, at - 1) is not None


def _scanned(pending: bytes) -> int:
    """How much of what is held can't begin a head any more; a head's line may begin with any number of NULs."""
    sure = len(pending) - LONGEST_HEAD
    if sure > 0 and pending[sure - 1] == 0:
        sure = len(pending[:sure].rstrip(b"\0")) - 1
    return max(0, sure)


def _any_json(data: bytes, at: int, end: int) -> re.Match[bytes] | None:
    """The time in a line that begins an object; an attacker's text can't hold it, for JSON escapes its quotes."""
    return _ANY_TIME.search(data, at, end) if _ANY_JSON.match(data, at, end) else None


def _minute_start(minute: bytes) -> int | None:
    year, month, day, hour, of_hour = (int(minute[part]) for part in _MINUTE_PARTS)
    try:
        return int(datetime(year, month, day, hour, of_hour, tzinfo=UTC).timestamp()) * 1_000_000
    except ValueError:
        return None
