"""Columns of rows → `log_events`: encoded as binary COPY and sent. What a row says is not its business.

Rows are sent a block at a time while later ones are still being parsed: the server stores and indexes one block as the
next is made, and no more than one is held here.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow's stubs leave its arrays without parameters)

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain

import numpy as np
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb
from sqlalchemy import Connection

from rustbucket_pipeline.events.columns import SCHEMA
from rustbucket_pipeline.storage.builds import version_of
from rustbucket_pipeline.storage.postgres import copy_binary

_TRAILER = b"\xff\xff"
"""What ends a COPY."""


class Written:
    """What was written, as one hash: of the rows' ids, times and trust, in the order of their bytes."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._ids, self._times, self._trust = sha256(), sha256(), sha256()

    def add(self, block: Sequence[pa.RecordBatch]) -> None:
        """Batches that together hold the rows that come next."""
        order = np.argsort(_column(block, "byte_offset"))
        ids = [one for batch in block for one in batch.column("event_id").to_pylist()]
        self._ids.update("".join([ids[at] for at in order.tolist()]).encode())
        self._times.update(_column(block, "event_ts")[order].tobytes())
        self._trust.update(_column(block, "trust")[order].tobytes())

    def version(self) -> str:
        """The hash, hex."""
        return version_of(seen.hexdigest() for seen in (self._ids, self._times, self._trust))


def load_events(connection: Connection, rows: Iterable[bytes], table: str = "log_events") -> int:
    """Append rows, encoded, in the connection's transaction; how many there were.

    `table`: a partition begun in this transaction and not attached yet, if not `log_events` itself.
    """
    chunks = chain([_encoder().write_header()], rows, [_TRAILER])
    return copy_binary(connection, table, SCHEMA.names, chunks, frozen=table != "log_events")


def encoded(blocks: Iterable[Sequence[pa.RecordBatch]], written: Written) -> Iterator[bytes]:
    """The rows, some at a time; they are noted in `written`."""
    encoder = _encoder()
    encoder.write_header()  # it wants to begin so; `load_events` begins and ends for all
    for block in blocks:
        for batch in block:
            if rows := encoder.write_batch(batch):
                yield rows
        if block:
            written.add(block)
    if rows := encoder.finish().removesuffix(_TRAILER):
        yield rows


def _column(block: Sequence[pa.RecordBatch], name: str) -> "np.ndarray[tuple[int], np.dtype[np.generic]]":
    return np.concatenate([batch.column(name).to_numpy() for batch in block])


def _encoder() -> ArrowToPostgresBinaryEncoder:
    encoders = {field.name: ArrowToPostgresBinaryEncoder.infer_encoder(field) for field in SCHEMA}
    encoders["fields"] = StringEncoderBuilder.new_with_output(SCHEMA.field("fields"), Jsonb())
    return ArrowToPostgresBinaryEncoder.new_with_encoders(SCHEMA, encoders)
