"""The tables of retention: days whose rows are no longer in `log_events`, legal holds, what was purged.

Same conventions as `tables.py`.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    text,
)

from rustbucket_pipeline.storage.tables import metadata, when

closed_days = Table(
    "closed_days",
    metadata,
    Column("day", Date, primary_key=True, comment="UTC; a day without a row is open"),
    Column(
        "state",
        Text,
        CheckConstraint("state in ('frozen', 'thawed', 'expired')", name="state"),
        nullable=False,
        comment="thawed: open again, until it is frozen anew",
    ),
    Column("object_key", Text, comment="its rows as Parquet; null once expired"),
    Column("sha256", Text, comment="of that object"),
    Column("stored_bytes", BigInteger),
    Column("rows", BigInteger, nullable=False),
    when("changed_at", nullable=False),
    when("thawed_until"),
    comment="days whose rows aren't in log_events any more",
)

holds = Table(
    "holds",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("rustbucket_id", Text, ForeignKey("rustbuckets.id"), nullable=False),
    when("held_at", nullable=False),
    Column("held_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    when("released_at"),
    Column("released_by", Text),
    Index("uq_holds_open", "rustbucket_id", unique=True, postgresql_where=text("released_at IS NULL")),
    comment="legal holds: nothing of these rustbuckets is deleted",
)

redactions = Table(
    "redactions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("segment_id", BigInteger, ForeignKey("segments.id"), nullable=False),
    Column("old_sha256", Text, nullable=False, comment="of the bytes before"),
    Column("new_sha256", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False, comment="overwritten"),
    Column("redacted_by", Text, nullable=False),
    when("redacted_at", nullable=False),
    Index("ix_redactions_segment_id", "segment_id"),
    comment="segments in which an address was overwritten",
)
