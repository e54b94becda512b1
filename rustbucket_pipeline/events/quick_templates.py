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

from rustbucket_pipeline.events.casing import tells_again
from rustbucket_pipeline.events.dialects.structured import TEMPLATES, Template
from rustbucket_pipeline.events.pattern import Pattern
from rustbucket_pipeline.events.quick_again import Again
from rustbucket_pipeline.events.quick_columns import PROTOCOL_OF, Known, as_written, known_of

_NUMBER = "0|-?[1-9][0-9]{0,14}|true|false"
_SECONDS = "0|[1-9][0-9]{0,8}"
_ITEM = r'"[^"\\]*"'
_DEBUG = rf"Some\({_ITEM}\)|None|\[(?:{_ITEM}(?:, {_ITEM})*)?\]"
_COLUMNS = ("protocol", "client_ip", "username", "password", "command", "method", "path", "duration_secs")
_TAKEN = frozenset(_COLUMNS) - {"duration_secs"}

Value = bytes | None

Told = tuple[Value, ...]
"""Level, protocol, client_ip, username, password, command, method, path, duration_secs and `fields` (JSON)."""

CLIENT_IP: Final = 2
COMMAND: Final = 5

_LEVEL, _FIELDS, _NOTHING, _FIRST = 0, 1, 2, 3
"""Where they stand among what `Told` is picked from; values follow."""

_encode = msgspec.json.Encoder().encode


class Variant(NamedTuple):
    """One way to write a message: `match` reads what stands from its mark on, `literals` are sure to stand there.

    `rest` are the values that stand in `fields`, `json` is how, and whether they must be spelled; `again` names the
    values of a record that tells again what was typed.
    """

    match: Callable[[bytes, int, int], re.Match[bytes] | None]
    literals: tuple[bytes, ...]
    known: Known
    rest: tuple[tuple[int, bool], ...]
    json: bytes
    again: tuple[str, ...]
    debug: tuple[str, ...]
    picked: Callable[[Told], Told]

    def told(self, level: bytes, values: Told) -> Told:
        """The record of that level with these values."""
        if not self.rest:
            return self.picked((level, None, None, *values))
        members = [_spelled(values[at]) if text else values[at] for at, text in self.rest]
        return self.picked((level, self.json % tuple(members), None, *values))

    def told_again(self, values: Told) -> Again:
        """The values that `again` names, all but the protocol."""
        texts = (str(value or b"", "utf-8") for value in values[-len(self.again) :])
        return Again(tuple(zip(self.again, texts, strict=True)), self.debug)


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
    pattern, meaning = template.pattern, template.meaning
    names = [hole.name for hole in pattern.holes]
    again = not as_written(target, meaning, set(names))
    if meaning.debug and not tells_again(target, names):
        return None
    rest = [] if again else [(at, *hole) for at, hole in enumerate(pattern.holes) if hole.name not in _TAKEN]
    columns = [_FIRST + names.index(name) if name in names else _NOTHING for name in _COLUMNS]
    return Variant(
        re.compile(_expression(pattern, message).encode(), re.DOTALL).fullmatch,
        tuple(literal.encode() for literal in pattern.literals[1:] if literal),
        known_of(target, message, meaning, set(names)),
        tuple((at, mark != "#") for at, _, mark in rest),
        b"{%b}" % b",".join(b'"%b":%%b' % name.encode() for _, name, _ in rest),
        tuple(name for name in names if name != "protocol") if again else (),
        meaning.debug,
        itemgetter(_LEVEL, *columns, _FIELDS),
    )


def _variants() -> Iterator[tuple[bytes, tuple[Variant, ...]]]:
    for (target, message), templates in TEMPLATES.items():
        variants = [_variant(target, message, template) for template in templates]
        if None not in variants:
            yield f"{target}: {message}".encode(), tuple(variant for variant in variants if variant is not None)


VARIANTS: Final = dict(_variants())
"""By target and message as they are written: all but those with values that need a second look."""
