"""What both quick ways share: what a known message stands for, which records need a second look, and the columns.

No bytes are read here; how a record's values are told is `quick`'s (JSON lines) and `quick_text`'s business.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from rustbucket_pipeline.events.casing import HEARD, Casing, tells_again
from rustbucket_pipeline.events.normalise import PROTOCOL_OF_TARGET
from rustbucket_pipeline.events.own import PATHS
from rustbucket_pipeline.events.quick_again import Again
from rustbucket_pipeline.events.record import Meaning
from rustbucket_pipeline.events.redact import SECRET_HINTS
from rustbucket_pipeline.events.row import PROTOCOLS
from rustbucket_pipeline.events.values import Address, address_of

PROTOCOL_OF: Final = {
    spelling.encode(): name for name in PROTOCOLS for spelling in (name, name.upper(), name.capitalize())
}
"""By the log's spelling."""


class Known(NamedTuple):
    """What a known message stands for; `protocol` where the record doesn't say, `typed`: it tells what was typed."""

    target: str
    message: str
    event_type: str
    counted: bool
    protocol: str | None
    refuses: bool
    opens: bool
    typed: bool


def known_of(target: str, message: str, meaning: Meaning, fields: set[str]) -> Known:
    """Of a message with these fields."""
    protocol = meaning.protocol or PROTOCOL_OF_TARGET.get(target)
    typed = target == HEARD and meaning.counted and "command" in fields
    return Known(target, message, meaning.event_type, meaning.counted, protocol, meaning.refuses, meaning.opens, typed)


def as_written(target: str, meaning: Meaning, fields: set[str]) -> bool:
    """Whether the columns hold the values of a message with these fields as the log writes them."""
    return not meaning.debug and not tells_again(target, fields)


class Values(NamedTuple):
    """A column each of what many records say, as the log writes it, but `fields`, which is JSON. Bytes are UTF-8."""

    levels: Sequence[bytes | None]
    protocols: Sequence[bytes | None]
    addresses: Sequence[bytes | None]
    usernames: Sequence[bytes | str | None]
    passwords: Sequence[bytes | str | None]
    commands: Sequence[bytes | str | None]
    methods: Sequence[bytes | str | None]
    paths: Sequence[bytes | str | None]
    seconds: Sequence[bytes | None]
    fields: Sequence[bytes | None]


class PlainRows(NamedTuple):
    """The records of a block that are plain, by their places, and what they say, a column each; `odd` are the others.

    The values of those in `again`, by place, are still to be put into `columns`. `told` is whom and what the last ones
    tell of, if that isn't known otherwise.
    """

    places: list[int]
    odd: list[int]
    known: list[Known]
    columns: dict[str, list[object]]
    again: dict[int, Again]
    told: Sequence[str] = ()

    def spell(self, place: int, casing: Casing, at: int) -> None:
        """Put the values of one in `again` into its columns; `at` is its event time."""
        row = bisect_left(self.places, place)
        spelling = self.again[place].spelled(casing, at)
        for name, value in spelling._asdict().items():
            self.columns[name][row] = value


def columns_from(values: Values, known: Sequence[Known]) -> dict[str, list[object]]:
    """`EventRow`'s columns that the records themselves tell."""
    sources = [source_of(address) if address else None for address in values.addresses]
    return {
        "level": [*values.levels],
        "target": [one.target for one in known],
        "event_type": [one.event_type for one in known],
        "protocol": [
            PROTOCOL_OF[name] if name else one.protocol for name, one in zip(values.protocols, known, strict=True)
        ],
        "src_ip": [source and source.ip for source in sources],
        "src_port": [source and source.port for source in sources],
        "username": [*values.usernames],
        "password": [*values.passwords],
        "command": [*values.commands],
        "http_method": [*values.methods],
        "http_path": [*values.paths],
        "duration_ms": [None if value is None else int(value) * 1000.0 for value in values.seconds],
        "counted": [one.counted for one in known],
        "message": [one.message for one in known],
        "fields": [*values.fields],
    }


@lru_cache(maxsize=8192)
def source_of(client_ip: bytes) -> Address | None:
    """The address, if it can be spelled again from its parts."""
    address = address_of(client_ip.decode("utf-8"))
    return address if address and address.exact else None


def shunned(data: bytes, ends: Sequence[int], others: Iterable[bytes] = ()) -> set[int]:
    """Places of records that may hold a secret of ours, be a visit of ours, hold one of `others`, or aren't UTF-8."""
    lower = data.lower()
    places = {bisect_right(ends, at) for hint in SECRET_HINTS for at in _places_of(hint, lower)}
    places.update(bisect_right(ends, at) for part in (*PATHS, *others) for at in _places_of(part, data))
    if not _is_utf8(data):
        starts = [0, *ends]
        places.update(place for place, end in enumerate(ends) if not _is_utf8(data[starts[place] : end]))
    return places


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
