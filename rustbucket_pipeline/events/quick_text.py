"""The quick way for what nearly every key=value text record is: a known message, values that can mean one thing only.

Each template of `structured` becomes a regular expression that takes a record whole or not at all. It is narrower than
the template's `Pattern`: a value that is cut at the next key can't hold that key's first letter, so there is one way to
cut. What it doesn't take goes the exact way (`parse`); both give the same rows.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from rustbucket_pipeline.events.casing import VERBS
from rustbucket_pipeline.events.dialects.kv import MARK
from rustbucket_pipeline.events.dialects.structured import TEMPLATES, Template
from rustbucket_pipeline.events.normalise import UNTIDY_FROM
from rustbucket_pipeline.events.pattern import Pattern
from rustbucket_pipeline.events.pieces import PlainText
from rustbucket_pipeline.events.quick_again import Again
from rustbucket_pipeline.events.quick_columns import (
    PROTOCOL_OF,
    Known,
    PlainRows,
    Values,
    as_written,
    columns_from,
    known_of,
    shunned,
    source_of,
)
from rustbucket_pipeline.framing.texts import HEAD_BYTES, LEVEL

_NUMBER = "0|-?[1-9][0-9]{0,14}|true|false"
_SECONDS = "0|[1-9][0-9]{0,8}"
_OPTION = r'Some\("[^"\\]*"\)|None'
_COLUMNS = ("protocol", "client_ip", "username", "password", "command", "method", "path", "duration_secs")
_TAKEN = frozenset(_COLUMNS) - {"duration_secs"}
_OPTIONAL = frozenset({"username"})
"""The one value in Debug form that is read here: an option of a name."""

Value = bytes | None

Told = tuple[Value, ...]
"""The level and a value for each of `_COLUMNS`, then `fields`."""

_LEVEL, _PROTOCOL, _CLIENT_IP, _COMMAND, _FIELDS = 0, 1, 2, 5, 9

_encode = msgspec.json.Encoder().encode


class _Variant(NamedTuple):
    """One way to write a message: `match` reads it, `literals` stand in every record that may be written so.

    `columns` picks those of `Told` from level, values and None; `rest` is what else stands in `fields`, written as
    `json` has it, `spelled` saying of which values the JSON spelling must be found. `again` names the values of a
    record that tells again what was typed, `debug` those of them in Rust's Debug form.
    """

    match: Callable[[bytes, int, int], re.Match[bytes] | None]
    literals: tuple[bytes, ...]
    known: Known
    columns: Callable[[Told], Told]
    rest: tuple[int, ...]
    spelled: tuple[bool, ...]
    json: bytes
    again: tuple[str, ...]
    debug: tuple[str, ...]


def _expression(pattern: Pattern, message: str) -> str:
    """Of what stands behind the message."""
    literals, pivot = pattern.literals, pattern.pivot
    written = re.escape(literals[0].removeprefix(message))
    for at, (name, mark) in enumerate(pattern.holes):
        if mark == "#":
            value = _SECONDS if name == "duration_secs" else _NUMBER
        elif mark == "?":
            value = _OPTION
        elif at == pivot:
            value = ".*"
        else:
            value = f"[^{re.escape(literals[at + 1 if at < pivot else at][0])}]*"
        written += f"({value}){re.escape(literals[at + 1])}"
    return written


def _variant(target: str, message: str, template: Template) -> _Variant | None:
    """None if its values need a second look."""
    pattern, meaning = template.pattern, template.meaning
    names = [hole.name for hole in pattern.holes]
    told = [name for name in names if name != "protocol"]
    again = not as_written(target, meaning, set(names))
    if again and not (VERBS.keys() >= set(told) and set(meaning.debug) <= _OPTIONAL):
        return None
    rest = [] if again else [(at, *hole) for at, hole in enumerate(pattern.holes) if hole.name not in _TAKEN]
    return _Variant(
        re.compile(_expression(pattern, message).encode(), re.DOTALL).fullmatch,
        tuple(literal.encode() for literal in pattern.literals if literal),
        known_of(target, message, meaning, set(names)),
        itemgetter(0, *(names.index(name) + 1 if name in names else -1 for name in _COLUMNS)),
        tuple(at + 1 for at, _, _ in rest),
        tuple(mark != "#" for _, _, mark in rest),
        b"{%b}" % b",".join(b'"%b":%%b' % name.encode() for _, name, _ in rest),
        tuple(told) if again else (),
        meaning.debug,
    )


def _variants() -> Iterator[tuple[bytes, tuple[_Variant, ...]]]:
    """By target and message as they are written: all but those with values that need a second look."""
    for (target, message), templates in TEMPLATES.items():
        variants = [_variant(target, message, template) for template in templates]
        if None not in variants:
            yield f"{target}: {message}".encode(), tuple(variant for variant in variants if variant is not None)


_VARIANTS: Final = dict(_variants())
_MARK: Final = MARK.encode()


class TextValues(NamedTuple):
    """By place: what each record says and what its message stands for; None where it is `odd`, that is not plain."""

    told: list[Told | None]
    known: list[Known | None]
    again: dict[int, Again]
    odd: list[int]

    def rows(self, start: int, end: int) -> PlainRows:
        """The records of a stretch of places."""
        places = [place for place in range(start, end) if self.known[place] is not None]
        odd = [place for place in self.odd if start <= place < end]
        told = [one for one in self.told[start:end] if one is not None]
        known = [one for one in self.known[start:end] if one is not None]
        again = {place: one for place, one in self.again.items() if start <= place < end}
        return PlainRows(places, odd, known, _columns(told, known), again)

    def tells_of(self, place: int) -> Iterator[str]:
        """Whom and what a plain record tells of."""
        told = self.told[place]
        if told is not None:
            yield from (value.decode() for at in (_CLIENT_IP, _COMMAND) if (value := told[at]))


def text_values(text: PlainText, is_ours: Callable[[str], bool]) -> TextValues:
    """Read the records that are plain, hold none of our secrets and tell of none of our own visits (`is_ours`)."""
    data = text.data
    second_look = shunned(data, text.ends, [b"\0"])
    values = TextValues([], [], {}, [])
    start = 0
    for place, end in enumerate(text.ends):
        told = known = None
        mark = data.find(_MARK, start, end) if end - start <= UNTIDY_FROM and place not in second_look else -1
        variants = _VARIANTS.get(data[start + HEAD_BYTES : mark]) if mark >= 0 else None
        if variants is not None and (found := _read(data, mark, end - 1, variants)) is not None:
            variant, groups = found
            level = data[start + LEVEL.start : start + LEVEL.stop].lstrip()
            told = _told(variant, (level, *groups, None))
            if not _is_odd(told, is_ours):
                known = variant.known
                if variant.again:
                    texts = [str(value or b"", "utf-8") for value in groups[-len(variant.again) :]]
                    values.again[place] = Again(tuple(zip(variant.again, texts, strict=True)), variant.debug)
        if known is None:
            told = None
            values.odd.append(place)
        values.told.append(told)
        values.known.append(known)
        start = end
    return values


def _read(
    data: bytes, mark: int, end: int, variants: tuple[_Variant, ...]
) -> tuple[_Variant, tuple[Value, ...]] | None:
    """The variant that is written there, and its values."""
    for variant in variants:
        found = variant.match(data, mark, end)
        if found is not None:
            return variant, found.groups()
        if all(data.find(literal, mark, end) >= 0 for literal in variant.literals[1:]):
            return None
    return None


def _told(variant: _Variant, values: Told) -> Told:
    columns = variant.columns(values)
    if not variant.rest:
        return (*columns, None)
    members = [
        _encode(str(values[at] or b"", "utf-8")) if spelled else values[at]
        for at, spelled in zip(variant.rest, variant.spelled, strict=True)
    ]
    return (*columns, variant.json % tuple(members))


def _is_odd(told: Told, is_ours: Callable[[str], bool]) -> bool:
    """Whether a protocol or address isn't one, or an address is ours."""
    protocol, client_ip = told[_PROTOCOL], told[_CLIENT_IP]
    if protocol is not None and protocol not in PROTOCOL_OF:
        return True
    return client_ip is not None and (source_of(client_ip) is None or is_ours(client_ip.decode()))


def _columns(told: Sequence[Told], known: Sequence[Known]) -> dict[str, list[object]]:
    if not told:
        return {}
    return columns_from(Values(*zip(*told, strict=True)), known)
