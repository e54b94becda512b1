"""JSON lines (December 2025 on): one record is one line, so nothing in it can be forged.

A line that encodes back to itself is taken at once: it has no repeated key, no odd number, no stray blank. Any other
is read exactly, or refused with a reason. Never raises for what a line holds.
"""

from typing import Final

import msgspec

from rustbucket_pipeline.events.dialects.printf import meaning_of
from rustbucket_pipeline.events.dialects.structured import MEANINGS
from rustbucket_pipeline.events.record import Opened, Parsed, Refused
from rustbucket_pipeline.events.strict_json import OddJson, exact_object, members, text_of

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


class _Line(msgspec.Struct, omit_defaults=True):
    timestamp: str
    level: str
    fields: dict[str, object]
    target: str
    span: object = None
    spans: object = None


_decode = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode


class Json:
    """Rustbucket's JSON lines."""

    name = "json"

    def recognise(self, record: Opened) -> Parsed | Refused | None:
        """The line's reading; None for anything that doesn't begin like an object."""
        if record.text is not None or not record.data.startswith(b"{"):
            return None
        line = record.data.rstrip(b"\r\n")
        parsed = _at_once(line)
        return parsed if parsed is not None else _exactly(line)


JSON = Json()


def _at_once(line: bytes) -> Parsed | None:
    try:
        found = _decode(line)
        if found.span is not None or found.spans is not None or _encode(found) != line:
            return None
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    message = found.fields.pop("message", None)
    if type(message) is not str or not _SCALARS.issuperset(map(type, found.fields.values())):
        return None
    dirty = b"\\u0000" in line or b"\\ud" in line or b'"_' in line
    return _parsed(found.level, found.target, message, found.fields, dirty=dirty)


def _parsed(level: str, target: str, message: str, fields: dict[str, object], *, dirty: bool) -> Parsed:
    meaning = MEANINGS.get((target, message)) or meaning_of(message)
    return Parsed("json", level, target, message, fields, meaning, dirty)


def _exactly(line: bytes) -> Parsed | Refused:
    try:
        found, flags = exact_object(line)
        fields = members(found.pop("fields", None))
        level, target, message = text_of(found, "level"), text_of(found, "target"), text_of(fields, "message")
    except OddJson as odd:
        return Refused(str(odd))
    found.pop("timestamp", None)
    parsed = _parsed(level, target, message, {**found, **fields}, dirty=True)
    parsed.flags = flags
    return parsed
