"""Which rows of `log_events` somebody wants to see, and those rows, newest first, frozen days included.

Every value is bound. SQL of a person's own goes another way: `storage/question.py`.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_network
from itertools import islice

from sqlalchemy import Boolean, ColumnElement, DateTime, Double, Engine, Integer, cast, select, text
from sqlalchemy.dialects.postgresql import INET, JSONB

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.events.export import Column, Kind
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.closed_days import FrozenDay, frozen_between
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import log_events

COLUMNS = tuple(log_events.columns.keys())
"""What a row has, in its order; `docs/events.md` says what each means."""

ROWS_AT_A_TIME = 2000
"""Rows held at a time: at 32 KB a row at most, 64 MB."""

Values = tuple[object, ...]
"""A row's values, in the order of the columns asked for."""

_KINDS: tuple[tuple[type, Kind], ...] = (
    (DateTime, "time"),
    (Boolean, "truth"),
    (Integer, "integer"),
    (Double, "number"),
    (JSONB, "json"),
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Rows that fit all of these; what is empty doesn't matter. Times are UTC, `[start, end)`.

    `src_ip` is an address or a network (CIDR). `command_like` is looked for anywhere in the command, whatever its case;
    `%` and `_` in it stand for any characters and for any one.
    """

    start: datetime | None = None
    end: datetime | None = None
    rustbuckets: Sequence[str] = ()
    event_types: Sequence[str] = ()
    protocols: Sequence[str] = ()
    src_ip: str = ""
    username: str = ""
    password: str = ""
    command_like: str = ""
    counted: bool = False


def columns_named(names: Sequence[str]) -> list[Column]:
    """These columns of `log_events`; all of them, if none is named.

    Raises:
        UsageError: there is no such column.
    """
    if unknown := [name for name in names if name not in COLUMNS]:
        raise UsageError(f"no column {unknown[0]!r}; there are {', '.join(COLUMNS)}")
    return [Column(name, _kind(name)) for name in dict.fromkeys(names or COLUMNS)]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the rows of frozen days are read from."""

    settings: Settings
    archive: Archive


def rows_found(
    engine: Engine, filters: Filters, columns: Sequence[Column], limit: int | None, shelf: Shelf | None = None
) -> Generator[Values]:
    """The rows, newest first, read as they are asked for; at most `limit`. Without a shelf: of open days only.

    Raises:
        UsageError: `src_ip` is neither an address nor a network.
        IntegrityError: a frozen day's object is missing or altered.
    """
    _conditions(filters)  # a person's mistake is said before anything is read
    with engine.connect() as connection:
        frozen = frozen_between(connection, filters.start, filters.end) if shelf is not None else []
    yield from islice(_newest_first(engine, filters, columns, limit, frozen, shelf), limit)


def _newest_first(
    engine: Engine,
    filters: Filters,
    columns: Sequence[Column],
    limit: int | None,
    frozen: Sequence[FrozenDay],
    shelf: Shelf | None,
) -> Generator[Values]:
    """Days in PostgreSQL, and between them those that are frozen."""
    end = filters.end
    if shelf is not None and frozen:
        from rustbucket_pipeline.events.frozen import frozen_rows  # and with it pyarrow, for who asks for old days only

        for day in frozen:
            yield from _stored(engine, replace(filters, start=day.window.end, end=end), columns, limit)
            yield from frozen_rows(shelf.settings, shelf.archive, day, filters, columns)
            end = day.window.start
    yield from _stored(engine, replace(filters, end=end), columns, limit)


def _stored(engine: Engine, filters: Filters, columns: Sequence[Column], limit: int | None) -> Generator[Values]:
    """The rows in PostgreSQL."""
    if filters.start is not None and filters.end is not None and filters.start >= filters.end:
        return
    row = log_events.c
    newest_first = (row.event_ts.desc(), row.segment_id.desc(), row.byte_offset.desc())
    statement = select(*(row[column.name] for column in columns)).where(*_conditions(filters))
    with engine.connect() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        streamed = connection.execution_options(yield_per=ROWS_AT_A_TIME)
        with streamed.execute(statement.order_by(*newest_first).limit(limit)) as found:
            for values in found:
                yield tuple(values)


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    row = log_events.c
    asked: tuple[tuple[object, Callable[[], ColumnElement[bool]]], ...] = (
        (filters.start, lambda: row.event_ts >= filters.start),
        (filters.end, lambda: row.event_ts < filters.end),
        (filters.rustbuckets, lambda: row.rustbucket_id.in_(filters.rustbuckets)),
        (filters.event_types, lambda: row.event_type.in_(filters.event_types)),
        (filters.protocols, lambda: row.protocol.in_(filters.protocols)),
        (filters.src_ip, lambda: _from_address(filters.src_ip)),
        (filters.username, lambda: row.username == filters.username),
        (filters.password, lambda: row.password == filters.password),
        (filters.command_like, lambda: row.command.ilike(f"%{filters.command_like}%")),
        (filters.counted, lambda: row.counted),
    )
    return [condition() for wanted, condition in asked if wanted]


def _from_address(written: str) -> ColumnElement[bool]:
    """Addresses are kept in their canonical spelling, so one is compared as text, by its index."""
    try:
        network = ip_network(written)
    except ValueError:
        raise UsageError(
            f"{written[:80]!r} is neither an address nor a network; write 192.0.2.7 or 192.0.2.0/24"
        ) from None
    if network.num_addresses == 1:
        return log_events.c.src_ip == str(network.network_address)
    return cast(log_events.c.src_ip, INET).op("<<=")(cast(str(network), INET))


def _kind(name: str) -> Kind:
    for type_, kind in _KINDS:
        if isinstance(log_events.c[name].type, type_):
            return kind
    return "text"
