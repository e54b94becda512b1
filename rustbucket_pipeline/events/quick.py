"""The quick way for what nearly every JSON line is: a known message, plain values, nothing odd.

One regular expression tells such a line's values; a block of them becomes columns at once. It takes a line whole or
not at all, and what it doesn't take goes the exact way (`parse`); both give the same rows. Keys it doesn't name stay
in `fields` as they are written.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow's stubs leave its arrays without parameters)

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from rustbucket_pipeline.events.casing import HEARD, tells_again
from rustbucket_pipeline.events.dialects.structured import TEMPLATES
from rustbucket_pipeline.events.normalise import PROTOCOL_OF_TARGET, UNTIDY_FROM
from rustbucket_pipeline.events.own import PATHS
from rustbucket_pipeline.events.read import PlainLines
from rustbucket_pipeline.events.redact import SECRET_HINTS
from rustbucket_pipeline.events.row import PROTOCOLS
from rustbucket_pipeline.events.trust import RECENT
from rustbucket_pipeline.events.values import Address, address_of

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


class _Known(NamedTuple):
    """What a known message stands for; `protocol` where the record doesn't say, `typed`: it tells what was typed."""

    target: str
    message: str
    event_type: str
    counted: bool
    protocol: str | None
    refuses: bool
    typed: bool


def _known() -> Iterator[tuple[tuple[bytes | None, ...], _Known]]:
    """By target, message and the log's own type: all but those with values that need a second look."""
    for (target, message), variants in TEMPLATES.items():
        meaning, fields = variants[0].meaning, {hole.name for one in variants for hole in one.pattern.holes}
        if meaning.raw_type is None or meaning.debug or tells_again(target, fields):
            continue
        protocol, typed = PROTOCOL_OF_TARGET.get(target), target == HEARD and meaning.counted and "command" in fields
        key = (target.encode(), message.encode(), meaning.raw_type.encode())
        yield (
            key,
            _Known(target, message, meaning.event_type, meaning.counted, protocol, meaning.refuses, typed),
        )


_KNOWN: Final = dict(_known())
_PROTOCOLS: Final = {spelling.encode(): name for name in PROTOCOLS for spelling in (name, name.upper())}


class PlainRows(NamedTuple):
    """The lines that are plain, by their places among all, and what they say, a column each; `odd` are the others.

    `typed` are places whose command is what a client typed, `refused` counts connections that were turned away, `told`
    is whom and what the last ones tell of.
    """

    places: list[int]
    odd: list[int]
    columns: dict[str, Sequence[object]]
    typed: list[tuple[int, str]]
    refused: int
    told: list[str]


def plain_rows(lines: PlainLines, is_ours: Callable[[str], bool]) -> PlainRows:
    """Read the lines that are plain, hold none of our secrets and tell of none of our own visits (`is_ours`)."""
    data, match = lines.data, _LINE.fullmatch
    shunned = _shunned(lines)
    places: list[int] = []
    odd: list[int] = []
    read: list[_Values] = []
    known: list[_Known] = []
    start = 0
    for place, end in enumerate(lines.ends):
        found = match(data, start, end) if end - start <= UNTIDY_FROM and place not in shunned else None
        start = end
        values: _Values = found.groups() if found else _NOTHING
        meaning = _KNOWN.get((values[_TARGET], values[_MESSAGE], values[_RAW_TYPE]))
        if meaning is None or _is_odd(values, is_ours):
            odd.append(place)
        else:
            places.append(place)
            read.append(values)
            known.append(meaning)
    return PlainRows(
        places,
        odd,
        _columns(read, known),
        [
            (place, _text(command))
            for place, meaning, values in zip(places, known, read, strict=True)
            if meaning.typed and (command := values[_COMMAND])
        ],
        sum(meaning.refuses for meaning in known),
        [_text(told) for values in read[-RECENT:] for told in (values[_CLIENT_IP], values[_COMMAND]) if told],
    )


def _shunned(lines: PlainLines) -> set[int]:
    """Places of lines that may hold a secret of ours or be a visit of ours, or aren't UTF-8."""
    data, lower = lines.data, lines.data.lower()
    shunned = {bisect_right(lines.ends, at) for hint in SECRET_HINTS for at in _places_of(hint, lower)}
    shunned.update(bisect_right(lines.ends, at) for path in PATHS for at in _places_of(path, data))
    if not _is_utf8(data):
        shunned.update(place for place, record in enumerate(lines.records()) if not _is_utf8(record.data))
    return shunned


def _places_of(part: bytes, data: bytes) -> Iterator[int]:
    at = data.find(part)
    while at >= 0:
        yield at
        at = data.find(part, at + 1)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_odd(values: _Values, is_ours: Callable[[str], bool]) -> bool:
    """Whether a protocol or address isn't one, an address is ours, or a key is repeated."""
    protocol, client_ip, others = values[_PROTOCOL], values[_CLIENT_IP], values[_OTHER_FIELDS]
    if protocol is not None and protocol not in _PROTOCOLS:
        return True
    if client_ip is not None and (_source(client_ip) is None or is_ours(client_ip.decode())):
        return True
    if others is None or others.count(b'":') < 2:
        return False
    keys = _KEY.findall(others)
    return len(keys) > len(set(keys))


@lru_cache(maxsize=8192)
def _source(client_ip: bytes) -> Address | None:
    """The address, if it can be spelled again from its parts."""
    address = address_of(client_ip.decode("utf-8"))
    return address if address and address.exact else None


def _columns(read: Sequence[_Values], known: Sequence[_Known]) -> dict[str, Sequence[object]]:
    """`EventRow`'s columns that the records themselves tell."""
    if not read:
        return {}
    levels, _, _, protocols, components, addresses, *taken, others, seconds, _ = zip(*read, strict=True)
    sources = [_source(address) if address else None for address in addresses]
    username, password, command, method, path = map(_unescaped, taken)
    return {
        "level": levels,
        "target": [meaning.target for meaning in known],
        "event_type": [meaning.event_type for meaning in known],
        "protocol": [
            _PROTOCOLS[name] if name else meaning.protocol for name, meaning in zip(protocols, known, strict=True)
        ],
        "src_ip": [source and source.ip for source in sources],
        "src_port": [source and source.port for source in sources],
        "username": username,
        "password": password,
        "command": command,
        "http_method": method,
        "http_path": path,
        "duration_ms": [None if value is None else int(value) * 1000.0 for value in seconds],
        "counted": [meaning.counted for meaning in known],
        "message": [meaning.message for meaning in known],
        "fields": list(map(_object, components, others)),
    }


def _unescaped(values: Sequence[bytes | None]) -> Sequence[bytes | str | None]:
    return [_text(value) if value and b"\\" in value else value for value in values]


def _text(value: bytes) -> str:
    return _unquoted(b'"%b"' % value)


def _object(component: bytes | None, others: bytes | None) -> bytes | None:
    members = (component or b"") + (others or b"")
    return b"{%b}" % members[1:] if members else None
