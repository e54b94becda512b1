"""Texts out of a block's bytes, as Arrow arrays: cut, told apart and given to rows without an object for each."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportAttributeAccessIssue=false, reportMissingTypeArgument=false, reportUnknownParameterType=false
# (pyarrow's stubs leave its arrays without parameters, and lack its functions)

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rustbucket_pipeline.framing.words import Integers

Numbers = NDArray[np.int32] | Integers


class Spans(NamedTuple):
    """Stretches of a block's bytes, one behind the other and apart: `[starts[n], ends[n])`."""

    buffer: pa.Buffer
    starts: Integers
    ends: Integers

    def cut(self) -> "pa.BinaryArray":
        """What stands in them: the n-th at 2n, and what stands behind it at 2n + 1, up to the next or the end."""
        count = 2 * len(self.starts)
        borders = np.empty(count + 1, np.int32)
        borders[:-1:2], borders[1::2], borders[-1] = self.starts, self.ends, self.buffer.size
        buffers = [None, pa.py_buffer(borders.data), self.buffer]
        return cast("pa.BinaryArray", pa.BinaryArray.from_buffers(pa.binary(), count, buffers))


class Coded(NamedTuple):
    """Many texts of which few are different: `texts[numbers[n]]` is the n-th."""

    texts: list[bytes]
    numbers: Numbers


def taken(cut: "pa.BinaryArray", places: Integers) -> "pa.BinaryArray":
    """Those at the places."""
    return cut.take(places)


def bytes_of(texts: "pa.BinaryArray") -> bytes:
    """All of them, one right behind the other."""
    whole = texts.buffers()[2]
    return b"" if whole is None else whole.to_pybytes()


def coded(cut: "pa.BinaryArray", places: Integers) -> Coded:
    """Those at the places, told apart."""
    encoded = taken(cut, places).dictionary_encode()
    return Coded(cast("list[bytes]", encoded.dictionary.to_pylist()), encoded.indices.to_numpy())


def or_null(values: "pa.Array", numbers: Numbers) -> "pa.Array":
    """The values with these numbers; NULL for -1."""
    return values.take(cast("pa.Int64Array", pa.array(numbers, mask=numbers < 0)))


def of_rows(length: int, rows: Integers, values: "pa.Array", numbers: Numbers) -> "pa.Array":
    """A column of that length: in the n-th of `rows` stands value `numbers[n]`, in all others NULL."""
    whose = np.full(length, -1, np.int64)
    whose[rows] = numbers
    return or_null(values, whose)


def replaced(column: "pa.Array", rows: Sequence[int] | Integers, values: Sequence[object]) -> "pa.Array":
    """The column with values in the rows, which must be in order."""
    mask = np.zeros(len(column), np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(column, pa.array(mask), pa.array(values, column.type))
