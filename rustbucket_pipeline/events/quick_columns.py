"""What both quick ways share: what a known message stands for, and what many records say, a column each.

No bytes are read here; how a record's values are told is `quick`'s (JSON lines) and `quick_text`'s business.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false
# (pyarrow's stubs leave its arrays without parameters)

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Final, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rustbucket_pipeline.events.casing import HEARD, Casing, tells_again
from rustbucket_pipeline.events.columns import SCHEMA
from rustbucket_pipeline.events.normalise import PROTOCOL_OF_TARGET
from rustbucket_pipeline.events.quick_again import Again, Spelling
from rustbucket_pipeline.events.quick_spans import replaced
from rustbucket_pipeline.events.record import Meaning
from rustbucket_pipeline.events.row import PROTOCOLS
from rustbucket_pipeline.events.values import Address, address_of
from rustbucket_pipeline.framing.words import Integers, Truths

PROTOCOL_OF: Final = {
    spelling.encode(): name for name in PROTOCOLS for spelling in (name, name.upper(), name.capitalize())
}
"""By the log's spelling."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What a known message stands for; the first six are columns of a row. `protocol`: also where none is written.

    `refuses`, `opens` and `debug` as in `Meaning`; `typed`: it tells what was typed, `again`: it logs upper-cased what
    was typed before. There is one object of each, and they are told apart as objects.
    """

    level: str
    target: str
    event_type: str
    protocol: str | None
    counted: bool
    message: str
    refuses: bool
    opens: bool
    typed: bool
    again: bool
    debug: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A known message with fields of these names."""

    target: str
    message: str
    meaning: Meaning
    names: frozenset[str]

    @property
    def again(self) -> bool:
        """Whether it logs upper-cased what was typed before."""
        return tells_again(self.target, self.names)

    @property
    def plain(self) -> bool:
        """Whether its values can be told apart at once: Rust's Debug wrote none, or none but those."""
        return self.again or not self.meaning.debug

    def told(self, level: bytes, protocol: bytes | None) -> Known:
        """What it stands for at that level; `protocol` as the record writes it, if it does."""
        meaning, written = self.meaning, PROTOCOL_OF.get(protocol or b"")
        return Known(
            level.decode(),
            self.target,
            meaning.event_type,
            written or meaning.protocol or PROTOCOL_OF_TARGET.get(self.target),
            meaning.counted,
            self.message,
            meaning.refuses,
            meaning.opens,
            self.target == HEARD and meaning.counted and "command" in self.names,
            self.again,
            meaning.debug,
        )


_MEANT: Final = [field.name for field in fields(Known)][:6]


class Meant:
    """What many records stand for, in their order."""

    def __init__(self, known: Sequence[Known], numbers: NDArray[np.intp]) -> None:
        """Few are different; which of them each stands for, by number."""
        self._known = known
        self._numbers = numbers

    @classmethod
    def of(cls, known: Sequence[Known]) -> "Meant":
        """Of each one."""
        numbers = {one: number for number, one in enumerate(dict.fromkeys(known))}
        return cls([*numbers], np.fromiter(map(numbers.__getitem__, known), np.intp, len(known)))

    def columns(self) -> dict[str, object]:
        """The columns of their rows that no value is written in, as Arrow's."""
        taken = pa.array(self._numbers, pa.int64())
        return {
            name: pa.array([getattr(one, name) for one in self._known], SCHEMA.field(name).type).take(taken)
            for name in _MEANT
        }

    def are(self, name: str) -> Truths:
        """Which of them count, refuse, open, or are typed."""
        return np.array([getattr(one, name) for one in self._known], np.bool_)[self._numbers]


class PlainRows:
    """The plain records of a block, by their `places`, and what they stand for; `odd` are the others.

    Those in `again`, by place, are still to be spelled; only then the columns can be had. `told` is whom and what the
    last ones tell of, if that isn't known otherwise.
    """

    def __init__(
        self,
        places: Integers,
        odd: list[int],
        meant: Meant,
        values: "Mapping[str, pa.Array]",
        again: Mapping[int, Again],
        told: Sequence[str] = (),
    ) -> None:
        """`values` are the columns of their rows that values are written in; what isn't there is NULL."""
        self.places = places
        self.odd = odd
        self.meant = meant
        self.again = again
        self.told = told
        self._values = values
        self._spelled: dict[int, Spelling] = {}

    def typed(self, new: Truths) -> Iterator[tuple[int, str]]:
        """Places of new records that tell what was typed, and what."""
        rows = np.flatnonzero(self.meant.are("typed") & new)
        if len(rows):
            commands = self._values["command"].take(rows).to_pylist()
            yield from zip(self.places[rows].tolist(), cast("list[str]", commands), strict=True)

    def spell(self, place: int, casing: Casing, at: int) -> None:
        """Spell the values of one in `again` as they were typed; `at` is its event time. In the order of places."""
        self._spelled[place] = self.again[place].spelled(casing, at)

    @property
    def columns(self) -> "dict[str, pa.Array]":
        """The columns of their rows that values are written in."""
        columns = dict(self._values)
        rows = np.searchsorted(self.places, [*self._spelled])
        for name, spelled in zip(Spelling._fields, zip(*self._spelled.values(), strict=True), strict=False):
            columns[name] = replaced(columns.get(name, pa.nulls(len(self.places), pa.string())), rows, spelled)
        return columns


@lru_cache(maxsize=8192)
def source_of(client_ip: bytes) -> Address | None:
    """The address, if it can be spelled again from its parts."""
    address = address_of(client_ip.decode("utf-8"))
    return address if address and address.exact else None


class Sources:
    """The addresses that records name, each looked at once: their columns, by the log's spelling."""

    def __init__(self, is_ours: Callable[[str], bool]) -> None:
        """`is_ours` tells addresses of our own visits."""
        self.ips: dict[bytes | None, str | None] = {None: None}
        self.ports: dict[bytes | None, int | None] = {None: None}
        self._is_ours = is_ours

    def takes(self, client_ip: bytes | None) -> bool:
        """Whether it can be spelled again from its columns, and isn't ours."""
        source = source_of(client_ip) if client_ip else None
        if not client_ip or source is None or self._is_ours(client_ip.decode()):
            return False
        self.ips[client_ip], self.ports[client_ip] = source.ip, source.port
        return True
