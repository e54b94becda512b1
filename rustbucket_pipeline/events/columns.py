"""Rows of `log_events` as Arrow columns: their types, and the way there from rows made one by one."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false
# (pyarrow's stubs leave its arrays without parameters)

from binascii import hexlify
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from rustbucket_pipeline.events.row import EventRow

_TIME = pa.timestamp("us", "UTC")
_TYPES: Final = {
    "event_ts": _TIME,
    "claimed_ts": _TIME,
    "clamped": pa.bool_(),
    "src_port": pa.int32(),
    "duration_ms": pa.float64(),
    "counted": pa.bool_(),
    "trust": pa.float64(),
    "segment_id": pa.int64(),
    "byte_offset": pa.int64(),
    "byte_length": pa.int32(),
    "parser_version": pa.int16(),
}
SCHEMA: Final = pa.schema([(name, _TYPES.get(name, pa.string())) for name in EventRow._fields])
"""The columns of `log_events`, in their order; times are microseconds since the epoch, UTC."""


def batch_of(rows: Sequence[EventRow]) -> pa.RecordBatch:
    """The rows, as columns."""
    columns = zip(*rows, strict=True) if rows else [()] * len(EventRow._fields)
    return batch_from(dict(zip(EventRow._fields, columns, strict=True)), len(rows))


def batch_from(columns: Mapping[str, object], length: int) -> pa.RecordBatch:
    """The columns that are given: values, or one value for all rows. What isn't given is NULL."""
    return pa.RecordBatch.from_arrays(
        [_array(columns.get(field.name), field.type, length) for field in SCHEMA], schema=SCHEMA
    )


def hex_of(hashes: Sequence[bytes | None]) -> "pa.StringArray":
    """SHA-256 hashes of 32 bytes as hex; NULL for None."""
    there = [one for one in hashes if one is not None]
    if len(there) < len(hashes):
        return pa.array([None if one is None else one.hex() for one in hashes], pa.string())
    written = hexlify(b"".join(there))
    borders = np.arange(0, len(written) + 1, 64, dtype=np.int32)
    return pa.StringArray.from_buffers(len(there), pa.py_buffer(borders.data), pa.py_buffer(written))


def _array(values: object, kind: pa.DataType, length: int) -> "pa.Array[pa.Scalar]":
    if isinstance(values, pa.Array):
        return values
    if isinstance(values, np.ndarray):
        return pa.array(values).cast(kind)
    if isinstance(values, list | tuple):
        return pa.array(values, kind)
    return pa.repeat(pa.scalar(values, kind), length)  # pyright: ignore[reportCallIssue, reportArgumentType] (its stubs)
