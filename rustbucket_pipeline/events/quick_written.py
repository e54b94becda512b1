"""The columns of rows in which the values of plain JSON lines stand, as Arrow's. Which lines are plain is settled."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportAttributeAccessIssue=false, reportMissingTypeArgument=false, reportUnknownParameterType=false
# (pyarrow's stubs leave its arrays without parameters, and lack its functions)

from typing import Final, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rustbucket_pipeline.events.columns import SCHEMA
from rustbucket_pipeline.events.quick_columns import Sources
from rustbucket_pipeline.events.quick_keys import (
    COMMAND,
    COMPONENT,
    METHOD,
    OTHER,
    PASSWORD,
    PATH,
    USERNAME,
)
from rustbucket_pipeline.events.quick_spans import Coded, Numbers, Spans, of_rows, replaced, taken
from rustbucket_pipeline.events.quick_values import Values
from rustbucket_pipeline.framing.words import Integers, Truths

_TEXTS: Final = {
    "username": USERNAME,
    "password": PASSWORD,
    "command": COMMAND,
    "http_method": METHOD,
    "http_path": PATH,
}

_unquoted = msgspec.json.Decoder(str).decode


class Written:
    """What stands in a block's lines, of which those that are `good` become rows; `braces` end their fields."""

    def __init__(self, data: bytes, values: Values, braces: Integers, good: Truths) -> None:
        """Look at no value yet."""
        self._data, self._values, self._braces = data, values, braces
        self._rows = int(good.sum())
        self._row = (np.cumsum(good) - 1)[values.line]
        self._is_good = good[values.line]

    def texts(self) -> "dict[str, pa.Array]":
        """The columns that are as they were typed, if anything is in them."""
        column = self._values.column
        is_text = (column >= USERNAME) & (column <= PATH) & self._is_good
        written = taken(self._values.cut, 2 * np.flatnonzero(is_text) + 1)
        texts, number = (
            _unescaped(written) if b"\\" in self._data else written.view(pa.string()),
            np.cumsum(is_text) - 1,
        )
        return {name: self._of(column == one, texts, number) for name, one in _TEXTS.items() if (column == one).any()}

    def sources(self, at: Integers, addresses: Coded, sources: Sources) -> "dict[str, pa.Array]":
        """Of the addresses, which are written at those values."""
        is_address, number = np.zeros(len(self._row), np.bool_), np.zeros(len(self._row), np.int32)
        is_address[at], number[at] = True, addresses.numbers
        columns = {"src_ip": sources.ips, "src_port": sources.ports}
        return {
            name: self._of(is_address, pa.array([*map(told.get, addresses.texts)], SCHEMA.field(name).type), number)
            for name, told in columns.items()
        }

    def durations(self) -> "pa.Array":
        """In milliseconds."""
        told = [one.milliseconds for one in self._values.told]
        is_there = np.array([one is not None for one in told])[self._values.way]
        return self._of(is_there, pa.array(told, pa.float64()), self._values.way)

    def fields(self) -> "pa.Array":
        """What no other column says, as it is written."""
        values, component = self._values, self._values.column == COMPONENT
        apart = component & (np.concatenate((values.column[1:], [0])) < OTHER)
        stays = np.array([bool(one.others) for one in values.told])[values.way] | (component & ~apart)
        first = np.flatnonzero(stays & self._is_good)
        first = first[np.diff(values.line[first], prepend=-1) > 0]
        begins, ends = values.before[first] + 1, self._braces[values.line[first]] + 1
        written = bytearray(self._data)
        np.frombuffer(written, np.uint8)[begins] = ord("{")  # where the comma was
        cut = Spans(pa.py_buffer(written), begins, ends).cut().view(pa.string())
        column = of_rows(self._rows, self._row[first], cut, 2 * np.arange(len(first)))
        apart = np.flatnonzero(apart & self._is_good)
        if not len(apart):
            return column
        others = self._braces.copy()
        others[values.line[first]] = begins
        return replaced(column, self._row[apart], [self._joined(one, others) for one in apart.tolist()])

    def _joined(self, component: int, others: Integers) -> bytes:
        """The fields of a line where something stands between its component and the others."""
        values, line = self._values, self._values.line[component]
        member = self._data[values.before[component] + 2 : values.end[component] + 1]
        return b"{%b%b}" % (member, self._data[others[line] : self._braces[line]])

    def _of(self, which: Truths, told: "pa.Array", number: Numbers) -> "pa.Array":
        """The column in which those values say what they are told by number."""
        at = np.flatnonzero(which & self._is_good)
        return of_rows(self._rows, self._row[at], told, number[at])


def text_of(value: bytes) -> str:
    """What is written between quotes."""
    return _unquoted(b'"%b"' % value)


def _unescaped(written: "pa.BinaryArray") -> "pa.Array":
    is_escaped = pc.match_substring(written, "\\")
    rows = np.flatnonzero(is_escaped.to_numpy(zero_copy_only=False))
    texts = written.view(pa.string())
    escaped = cast("list[bytes]", written.filter(is_escaped).to_pylist())
    return replaced(texts, rows, [*map(text_of, escaped)]) if escaped else texts
