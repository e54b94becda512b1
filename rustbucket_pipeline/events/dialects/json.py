"""JSON lines (December 2025 on): one record is one line, so nothing in it can be forged.

A line that encodes back to itself is taken at once: it has no repeated key, no odd number, no stray blank. Any other
is read exactly, or refused with a reason. Never raises for what a line holds.
"""

import json
from typing import Final, cast

import msgspec

from rustbucket_pipeline.events.dialects.printf import meaning_of
from rustbucket_pipeline.events.dialects.structured import MEANINGS
from rustbucket_pipeline.events.record import Opened, Parsed, Refused

_DEEPEST = 16
_LONGEST_NUMBER = 32
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


class _Odd(ValueError):
    """Why a line can't be read; never leaves this module."""


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
    flags: list[str] = []
    try:
        found = _object_of(line, flags)
        fields = _object(found.pop("fields", None))
        level, target, message = _text(found, "level"), _text(found, "target"), _text(fields, "message")
    except _Odd as odd:
        return Refused(str(odd))
    except (ValueError, RecursionError):
        return Refused("JSON that is cut, glued or damaged")
    found.pop("timestamp", None)
    parsed = _parsed(level, target, message, {**found, **fields}, dirty=True)
    parsed.flags = flags
    return parsed


def _object_of(line: bytes, flags: list[str]) -> dict[str, object]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        first: dict[str, object] = {}
        for key, value in pairs:
            if key in first:
                flags.append("repeated key")
            else:
                first[key] = value
        return first

    text = line.decode("utf-8", "surrogateescape")
    found: object = json.loads(
        text, object_pairs_hook=unique, parse_constant=_refuse_number, parse_int=_whole, parse_float=_finite
    )
    if _too_deep(found):
        raise _Odd("JSON nested too deeply")
    return _object(found)


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _Odd("JSON that is no log record")
    return cast("dict[str, object]", value)


def _text(values: dict[str, object], name: str) -> str:
    value = values.pop(name, None)
    if not isinstance(value, str):
        raise _Odd("JSON that is no log record")
    return value


def _too_deep(value: object, depth: int = 0) -> bool:
    if depth > _DEEPEST:
        return True
    if isinstance(value, dict):
        return any(_too_deep(inner, depth + 1) for inner in cast("dict[str, object]", value).values())
    return isinstance(value, list) and any(_too_deep(inner, depth + 1) for inner in cast("list[object]", value))


def _refuse_number(text: str) -> object:
    raise _Odd(f"JSON with {text} for a number")


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _Odd("JSON with a number out of range")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if len(text) > _LONGEST_NUMBER or value in {float("inf"), float("-inf")}:
        raise _Odd("JSON with a number out of range")
    return value
