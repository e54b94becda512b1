"""The table of session parts; the view `sessions` that joins them over the hours lives in the migrations.

Same conventions as `tables.py`. `docs/sessions.md` says what the columns mean.
"""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, DateTime, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from rustbucket_pipeline.storage.tables import metadata, when


def _count(name: str, comment: str | None = None) -> Column[int]:
    return Column(name, BigInteger, nullable=False, comment=comment)


def _list(name: str, comment: str) -> Column[list[object]]:
    return Column(name, JSONB, nullable=False, comment=comment)


session_parts = Table(
    "session_parts",
    metadata,
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("rustbucket_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="within the hour, by first event, from 1"),
    Column("connection_key", Text, nullable=False, comment="address and port, or the log's session id; else its lane"),
    Column("keyed", Boolean, nullable=False, comment="that key is the connection's own"),
    Column("protocol", Text, comment="null: one that the log doesn't name"),
    Column("src_ip", Text),
    Column("src_port", Integer),
    when("started_at", nullable=False),
    when("ended_at", nullable=False),
    Column("opens_before", Boolean, nullable=False, comment="its opening isn't in this hour's rows"),
    Column("ends_after", Boolean, nullable=False, comment="no end and no long silence: the next hour may go on"),
    Column("closed", Boolean, nullable=False, comment="its end is in the rows"),
    Column(
        "confidence",
        Text,
        CheckConstraint("confidence in ('exact', 'by_order', 'ambiguous')", name="confidence"),
        nullable=False,
        comment="of its least certain row; ambiguous: rows of any of the candidates",
    ),
    _count("events", "rows joined, all tellings"),
    _count("events_by_order", "of these, joined by order alone"),
    _count("logins"),
    _count("commands"),
    _count("requests"),
    _count("mails"),
    _list("credentials", "[username, password], the first 20, cut at 128 characters"),
    _list("command_lines", "the first 50, cut at 256 characters"),
    _list("request_lines", "method and path; the first 50, cut at 256 characters"),
    Column("event_ids", ARRAY(Text), nullable=False, comment="of its counted rows, the first 50"),
    Column("first_event_id", Text, nullable=False),
    Column("last_event_id", Text, nullable=False),
    Column(
        "candidates", ARRAY(Text), nullable=False, comment="first event ids of parts these rows may be of; 20 at most"
    ),
    Index("ix_session_parts_started_at", "started_at", postgresql_using="brin"),
    Index("ix_session_parts_rustbucket_id_started_at", "rustbucket_id", "started_at"),
    Index("ix_session_parts_src_ip", "src_ip"),
    Index("ix_session_parts_connection_key", "rustbucket_id", "connection_key", "hour"),
    Index(
        "ix_session_parts_opens_before",
        "rustbucket_id",
        "connection_key",
        "hour",
        postgresql_where=text("opens_before"),
    ),
    comment="what one connection left in the rows of one hour",
)
