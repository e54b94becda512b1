"""The quick way for what nearly every JSON line is: a known message, plain values, nothing odd.

One regular expression tells such a line's values; a block of them becomes columns at once. It takes a line whole or
not at all, and what it doesn't take goes the exact way (`parse`); both give the same rows. Keys it doesn't name stay
in `fields` as they are written.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from rustbucket_pipeline.events.dialects.structured import TEMPLATES
from rustbucket_pipeline.events.normalise import UNTIDY_FROM
from rustbucket_pipeline.events.pieces import PlainLines
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
from rustbucket_pipeline.events.trust import RECENT

_CHARACTERS = r'(?:[^"\\\x00-\x1f]++|\\(?:["\\bfnrt]|u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}))*+'
"""What may stand in a string: nothing that PostgreSQL can't store, no escape that JSON doesn't know."""

_VALUE = rf'(?:"{_CHARACTERS}"|-?(?:0|[1-9][0-9]{{0,14}})|true|false|null)'
_NAMED = "message|component|event_type|protocol|client_ip|username|password|command|method|path|duration|duration_secs"
_OTHERS = rf'(?:,"(?!(?:{_NAMED})")[a-z][a-z_.]{{0,39}}":{_VALUE})*+'


def _optional(name: str) -> str:
    return rf'(?:,"{name}":"({_CHARACTERS})")?+'


_LINE = re.compile(
    (
        r'\{"timestamp":"[^"]{20,30}","level":"([A-Z]{4,5})","fields":\{'
        rf'"message":"({_CHARACTERS})"{_optional("event_type")}{_optional("protocol")}'
        rf'((?:,"component":"{_CHARACTERS}")?+){_optional("client_ip")}{_optional("username")}{_optional("password")}'
        rf"{_optional('command')}{_optional('method')}{_optional('path')}"
        rf'({_OTHERS}(?:,"duration_secs":(0|[1-9][0-9]{{0,8}}))?+{_OTHERS})'
        r'\},"target":"([a-z0-9_:]+)"\}\r?\n?'
    ).encode()
)
_KEY = re.compile(rb',("[a-z_.]+"):')

_Values = tuple[bytes | None, ...]
"""What the groups of `_LINE` hold; None for a field that isn't there."""

_NOTHING: Final[_Values] = (None,) * _LINE.groups
_MESSAGE, _RAW_TYPE, _PROTOCOL, _CLIENT_IP, _COMMAND, _OTHER_FIELDS, _TARGET = 1, 2, 3, 5, 8, 11, 13

_unquoted = msgspec.json.Decoder(str).decode


def _known() -> Iterator[tuple[tuple[bytes | None, ...], Known]]:
    """By target, message and the log's own type: all but those with values that need a second look."""
    for (target, message), variants in TEMPLATES.items():
        meaning, fields = variants[0].meaning, {hole.name for one in variants for hole in one.pattern.holes}
        if meaning.raw_type is not None and as_written(target, meaning, fields):
            key = target.encode(), message.encode(), meaning.raw_type.encode()
            yield key, known_of(target, message, meaning, fields)


_KNOWN: Final = dict(_known())


def plain_rows(lines: PlainLines, is_ours: Callable[[str], bool]) -> PlainRows:
    """Read the lines that are plain, hold none of our secrets and tell of none of our own visits (`is_ours`)."""
    data, match = lines.data, _LINE.fullmatch
    second_look = shunned(data, lines.ends)
    places: list[int] = []
    odd: list[int] = []
    read: list[_Values] = []
    known: list[Known] = []
    start = 0
    for place, end in enumerate(lines.ends):
        found = match(data, start, end) if end - start <= UNTIDY_FROM and place not in second_look else None
        start = end
        values: _Values = found.groups() if found else _NOTHING
        meaning = _KNOWN.get((values[_TARGET], values[_MESSAGE], values[_RAW_TYPE]))
        if meaning is None or _is_odd(values, is_ours):
            odd.append(place)
        else:
            places.append(place)
            read.append(values)
            known.append(meaning)
    told = [_text(told) for values in read[-RECENT:] for told in (values[_CLIENT_IP], values[_COMMAND]) if told]
    return PlainRows(places, odd, known, _columns(read, known), {}, told)


def _is_odd(values: _Values, is_ours: Callable[[str], bool]) -> bool:
    """Whether a protocol or address isn't one, an address is ours, or a key is repeated."""
    protocol, client_ip, others = values[_PROTOCOL], values[_CLIENT_IP], values[_OTHER_FIELDS]
    if protocol is not None and protocol not in PROTOCOL_OF:
        return True
    if client_ip is not None and (source_of(client_ip) is None or is_ours(client_ip.decode())):
        return True
    if others is None or others.count(b'":') < 2:
        return False
    keys = _KEY.findall(others)
    return len(keys) > len(set(keys))


def _columns(read: Sequence[_Values], known: Sequence[Known]) -> dict[str, list[object]]:
    if not read:
        return {}
    levels, _, _, protocols, components, addresses, *taken, others, seconds, _ = zip(*read, strict=True)
    usernames, passwords, commands, methods, paths = map(_unescaped, taken)
    fields = list(map(_object, components, others))
    values = Values(levels, protocols, addresses, usernames, passwords, commands, methods, paths, seconds, fields)
    return columns_from(values, known)


def _unescaped(values: Sequence[bytes | None]) -> Sequence[bytes | str | None]:
    return [_text(value) if value and b"\\" in value else value for value in values]


def _text(value: bytes) -> str:
    return _unquoted(b'"%b"' % value)


def _object(component: bytes | None, others: bytes | None) -> bytes | None:
    members = (component or b"") + (others or b"")
    return b"{%b}" % members[1:] if members else None
