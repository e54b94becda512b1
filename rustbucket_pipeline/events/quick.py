"""The quick way for what nearly every JSON line is: a known message, plain values, nothing odd.

One regular expression tells such a line's values; a block of them becomes columns at once. It takes a line whole or
not at all, and what it doesn't take goes the exact way (`parse`); both give the same rows. Keys it doesn't name stay
in `fields` as they are written.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Final

import msgspec

from rustbucket_pipeline.events.dialects.structured import TEMPLATES
from rustbucket_pipeline.events.normalise import UNTIDY_FROM
from rustbucket_pipeline.events.pieces import PlainLines
from rustbucket_pipeline.events.quick_again import Again
from rustbucket_pipeline.events.quick_columns import (
    PROTOCOL_OF,
    Kind,
    Known,
    Meant,
    PlainRows,
    Sources,
    Values,
    columns_from,
)
from rustbucket_pipeline.events.quick_look import longer_than, need_second_look
from rustbucket_pipeline.events.quick_templates import DEBUG
from rustbucket_pipeline.events.trust import RECENT

_CHARACTERS = r'(?:[^"\\\x00-\x1f]++|\\(?:["\\bfnrt]|u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}))*+'
"""What may stand in a string: nothing that PostgreSQL can't store, no escape that JSON doesn't know."""

_VALUE = rf'(?:"{_CHARACTERS}"|-?(?:0|[1-9][0-9]{{0,14}})|true|false|null)'
_NAMED = "message|component|event_type|protocol|client_ip|username|password|command|method|path|duration|duration_secs"
_OTHERS = rf'(?:,"(?!(?:{_NAMED})")[a-z][a-z_.]{{0,39}}":{_VALUE})*+'


def _optional(name: str, form: str = "({})") -> str:
    return rf'(?:,"{name}":"{form.format(_CHARACTERS)}")?+'


def _head(form: str) -> str:
    """Level, message, the log's own type and the protocol: few are different."""
    level, message = form.format("[A-Z]{4,5}"), form.format(_CHARACTERS)
    return rf'"level":"{level}","fields":\{{"message":"{message}"' + "".join(
        _optional(name, form) for name in ("event_type", "protocol")
    )


_HEAD = re.compile(_head("({})").encode())
_LINE = re.compile(
    (
        rf'\{{"timestamp":"[^"]{{20,30}}",({_head("{}")})((?:,"component":"{_CHARACTERS}")?+)'
        rf"{_optional('client_ip')}{_optional('username')}{_optional('password')}"
        rf"{_optional('command')}{_optional('method')}{_optional('path')}"
        rf'({_OTHERS}(?:,"duration_secs":(0|[1-9][0-9]{{0,8}}))?+{_OTHERS})'
        r'\},"target":"([a-z0-9_:]+)"\}\r?\n?'
    ).encode()
)
_KEY = re.compile(rb',("[a-z_.]+"):')

_Told = tuple[bytes | None, ...]
"""What the groups of `_LINE` hold; None for a field that isn't there."""

_HEADED, _COMPONENT, _CLIENT_IP, _USERNAME, _PASSWORD, _COMMAND, _METHOD, _PATH, _OTHER_FIELDS, _SECONDS, _TARGET = (
    range(11)
)
_TOLD_AGAIN = {_USERNAME: b"username", _PASSWORD: b"password"}
_NEVER_AGAIN = _CLIENT_IP, _COMMAND, _METHOD, _PATH, _SECONDS

_unquoted = msgspec.json.Decoder(str).decode
_texts = msgspec.json.Decoder(dict[str, str]).decode


def plain_rows(lines: PlainLines, is_ours: Callable[[str], bool]) -> PlainRows:
    """Read the lines that are plain, hold none of our secrets and tell of none of our own visits (`is_ours`)."""
    data, sources = lines.data, Sources(is_ours)
    second_look = need_second_look(data, lines.ends) | longer_than(UNTIDY_FROM, lines.ends)
    places: list[int] = []
    odd: list[int] = []
    read: list[_Told] = []
    known: list[Known] = []
    again: dict[int, Again] = {}
    read_all = map(_LINE.fullmatch, repeat(data), lines.borders, lines.borders[1:])
    for place, found in enumerate(read_all):
        told: _Told = found.groups() if found and place not in second_look else ()
        one = _known_by(told, sources) if told else None
        if one is None or (one.again and not _tells_again(told, one, place, again)):
            odd.append(place)
        else:
            places.append(place)
            read.append(told)
            known.append(one)
    last = [_text(value) for told in read[-RECENT:] for value in (told[_CLIENT_IP], told[_COMMAND]) if value]
    return PlainRows(places, odd, Meant.of(known), _columns(read, sources), again, last)


def _known_by(told: _Told, sources: Sources) -> Known | None:
    """None if the message isn't known, the address isn't one or is ours, or a key is repeated."""
    client_ip, others = told[_CLIENT_IP], told[_OTHER_FIELDS]
    if client_ip not in sources.ips and not sources.takes(client_ip):
        return None
    if others and others.count(b'":') > 1:
        keys = _KEY.findall(others)
        if len(keys) > len(set(keys)):
            return None
    return _meant_by(told[_HEADED], told[_TARGET])


@lru_cache(maxsize=1024)
def _meant_by(head: bytes, target: bytes) -> Known | None:
    """What a line of that head stands for."""
    found = _HEAD.fullmatch(head)
    if found is None:
        return None
    level, message, raw_type, protocol = found.groups()
    kind = _KINDS.get((target, message))
    if kind is None or kind.meaning.raw_type != (raw_type or b"").decode():
        return None
    return kind.told(level, protocol) if protocol is None or protocol in PROTOCOL_OF else None


def _kinds() -> Iterator[tuple[tuple[bytes, bytes], Kind]]:
    """By target and message."""
    for (target, message), variants in TEMPLATES.items():
        names = frozenset(hole.name for one in variants for hole in one.pattern.holes)
        kind = Kind(target, message, variants[0].meaning, names)
        if kind.plain:
            yield (target.encode(), message.encode()), kind


_KINDS: Final = dict(_kinds())


def _tells_again(told: _Told, known: Known, place: int, again: dict[int, Again]) -> bool:
    """Note the values of a line that logs upper-cased what was typed before; False if there is more in it."""
    if told[_COMPONENT] or any(told[at] is not None for at in _NEVER_AGAIN):
        return False
    named = (b',"%b":"%b"' % (name, value) for at, name in _TOLD_AGAIN.items() if (value := told[at]) is not None)
    try:
        values = _texts(_object(b"".join(named) + (told[_OTHER_FIELDS] or b"")))
    except msgspec.ValidationError:
        return False
    if not all(DEBUG.fullmatch(values.get(name, "None")) for name in known.debug):
        return False
    again[place] = Again(tuple(values.items()), known.debug)
    return True


def _columns(read: Sequence[_Told], sources: Sources) -> dict[str, list[object]]:
    if not read:
        return {}
    _, components, addresses, *taken, others, seconds, _ = zip(*read, strict=True)
    fields = [_object(both) if (both := one + other) else None for one, other in zip(components, others, strict=True)]
    usernames, passwords, commands, methods, paths = map(_unescaped, taken)
    return columns_from(Values(addresses, usernames, passwords, commands, methods, paths, seconds, fields), sources)


def _unescaped(values: Sequence[bytes | None]) -> list[bytes | str | None]:
    return [_text(value) if value and b"\\" in value else value for value in values]


def _text(value: bytes) -> str:
    return _unquoted(b'"%b"' % value)


def _object(members: bytes) -> bytes:
    return b"{%b}" % members[1:]
