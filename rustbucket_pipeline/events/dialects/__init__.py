"""The dialects, tried per record: a file may change its dialect in the middle.

A new dialect is one module that exports an object like these, and one line in `DIALECTS`. Meaning only: what becomes
of a reading (columns, trust, quarantine) is decided elsewhere.
"""

import re
from collections import Counter

from rustbucket_pipeline.events.dialects.classic import CLASSIC
from rustbucket_pipeline.events.dialects.cowrie import COWRIE
from rustbucket_pipeline.events.dialects.json import JSON
from rustbucket_pipeline.events.dialects.kv import KV
from rustbucket_pipeline.events.dialects.printf import COMMON
from rustbucket_pipeline.events.dialects.proto import PROTO
from rustbucket_pipeline.events.record import UNFINISHED, UNKNOWN, Dialect, Opened, Parsed, Refused, TextRecord
from rustbucket_pipeline.framing.split import Kind

DIALECTS: tuple[Dialect, ...] = (COWRIE, JSON, KV, PROTO, CLASSIC)
"""In the order they are tried; their own templates don't overlap."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HEAD = re.compile(rb"\d{4}-\d\d-\d\dT\S{8,24} {1,2}([A-Z]{4,5}) ")
_TARGET = re.compile(r"(?:\w{1,64}(?:\{[^{}\n]{0,512}\})?:){1,16} (\w+(?:::\w+)*): |(\w+(?:::\w+)*): ", re.ASCII)
_TELLING = re.compile(
    rb"^\d{4}-\S{16,24}Z {1,2}[A-Z]{4,5} rustbucket(?:::\w+)*: "
    rb"(?:(?P<classic>Received data: |Response message: )"
    rb"|(?P<proto>(?:FTP|SMTP|HTTP|SSH)\b)"
    rb"|[^\n]{0,200}?(?P<kv> event_type=\"))",
    re.MULTILINE,
)
_TOLD_BYTES = 1024


def recognise(data: bytes, kind: Kind, likely: str) -> Parsed | Refused:
    """A record's reading. `likely` names the dialect of a text record that more than one could have written."""
    data = data.removeprefix(_BYTE_ORDER_MARK)
    text = _open_text(data) if kind == "text" else None
    reading = _read(Opened(data, kind, text), likely)
    if text is not None and text.body.endswith("\r") and isinstance(reading, Parsed) and _is_partial(reading):
        # Lines that were given carriage returns on their way; an attacker's own stay in his text.
        shorter = _read(Opened(data, kind, text._replace(body=text.body[:-1])), likely)
        return shorter if isinstance(shorter, Parsed) and not _is_partial(shorter) else reading
    return reading


def _read(record: Opened, likely: str) -> Parsed | Refused:
    for dialect in DIALECTS:
        reading = dialect.recognise(record)
        if reading is not None:
            return reading
    if record.text is None:
        return Refused("no record")
    level, target, body, dirty = record.text
    shared = COMMON.read(body)
    meaning, fields = shared or (UNKNOWN, {})
    return Parsed(likely, level, target, body, fields, meaning, dirty)


def _is_partial(reading: Parsed) -> bool:
    return not reading.meaning.known or UNFINISHED in reading.flags


def likely_dialect(data: bytes) -> str:
    """Which text dialect most records in these bytes certainly have; `classic` when none says."""
    votes = Counter(found.lastgroup for found in _TELLING.finditer(data))
    return max(("classic", "kv", "proto"), key=lambda name: votes[name])


def dialect_told(data: bytes, kind: Kind) -> str | None:
    """The dialect a record certainly has, told from its beginning; None when it doesn't say."""
    if kind == "json":
        return COWRIE.name if b'"cowrie.' in data[:_TOLD_BYTES] else JSON.name
    found = _TELLING.match(data) if kind == "text" else None
    return found.lastgroup if found else None


def _open_text(data: bytes) -> TextRecord | None:
    head = _HEAD.match(data)
    if head is None:
        return None
    end = len(data) - 1 if data.endswith(b"\n") else len(data)
    raw = data[head.end() : end]
    dirty = b"\0" in raw
    try:
        body = raw.decode("utf-8")
    except UnicodeDecodeError:
        body, dirty = raw.decode("utf-8", "surrogateescape"), True
    target = _TARGET.match(body)
    name = target and (target[1] or target[2])
    return TextRecord(head[1].decode("ascii"), name, body[target.end() :] if target else body, dirty)
