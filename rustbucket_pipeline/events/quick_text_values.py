"""What a block's plain text records say, column by column, and the rows of a stretch of them. Reads no bytes."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false
# (pyarrow's stubs leave its arrays without parameters)

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rustbucket_pipeline.events.columns import SCHEMA
from rustbucket_pipeline.events.quick_again import Again
from rustbucket_pipeline.events.quick_columns import Known, Meant, PlainRows, Sources
from rustbucket_pipeline.events.quick_pool import Pool
from rustbucket_pipeline.events.quick_spans import or_null
from rustbucket_pipeline.events.quick_templates import COLUMNS
from rustbucket_pipeline.framing.words import Truths

ODD: Final = -1
"""The kind of a record that isn't plain."""

_WRITTEN_AS: Final = {
    "username": "username",
    "password": "password",
    "command": "command",
    "http_method": "method",
    "http_path": "path",
    "fields": "fields",
}
"""Columns of rows that hold what the log writes, and its names for them."""


class TextValues:
    """What the records of a block say: `columns` by the names of `quick_templates`, and what their messages stand for.

    `kinds` are numbers of `known`, by place, -1 where a record is odd, that is not plain. `again` are those, by place,
    that log upper-cased what was typed before. `sources` are the addresses they name.
    """

    def __init__(self, records: int, is_ours: Callable[[str], bool]) -> None:
        """Nothing of so many records; `is_ours` tells addresses of our own visits."""
        self.kinds: NDArray[np.intp] = np.full(records, ODD, np.intp)
        self.known: list[Known] = []
        self.columns: Mapping[str, Pool] = {name: Pool(records) for name in COLUMNS}
        self.again: dict[int, Again] = {}
        self.sources = Sources(is_ours)

    def odd(self, start: int, end: int) -> list[int]:
        """The odd records of a stretch of places."""
        return (np.flatnonzero(self.kinds[start:end] == ODD) + start).tolist()

    def opens(self, start: int, end: int) -> Truths:
        """Which records of a stretch end in attacker text; odd ones are left out."""
        return np.array([*(one.opens for one in self.known), False], np.bool_)[self.kinds[start:end]]

    def told(self, start: int, end: int) -> Iterator[list[str]]:
        """Whom and what the records of a stretch tell of, one by one; odd ones tell nothing."""
        columns = [self.columns[name].between(start, end) for name in ("client_ip", "command")]
        for values in zip(*columns, strict=True):
            yield [value.decode() for value in values if value]

    def rows(self, start: int, end: int) -> PlainRows:
        """The records of a stretch of places."""
        kinds = self.kinds[start:end]
        plain = kinds != ODD
        places = np.flatnonzero(plain) + start
        values = {name: or_null(array, pool.numbers(places)) for name, (pool, array) in self._arrays.items()}
        again = {place: one for place, one in self.again.items() if start <= place < end}
        return PlainRows(places, self.odd(start, end), Meant(self.known, kinds[plain]), values, again)

    @cached_property
    def _arrays(self) -> "Mapping[str, tuple[Pool, pa.Array]]":
        """By the names of a row's columns: who has which value, and the values."""
        addresses, seconds = self.columns["client_ip"], self.columns["duration_secs"]
        ips = [*map(self.sources.ips.__getitem__, addresses.values)]
        ports = [*map(self.sources.ports.__getitem__, addresses.values)]
        texts = {name: self.columns[written] for name, written in _WRITTEN_AS.items()}
        return {
            "src_ip": (addresses, pa.array(ips, SCHEMA.field("src_ip").type)),
            "src_port": (addresses, pa.array(ports, SCHEMA.field("src_port").type)),
            "duration_ms": (seconds, pa.array([int(value) * 1000.0 for value in seconds.values], pa.float64())),
            **{name: (pool, pa.array(pool.values, pa.string())) for name, pool in texts.items()},
        }
