"""The templates of key=value text as regular expressions, each of which takes a record whole or not at all.

An expression is narrower than the template's `Pattern`: a value that is cut at the next key can't hold that key's first
letter, so there is one way to cut. A wide one is slower: values before the last attacker's are cut where the next key
stands first. What either takes, the pattern takes with the same values.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from rustbucket_pipeline.events.dialects.kv import MARK
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

COLUMNS: Final = ("client_ip", "username", "password", "command", "method", "path", "duration_secs", "fields")
"""What has a column, by the log's names; `fields` (JSON) are the other values."""

_TAKEN = frozenset({*COLUMNS, "protocol"}) - {"duration_secs"}
"""What isn't in `fields`."""

_encode = msgspec.json.Encoder().encode


class Variant(NamedTuple):
    """One way to write a message: `match` reads what stands behind its mark, or else `match_wide`.

    `literals` are sure to stand there. `known` is what it stands for at a level and over a protocol. `protocol` and
    `client_ip` are the numbers of those values, `columns` those that have a column; `rest` are the values that stand in
    `fields`, and whether they must be spelled; `json` is how. `names` are those of all but the protocol; `logs_again`:
    they were typed before (`casing`).
    """

    match: Callable[[bytes], re.Match[bytes] | None]
    match_wide: Callable[[bytes], re.Match[bytes] | None]
    literals: tuple[bytes, ...]
    known: Callable[[bytes, bytes | None], Known]
    protocol: int | None
    client_ip: int | None
    columns: tuple[tuple[str, int], ...]
    rest: tuple[tuple[int, bool], ...]
    json: bytes
    names: tuple[str, ...]
    logs_again: bool

    def claims(self, body: bytes) -> bool:
        """Whether what it doesn't read can't be another variant's either."""
        return all(literal in body for literal in self.literals)

    def fields(self, columns: Sequence[Sequence[bytes]]) -> list[bytes]:
        """`fields` of records with these values, a column each; few are different."""
        said = [*zip(*(columns[at] for at, _ in self.rest), strict=True)]
        written = {one: self._written(one) for one in {*said}}
        return [*map(written.__getitem__, said)]

    def _written(self, values: tuple[bytes, ...]) -> bytes:
        members = (_spelled(value) if text else value for value, (_, text) in zip(values, self.rest, strict=True))
        return self.json % tuple(members)

    def again(self, known: Known, values: tuple[bytes, ...]) -> Again:
        """What such a record tells again: all but the protocol."""
        texts = (value.decode() for value in values[-len(self.names) :])
        return Again(tuple(zip(self.names, texts, strict=True)), known.debug)


@lru_cache(maxsize=1024)
def _spelled(value: bytes) -> bytes:
    return _encode(value.decode())


def _expression(pattern: Pattern, message: str, *, wide: bool) -> Callable[[bytes], re.Match[bytes] | None]:
    """Of what stands behind the message and its mark."""
    written = re.escape(pattern.literals[0].removeprefix(message + MARK))
    for at, literal in enumerate(pattern.literals[1:]):
        value = _certain_value(pattern, at)
        if value is None and wide and at < pattern.pivot:
            written += f"(?>(.*?){re.escape(literal)})"
            continue
        # Cut at the first place that fits, or the last one behind the pivot.
        cut = pattern.literals[at + 1 if at < pattern.pivot else at]
        any_value = ".*" if at == pattern.pivot else f"[^{re.escape(cut[0])}]*"
        written += f"({value or any_value}){re.escape(literal)}"
    return re.compile(written.encode(), re.DOTALL).fullmatch


def _certain_value(pattern: Pattern, at: int) -> str | None:
    """What a value is written like; None if it can be anything."""
    name, mark = pattern.holes[at]
    if name == "protocol":
        return "|".join(spelling.decode() for spelling in PROTOCOL_OF)
    if mark == "#":
        return _SECONDS if name == "duration_secs" else _NUMBER
    return _DEBUG if mark == "?" else None


def _variant(target: str, message: str, template: Template) -> Variant | None:
    """None if its values need a second look."""
    pattern = template.pattern
    names = [hole.name for hole in pattern.holes]
    kind = Kind(target, message, template.meaning, frozenset(names))
    if not kind.plain:
        return None
    rest = [] if kind.again else [(at, *hole) for at, hole in enumerate(pattern.holes) if hole.name not in _TAKEN]
    return Variant(
        _expression(pattern, message, wide=False),
        _expression(pattern, message, wide=True),
        tuple(literal.encode() for literal in pattern.literals[1:] if literal),
        lru_cache(maxsize=64)(kind.told),
        names.index("protocol") if "protocol" in names else None,
        names.index("client_ip") if "client_ip" in names else None,
        tuple((name, at) for at, name in enumerate(names) if name in COLUMNS),
        tuple((at, mark != "#") for at, _, mark in rest),
        b"{%b}" % b",".join(b'"%b":%%b' % name.encode() for _, name, _ in rest),
        tuple(name for name in names if name != "protocol"),
        kind.again,
    )


def _variants() -> Iterator[tuple[bytes, tuple[Variant, ...]]]:
    for (target, message), templates in TEMPLATES.items():
        variants = [_variant(target, message, template) for template in templates]
        if None not in variants:
            yield f"{target}: {message}".encode(), tuple(variant for variant in variants if variant is not None)


_READ: Final = dict(_variants())

MESSAGES: Final = {message: number for number, message in enumerate(_READ)}
"""Target and message, as they are written, by number: all but those with values that need a second look."""

VARIANTS: Final = tuple(_READ.values())
"""Theirs, by that number, in the order they are tried."""
