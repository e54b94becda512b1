"""Rows of values as columns of Arrow, a batch at a time, for Parquet and pandas. Imported where it is needed only."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import pyarrow as pa

from rustbucket_pipeline.events.export import Column, Kind, Rows, json_text

BATCH_ROWS = 10_000
"""Rows held at a time."""


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """The columns, JSON as its text."""
    return pa.schema([(column.name, _type_of(column.kind)) for column in columns])


def batches_of(columns: Sequence[Column], rows: Rows) -> Iterator[pa.RecordBatch]:
    """The rows, as they come; text that UTF-8 can't hold is escaped."""
    schema, found = schema_of(columns), iter(rows)
    while batch := list(islice(found, BATCH_ROWS)):
        by_column = zip(columns, zip(*batch, strict=True), strict=True)
        held = {column.name: _fitted(column, values) for column, values in by_column}
        yield pa.RecordBatch.from_pydict(held, schema=schema)


def _type_of(kind: Kind) -> pa.DataType:
    match kind:
        case "integer":
            return pa.int64()
        case "number":
            return pa.float64()
        case "truth":
            return pa.bool_()
        case "time":
            return pa.timestamp("us", "UTC")
        case _:
            return pa.string()


def _fitted(column: Column, values: Sequence[object]) -> list[object]:
    fit = _FITTED.get(column.kind)
    return list(values) if fit is None else [None if value is None else fit(value) for value in values]


def _text(value: object) -> str:
    text = value if isinstance(value, str) else value.hex() if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _number(value: object) -> float:
    return float(str(value))


_FITTED: dict[Kind, Callable[[object], object]] = {"text": _text, "json": json_text, "number": _number}
