"""Strings made fit for PostgreSQL and for people: what it can't store is escaped, what is too long is cut.

Only records that need it come here (`normalise` decides). What was done is told in notes beside the record's own
fields, so that nothing is changed unseen and an escape can be undone.
"""

import re
from hashlib import sha256
from typing import cast

import msgspec

from rustbucket_pipeline.events.redact import redacted

COLUMN_BYTES = {
    "level": 256,
    "target": 256,
    "username": 1024,
    "password": 1024,
    "http_method": 64,
    "http_path": 2048,
    "command": 8192,
    "message": 8192,
}
FIELDS_BYTES = 8192
_FIELD_STEPS = (4096, 1024, 256, 64)
_UNCUT = 2**31
_KEY_BYTES = 128

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ESCAPED = re.compile("[\0\ud800-\udfff\\\\]")


class Notes:
    """What was done to a record's strings."""

    def __init__(self, *, secrets: bool, registers: bool = False) -> None:
        """Nothing yet; `secrets`: the record may hold one of ours; `registers`: it tells of a registration."""
        self.secrets = secrets
        self.registers = registers
        self.escaped: list[str] = []
        self.cut: dict[str, list[object]] = {}
        self.redacted = 0

    def told(self) -> dict[str, object]:
        """As they stand in `fields`: only what happened."""
        notes: dict[str, object] = {}
        if self.escaped:
            notes["_escaped"] = self.escaped[:16]
        if self.cut:
            notes["_cut"] = self.cut
        if self.redacted:
            notes["_redacted"] = self.redacted
        return notes


def tidy(name: str, text: str, limit: int, notes: Notes) -> str:
    r"""The text without our secrets, escaped where it must be, at most `limit` bytes of UTF-8 long.

    NUL becomes `\x00`, a byte that wasn't UTF-8 `\xNN`, an unpaired surrogate `\udXXX`; in a text so changed every
    backslash is doubled. A cut text's own length in bytes and SHA-256 are noted.
    """
    if notes.secrets:
        text, found = redacted(text, name, registers=notes.registers)
        notes.redacted += found
    if _UNSTORABLE.search(text):
        text = _ESCAPED.sub(_escape, text)
        notes.escaped.append(name[:64])
    if len(text) * 4 <= limit:
        return text
    data = text.encode("utf-8")
    if len(data) <= limit:
        return text
    notes.cut[name[:64]] = [len(data), sha256(data).hexdigest()]
    return data[:limit].decode("utf-8", "ignore")


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\\":
        return "\\\\"
    point = ord(character)
    if point == 0:
        return "\\x00"
    return f"\\x{point - 0xDC00:02x}" if 0xDC80 <= point <= 0xDCFF else f"\\u{point:04x}"


def tidy_fields(fields: dict[str, object], notes: Notes) -> dict[str, object]:
    """The fields with every key and string made fit, together at most `FIELDS_BYTES` of JSON.

    If cutting the single values isn't enough, all are left out and the length and SHA-256 of the whole are noted.
    """
    whole = _tidied(fields, notes, "", limit=_UNCUT)
    encoded = msgspec.json.encode(whole)
    if len(encoded) <= FIELDS_BYTES:
        return whole
    for limit in _FIELD_STEPS:
        cuts = Notes(secrets=notes.secrets, registers=notes.registers)
        shorter = _tidied(fields, cuts, "", limit=limit)
        if len(msgspec.json.encode([shorter, cuts.cut])) <= FIELDS_BYTES:
            notes.cut |= cuts.cut
            return shorter
    notes.cut["fields"] = [len(encoded), sha256(encoded).hexdigest()]
    return {}


def _tidied(fields: dict[str, object], notes: Notes, prefix: str, *, limit: int) -> dict[str, object]:
    return {
        (fit := _key(key, notes)): _value(value, notes, f"{prefix}{fit}", limit=limit) for key, value in fields.items()
    }


def _key(key: str, notes: Notes) -> str:
    """Two long keys that begin alike stay two keys."""
    fit = tidy("a key", key, _KEY_BYTES, notes)
    return fit if len(fit) >= len(key) else f"{fit}…{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _value(value: object, notes: Notes, name: str, *, limit: int) -> object:
    if isinstance(value, str):
        return tidy(name, value, limit, notes)
    if isinstance(value, dict):
        return _tidied(cast("dict[str, object]", value), notes, f"{name}.", limit=limit)
    if isinstance(value, list):
        return [_value(item, notes, name, limit=limit) for item in cast("list[object]", value)]
    return value
