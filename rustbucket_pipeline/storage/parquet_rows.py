"""Rows of `log_events` ↔ a Parquet file, exactly, a batch at a time; imported where days are frozen or asked, only.

JSON is kept as its text. Rows are kept newest first, as they are asked for.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow's stubs leave its arrays without parameters)

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import parquet
from sqlalchemy import BigInteger, Boolean, DateTime, Double, Integer, SmallInteger

from rustbucket_pipeline.storage.tables import log_events

ROWS_AT_A_TIME = 5000
"""Rows held, and rows of a row group: at 32 KB a row at most, 160 MB."""

_TYPES: Final = (
    (DateTime, pa.timestamp("us", "UTC")),
    (Boolean, pa.bool_()),
    (SmallInteger, pa.int16()),
    (BigInteger, pa.int64()),
    (Integer, pa.int32()),
    (Double, pa.float64()),
)

SCHEMA: Final = pa.schema(
    [
        (column.name, next((kind for type_, kind in _TYPES if isinstance(column.type, type_)), pa.string()))
        for column in log_events.c
    ]
)
"""The columns of `log_events`, in their order."""

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, told from its rows: how many, and the SHA-256 (hex) over all of them, in order."""

    rows: int
    sha256: str


class _Measure:
    def __init__(self) -> None:
        self._rows = 0
        self._hash = sha256()
        self._encoder = msgspec.json.Encoder()

    def take(self, rows: Sequence[Row]) -> None:
        self._rows += len(rows)
        self._hash.update(self._encoder.encode_lines(rows))

    def content(self) -> Content:
        return Content(self._rows, self._hash.hexdigest())


def write_parquet(rows: Iterable[Row], path: Path) -> Content:
    """Write the rows, in the order given, to a new file; what they were."""
    seen, found = _Measure(), iter(rows)
    with parquet.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=3) as writer:
        while batch := [tuple(row) for row in islice(found, ROWS_AT_A_TIME)]:
            seen.take(batch)
            columns = zip(*batch, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))
    return seen.content()


def read_parquet(path: Path) -> Iterator[list[Row]]:
    """The rows, some at a time, in their order."""
    for batch in batches(path):
        yield rows_of(batch)


def content_of(path: Path) -> Content:
    """What a file holds, read to its end."""
    seen = _Measure()
    for rows in read_parquet(path):
        seen.take(rows)
    return seen.content()


def batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The file's batches, of all columns or of some."""
    with parquet.ParquetFile(path) as file:
        yield from file.iter_batches(ROWS_AT_A_TIME, columns=None if columns is None else list(columns))


def any_text(path: Path, words: Sequence[str]) -> bool:
    """Whether any of these words, whatever its case, is somewhere in the file's text."""
    texts = [field.name for field in SCHEMA if field.type == pa.string()]
    return any(
        pc.any(pc.match_substring(column, word, ignore_case=True)).as_py()
        for batch in batches(path, texts)
        for column in batch.columns
        for word in words
    )


def rows_of(batch: pa.RecordBatch) -> list[Row]:
    """The batch's rows."""
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
