"""The templates of key=value text as regular expressions, each of which takes a record whole or not at all.

An expression is narrower than the template's `Pattern`: a value that is cut at the next key can't hold that key's first
letter, so there is one way to cut. What it takes, the pattern takes with the same values.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from rustbucket_pipeline.events.dialects.structured import TEMPLATES, Template
from rustbucket_pipeline.events.pattern import Pattern
from rustbucket_pipeline.events.quick_again import Again
from rustbucket_pipeline.events.quick_columns import PROTOCOL_OF, Kind, Known

_NUMBER = "0|-?[1-9][0-9]{0,14}|true|false"
_SECONDS = "0|[1-9][0-9]{0,8}"
_ITEM = r'"[^"\\]*"'
_DEBUG = rf"Some\({_ITEM}\)|None|\[(?:{_ITEM}(?:, {_ITEM})*)?\]"
DEBUG = re.compile(_DEBUG)
"""What Rust's Debug writes, with nothing escaped in it."""

_COLUMNS = ("client_ip", "username", "password", "command", "method", "path", "duration_secs")
_TAKEN = frozenset(_COLUMNS) - {"duration_secs"} | {"protocol"}

Value = bytes | None

Told = tuple[Value, ...]
"""client_ip, username, password, command, method, path, duration_secs and `fields` (JSON)."""

CLIENT_IP: Final = 0
COMMAND: Final = 3

_FIELDS, _NOTHING, _FIRST = 0, 1, 2
"""Where they stand among what `Told` is picked from; values follow."""

_encode = msgspec.json.Encoder().encode


class Variant(NamedTuple):
    """One way to write a message: `match` reads what stands from its mark on, `literals` are sure to stand there.

    `known` is what it stands for at a level and over a protocol, the value at `protocol`. `rest` are the values that
    stand in `fields`, and whether they must be spelled; `json` is how. `names` are those of all but the protocol.
    """

    match: Callable[[bytes, int, int], re.Match[bytes] | None]
    literals: tuple[bytes, ...]
    known: Callable[[bytes, Value], Known]
    protocol: int | None
    rest: tuple[tuple[int, bool], ...]
    json: bytes
    names: tuple[str, ...]
    picked: Callable[[Told], Told]

    def meant(self, level: bytes, values: Told) -> Known:
        """What the record of that level with these values stands for."""
        return self.known(level, None if self.protocol is None else values[self.protocol])

    def told(self, values: Told) -> Told:
        """The record with these values."""
        if not self.rest:
            return self.picked((None, None, *values))
        members = [_spelled(values[at]) if text else values[at] for at, text in self.rest]
        return self.picked((self.json % tuple(members), None, *values))

    def again(self, known: Known, values: Told) -> Again:
        """What such a record tells again: all but the protocol."""
        texts = (str(value or b"", "utf-8") for value in values[-len(self.names) :])
        return Again(tuple(zip(self.names, texts, strict=True)), known.debug)


@lru_cache(maxsize=1024)
def _spelled(value: Value) -> bytes:
    return _encode(str(value or b"", "utf-8"))


def _expression(pattern: Pattern, message: str) -> str:
    """Of what stands behind the message."""
    written = re.escape(pattern.literals[0].removeprefix(message))
    for at, literal in enumerate(pattern.literals[1:]):
        written += f"({_value(pattern, at)}){re.escape(literal)}"
    return written


def _value(pattern: Pattern, at: int) -> str:
    name, mark = pattern.holes[at]
    if name == "protocol":
        return "|".join(spelling.decode() for spelling in PROTOCOL_OF)
    if mark == "#":
        return _SECONDS if name == "duration_secs" else _NUMBER
    if mark == "?":
        return _DEBUG
    if at == pattern.pivot:
        return ".*"
    # Cut at the first place that fits, or the last one behind the pivot.
    cut = pattern.literals[at + 1 if at < pattern.pivot else at]
    return f"[^{re.escape(cut[0])}]*"


def _variant(target: str, message: str, template: Template) -> Variant | None:
    """None if its values need a second look."""
    pattern = template.pattern
    names = [hole.name for hole in pattern.holes]
    kind = Kind(target, message, template.meaning, frozenset(names))
    if not kind.plain:
        return None
    rest = [] if kind.again else [(at, *hole) for at, hole in enumerate(pattern.holes) if hole.name not in _TAKEN]
    columns = [_FIRST + names.index(name) if name in names else _NOTHING for name in _COLUMNS]
    return Variant(
        re.compile(_expression(pattern, message).encode(), re.DOTALL).fullmatch,
        tuple(literal.encode() for literal in pattern.literals[1:] if literal),
        lru_cache(maxsize=64)(kind.told),
        names.index("protocol") if "protocol" in names else None,
        tuple((at, mark != "#") for at, _, mark in rest),
        b"{%b}" % b",".join(b'"%b":%%b' % name.encode() for _, name, _ in rest),
        tuple(name for name in names if name != "protocol"),
        itemgetter(*columns, _FIELDS),
    )


def _variants() -> Iterator[tuple[bytes, tuple[Variant, ...]]]:
    for (target, message), templates in TEMPLATES.items():
        variants = [_variant(target, message, template) for template in templates]
        if None not in variants:
            yield f"{target}: {message}".encode(), tuple(variant for variant in variants if variant is not None)


VARIANTS: Final = dict(_variants())
"""By target and message as they are written: all but those with values that need a second look."""
