"""The canary: the reserved rustbucket by which synthetic attacks enter, and how far each of them came.

A stage notes here that it held one, in the transaction of what it made; nothing else of a canary is kept there. Who
writes them and who misses them: `upkeep/canary.py`.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Column, Connection, DateTime, Index, Table, Text, update

from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.tables import metadata, when

CANARY = "BKT999999999999999999"
"""Its id: the highest there is. It is in no list and no count."""

NAME = "canary-{nonce}"
"""The user name by which a canary is known in rows."""

canaries = Table(
    "canaries",
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("hour", DateTime(timezone=True), nullable=False, comment="of its events"),
    when("entered_at", nullable=False),
    Column("parsed_at", DateTime(timezone=True), comment="its row was loaded, and set aside"),
    Column("digested_at", DateTime(timezone=True), comment="the digest of its window was made of that hour"),
    Column("reported_at", DateTime(timezone=True), comment="the report was made of that digest"),
    Index("ix_canaries_hour", "hour"),
    comment="synthetic attacks, and how far each of them came",
)


def note_parsed(connection: Connection, window: Window, names: Collection[str | None], now: datetime) -> None:
    """Note which canaries of the hour are among these user names of its rows."""
    mine = canaries.c.hour >= window.start, canaries.c.hour < window.end
    nonces = [name.removeprefix(NAME.format(nonce="")) for name in names if name]
    connection.execute(
        update(canaries)
        .where(*mine, canaries.c.nonce.in_(nonces), canaries.c.parsed_at.is_(None))
        .values(parsed_at=now)
    )


def note_digested(connection: Connection, window: Window, now: datetime) -> None:
    """Note that the window's digest is made of hours whose canaries were parsed."""
    _note(connection, window, canaries.c.parsed_at, canaries.c.digested_at, now)


def note_reported(connection: Connection, window: Window, now: datetime) -> None:
    """Note that the window's report is made of a digest that has its canaries."""
    _note(connection, window, canaries.c.digested_at, canaries.c.reported_at, now)


def _note(
    connection: Connection, window: Window, before: Column[datetime], this: Column[datetime], now: datetime
) -> None:
    mine = canaries.c.hour >= window.start, canaries.c.hour < window.end
    connection.execute(update(canaries).where(*mine, before.is_not(None), this.is_(None)).values({this.name: now}))
