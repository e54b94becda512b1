"""Rows of frozen days: the same filters and columns as of rows in PostgreSQL, over the archive's Parquet objects.

Read newest first, a batch at a time; only the columns that are asked for or filtered by are decoded.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false, reportUnknownLambdaType=false, reportCallIssue=false, reportArgumentType=false
# (pyarrow's stubs leave its arrays without parameters)

from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from rustbucket_pipeline.events.export import Column
from rustbucket_pipeline.events.query import Filters, Values
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.closed_days import FrozenDay
from rustbucket_pipeline.storage.freezing import download, scratch
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.parquet_rows import batches, rows_of

_FILTERED_BY = (
    *("event_ts", "rustbucket_id", "event_type", "protocol", "src_ip", "username", "password", "command"),
    "counted",
)


def frozen_rows(
    settings: Settings, archive: Archive, day: FrozenDay, filters: Filters, columns: Sequence[Column]
) -> Generator[Values]:
    """The day's rows that fit, newest first.

    Raises:
        IntegrityError: the day's object is missing or altered.
    """
    if day.object_key is None:
        return
    with scratch(settings) as directory:
        yield from _fitting(download(archive, day, directory), filters, columns)


def _fitting(path: Path, filters: Filters, columns: Sequence[Column]) -> Iterator[Values]:
    names = [column.name for column in columns]
    texts = [at for at, column in enumerate(columns) if column.kind == "json"]
    wanted = list(dict.fromkeys([*names, *_FILTERED_BY]))
    for batch in batches(path, wanted):
        fitting = batch.filter(_mask(batch, filters)).select(names)
        for row in rows_of(fitting):
            yield _decoded(row, texts) if texts else tuple(row)


def _decoded(row: Sequence[object], texts: Sequence[int]) -> Values:
    values = list(row)
    for at in texts:
        held = values[at]
        values[at] = msgspec.json.decode(held) if isinstance(held, str) else None
    return tuple(values)


def _mask(batch: pa.RecordBatch, filters: Filters) -> pa.Array:
    """Which rows fit; one of which that isn't known doesn't."""
    mask = pa.array([True] * batch.num_rows, pa.bool_())
    for condition in _conditions(filters):
        mask = pc.and_(mask, pc.fill_null(condition(batch.column), False))
    return mask


def _conditions(filters: Filters) -> list[Callable[[Callable[[str], pa.Array]], pa.Array]]:
    """As `query._conditions`, of columns by their name."""
    asked: tuple[tuple[object, Callable[[Callable[[str], pa.Array]], pa.Array]], ...] = (
        (filters.start, lambda of: pc.greater_equal(of("event_ts"), _moment(filters.start))),
        (filters.end, lambda of: pc.less(of("event_ts"), _moment(filters.end))),
        (filters.rustbuckets, lambda of: _one_of(of("rustbucket_id"), filters.rustbuckets)),
        (filters.event_types, lambda of: _one_of(of("event_type"), filters.event_types)),
        (filters.protocols, lambda of: _one_of(of("protocol"), filters.protocols)),
        (filters.src_ip, lambda of: _from_address(of("src_ip"), filters.src_ip)),
        (filters.username, lambda of: pc.equal(of("username"), filters.username)),
        (filters.password, lambda of: pc.equal(of("password"), filters.password)),
        (filters.command_like, lambda of: pc.match_like(of("command"), f"%{filters.command_like}%", ignore_case=True)),
        (filters.counted, lambda of: of("counted")),
    )
    return [condition for wanted, condition in asked if wanted]


def _moment(moment: datetime | None) -> pa.Scalar:
    return pa.scalar(moment, pa.timestamp("us", "UTC"))


def _one_of(values: pa.Array, wanted: Sequence[str]) -> pa.Array:
    return pc.is_in(values, value_set=pa.array(list(wanted), pa.string()))


def _from_address(addresses: pa.Array, written: str) -> pa.Array:
    network = ip_network(written)
    if network.num_addresses == 1:
        return pc.equal(addresses, str(network.network_address))
    inside = [one for one in addresses.unique().to_pylist() if one is not None and ip_address(one) in network]
    return _one_of(addresses, inside)
