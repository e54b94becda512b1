"""Rustbuckets that registered themselves and were never approved: forgotten after `RUSTBUCKET_REVIEW_KEEP_DAYS`."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, select

from rustbucket_pipeline.alerts.book import clear_all
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.retention_tables import holds
from rustbucket_pipeline.storage.tables import (
    http_failures,
    odd_keys,
    rustbucket_status,
    rustbuckets,
    segments,
    source_files,
    waivers,
)

_OF_NO_VALUE = (rustbucket_status, http_failures, odd_keys, waivers, holds)
"""What may be kept of one that never was approved, besides its row."""


def never_approved(connection: Connection, settings: Settings, now: datetime) -> list[str]:
    """Ids of those that wait for longer than they may. One that was ever approved, held, or left a byte stays."""
    mine = rustbuckets.c.id
    query = select(mine).where(
        rustbuckets.c.status == "review",
        rustbuckets.c.approved_at.is_(None),
        rustbuckets.c.registered_at < now - timedelta(days=settings.review_keep_days),
        ~exists().where(source_files.c.rustbucket_id == mine),
        ~exists().where(segments.c.rustbucket_id == mine),
        ~exists().where(holds.c.rustbucket_id == mine, holds.c.released_at.is_(None)),
    )
    return list(connection.execute(query.order_by(mine)).scalars())


def forget(connection: Connection, ids: list[str], now: datetime) -> None:
    """Take them off the registry, and close what is open about them."""
    for table in _OF_NO_VALUE:
        connection.execute(delete(table).where(table.c.rustbucket_id.in_(ids)))
    connection.execute(delete(rustbuckets).where(rustbuckets.c.id.in_(ids)))
    for rustbucket_id in ids:
        clear_all(connection, rustbucket_id, now, "never approved, so forgotten")
