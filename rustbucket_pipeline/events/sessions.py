"""The hour's session parts: made from its rows of `log_events` alone, in the transaction that writes those.

Which row belongs to which connection is `session_joining`'s to say; the view `sessions` joins parts over the hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import cast

import psycopg
from sqlalchemy import Connection, delete

from rustbucket_pipeline.events.session_joining import Joiner
from rustbucket_pipeline.events.session_lane import strangers_of
from rustbucket_pipeline.events.session_part import SILENCE, Part, PartRow, SessionRow
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage import databases
from rustbucket_pipeline.storage.postgres import copy_rows, load_sql
from rustbucket_pipeline.storage.session_tables import session_parts

BATCH_ROWS = 500
BATCH_PARTS = 2000
"""Rows and complete parts held at a time, besides the open connections and an hour's first rows."""

_MOST_FIRST = 50_000
"""How many of a rustbucket's first rows are looked at for connections open before them."""


@dataclass(slots=True)
class SessionSums:
    """What an hour's rows were joined to: parts by confidence, and rows.

    `unjoined` are rows about some connection (a language model asked, an error) that no part lists.
    """

    exact: int = 0
    by_order: int = 0
    ambiguous: int = 0
    events: int = 0
    unjoined: int = 0

    @property
    def parts(self) -> int:
        """All of them."""
        return self.exact + self.by_order + self.ambiguous


def build_sessions(connection: Connection, window: Window) -> SessionSums:
    """Replace the hour's parts, in the connection's transaction.

    Raises:
        DatabaseUnavailable: the server went away.
    """
    connection.execute(delete(session_parts).where(session_parts.c.hour == window.start))
    sums = SessionSums()
    parts: list[PartRow] = []

    def keep(part: Part) -> None:
        row = part.row(window.start, window.end)
        parts.append(row)
        _count(sums, row)
        if len(parts) >= BATCH_PARTS:
            _write(connection, parts)

    for _, rows in groupby(_rows(connection, window), attrgetter("rustbucket_id")):
        first = _first(rows, window.start + SILENCE)
        joiner = Joiner(window.start, strangers_of(first), keep)
        for row in chain(first, rows):
            joiner.feed(row)
        joiner.finish()
        sums.unjoined += joiner.unjoined
    _write(connection, parts)
    return sums


def _rows(connection: Connection, window: Window) -> Iterator[SessionRow]:
    """The rows by a cursor of the driver's own: SQLAlchemy's would cost as much again as everything done with them."""
    query = load_sql("rustbucket_pipeline.events", "session_events").compile(connection)
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    try:
        with driver.cursor(name="session_events") as cursor:
            cursor.itersize = BATCH_ROWS
            cursor.execute(str(query).encode(), {"start": window.start, "end": window.end})
            yield from map(SessionRow._make, cursor)
    except psycopg.OperationalError as error:
        raise databases.unavailable(connection.engine.url, error) from error


def _first(rows: Iterator[SessionRow], until: datetime) -> list[SessionRow]:
    """The rows before that moment, and the one behind them."""
    first: list[SessionRow] = []
    for row in islice(rows, _MOST_FIRST):
        first.append(row)
        if row.at >= until:
            break
    return first


def _write(connection: Connection, parts: list[PartRow]) -> None:
    if parts:
        copy_rows(connection, "session_parts", PartRow._fields, parts)
        parts.clear()


def _count(sums: SessionSums, part: PartRow) -> None:
    sums.events += part.events
    if part.confidence == "exact":
        sums.exact += 1
    elif part.confidence == "by_order":
        sums.by_order += 1
    else:
        sums.ambiguous += 1
