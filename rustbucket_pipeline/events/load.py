"""Rows of `log_events` → PostgreSQL: in bulk, as columns, by binary COPY. What a row says is not its business.

Rows are sent a batch at a time while they are still being parsed: the server stores and indexes one batch as the next
is made, and no more than one is held here.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow's stubs leave its generic fields and arrays without parameters)

from array import array
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Final

import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb
from sqlalchemy import Connection

from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.storage.builds import version_of
from rustbucket_pipeline.storage.postgres import copy_binary

BATCH_ROWS = 1000
"""Rows made before they are sent: few, so that the server never waits long; a row is at most some 32 KB."""

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


class Written:
    """What was written, as one hash: of the rows' ids, times and trust, in their order."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._seen = [sha256(), sha256(), sha256()]

    def add(self, rows: Sequence[EventRow]) -> None:
        """The rows that come next."""
        ids, times, trust = self._seen
        ids.update("".join([row.event_id for row in rows]).encode())
        times.update(array("q", [row.event_ts for row in rows]))
        trust.update(array("d", [row.trust for row in rows]))

    def version(self) -> str:
        """The hash, hex."""
        return version_of(seen.hexdigest() for seen in self._seen)


def load_events(connection: Connection, rows: Iterable[EventRow], written: Written) -> None:
    """Append the rows, in the connection's transaction, and note them in `written`."""
    copy_binary(connection, "log_events", EventRow._fields, _encoded(iter(rows), written))


def batch_of(rows: Iterable[EventRow]) -> pa.RecordBatch:
    """The rows as columns of `SCHEMA`."""
    columns = list(zip(*rows, strict=True)) or [() for _ in SCHEMA]
    return pa.RecordBatch.from_arrays(
        [pa.array(values, field.type) for field, values in zip(SCHEMA, columns, strict=True)], schema=SCHEMA
    )


def _encoded(rows: Iterator[EventRow], written: Written) -> Iterator[bytes]:
    encoder = _encoder()
    yield encoder.write_header()
    while batch := list(islice(rows, BATCH_ROWS)):
        written.add(batch)
        yield encoder.write_batch(batch_of(batch))
    yield encoder.finish()


def _encoder() -> ArrowToPostgresBinaryEncoder:
    encoders = {field.name: ArrowToPostgresBinaryEncoder.infer_encoder(field) for field in SCHEMA}
    encoders["fields"] = StringEncoderBuilder.new_with_output(SCHEMA.field("fields"), Jsonb())
    return ArrowToPostgresBinaryEncoder.new_with_encoders(SCHEMA, encoders)
