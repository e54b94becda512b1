"""Every table but those of a room's own (`*_tables.py`), once; views live in the migrations.

Migrations create exactly these: a test compares them. Times are `timestamptz`, UTC. Hashes are lower-case hex
of SHA-256. Names follow DESIGN section 5.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


_NUMBER: Double[float] = Double()


def when(name: str, *, nullable: bool = True) -> Column[datetime]:
    """A column that holds a moment."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _of_rustbucket(*, primary_key: bool = False) -> Column[str]:
    return Column("rustbucket_id", Text, ForeignKey("rustbuckets.id"), nullable=False, primary_key=primary_key)


rustbuckets = Table(
    "rustbuckets",
    metadata,
    Column("id", Text, CheckConstraint("id ~ '^BKT[0-9]{1,18}$'", name="id"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("base_url", Text),
    Column("logs_url", Text),
    Column("http_allowed", Boolean, nullable=False, server_default=text("false")),
    Column("plain_http", Boolean, nullable=False, server_default=text("false"), comment="may be asked without TLS"),
    Column("ip_address", Text),
    Column(
        "status", Text, CheckConstraint("status in ('review', 'active', 'inactive')", name="status"), nullable=False
    ),
    Column("os", Text),
    when("registered_at", nullable=False),
    when("approved_at"),
    when("retired_at"),
    when("last_seen"),
    when("last_log_at"),
    Column("token", LargeBinary, comment="Fernet ciphertext"),
    Column("s3_region", Text, comment="of the bucket in logs_url; null: S3 is asked"),
    Column("s3_owner", Text, comment="account that must own that bucket; null: any"),
)

rustbucket_status = Table(
    "rustbucket_status",
    metadata,
    _of_rustbucket(primary_key=True),
    Column("observed_at", DateTime(timezone=True), primary_key=True),
    Column(
        "outcome",
        Text,
        nullable=False,
        comment="ok, timeout, refused, unreachable, http_error, decoy, invalid, blocked, paused, arrival, silent or "
        "unknown",
    ),
    Column("latency_ms", Integer),
    Column("cpu", _NUMBER, comment="percent"),
    Column("memory", _NUMBER, comment="percent"),
    Column("disk", _NUMBER, comment="percent"),
    Column("uptime_seconds", BigInteger),
    Column("connections", BigInteger),
    Column("version", Text),
    Column("detail", Text),
    Index("ix_rustbucket_status_answered", "rustbucket_id", "observed_at", postgresql_where=text("outcome = 'ok'")),
)

http_failures = Table(
    "http_failures",
    metadata,
    _of_rustbucket(primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("failures", Integer, nullable=False, comment="in a row, until now"),
    Column("paused_until", DateTime(timezone=True), nullable=False, comment="not asked there before; past: not paused"),
)

source_files = Table(
    "source_files",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _of_rustbucket(),
    Column("key", Text, nullable=False, comment="below the rustbucket's logs_url; `extract_logs` for HTTP"),
    Column("log_id", BigInteger, ForeignKey("source_files.id"), comment="first file of the chain this one continues"),
    Column("etag", Text),
    Column("size", BigInteger, nullable=False, comment="bytes, when last listed"),
    Column("consumed", BigInteger, nullable=False, comment="bytes archived"),
    Column("prefix_sha256", Text, nullable=False, comment="of the consumed bytes"),
    Column("clock", DateTime(timezone=True), nullable=False, comment="event time of the last archived record"),
    Column("after_text", Boolean, nullable=False, comment="that record is in a text dialect"),
    Column("content_bytes", BigInteger, comment="bytes of log in it, decompressed; null: not read to its end"),
    Column("unarchived", Text, comment="why not all of it is archived; null: all of it is"),
    when("period_start"),
    when("period_end"),
    when("first_seen_at", nullable=False),
    when("last_seen_at", nullable=False),
    when("replaced_at"),
    Index("ix_source_files_rustbucket_id_period_start", "rustbucket_id", "period_start"),
    Column("expired_at", DateTime(timezone=True), comment="gone from the source before all of it was archived"),
    Index("uq_source_files_current", "rustbucket_id", "key", unique=True, postgresql_where=text("replaced_at IS NULL")),
    Index("ix_source_files_log_id", "log_id"),
    Index("ix_source_files_expired", "rustbucket_id", postgresql_where=text("expired_at IS NOT NULL")),
)

odd_keys = Table(
    "odd_keys",
    metadata,
    _of_rustbucket(primary_key=True),
    Column("key", Text, primary_key=True, comment="as it can be shown: bounded, escaped"),
    Column("reason", Text, nullable=False),
    when("first_seen_at", nullable=False),
    when("last_seen_at", nullable=False),
    comment="what a source's last listing held that isn't a log file's key; the first 1,000",
)

segments = Table(
    "segments",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("log_id", BigInteger, ForeignKey("source_files.id"), nullable=False),
    Column("source_file_id", BigInteger, ForeignKey("source_files.id"), nullable=False),
    _of_rustbucket(),
    when("window_start", nullable=False),
    Column("byte_start", BigInteger, nullable=False),
    Column("byte_end", BigInteger, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column(
        "previous_sha256", Text, nullable=False, comment="chain_sha256 of the log's segment before; '' for the first"
    ),
    Column("chain_sha256", Text, nullable=False, comment="of previous_sha256, byte_start, byte_end and sha256"),
    Column("records", Integer, nullable=False),
    when("first_event_ts", nullable=False),
    when("last_event_ts", nullable=False),
    Column("clock", DateTime(timezone=True), nullable=False, comment="event time of the record before"),
    Column("after_text", Boolean, nullable=False, comment="the record before is in a text dialect"),
    Column("end_clock", DateTime(timezone=True), comment="event time of the last record"),
    Column("end_after_text", Boolean, comment="the last record is in a text dialect"),
    when("vouched_from", nullable=False),
    when("vouched_until", nullable=False),
    when("pulled_at", nullable=False),
    Column("redacted_sha256", Text, comment="of the bytes as stored now, where an address was purged from them"),
    Column("expired_at", DateTime(timezone=True), comment="its object was deleted by retention; this row stays"),
    UniqueConstraint("log_id", "byte_start"),
    CheckConstraint("byte_end > byte_start", name="bytes"),
    Index("ix_segments_window_start", "window_start", "rustbucket_id"),
    Index("ix_segments_source_file_id", "source_file_id"),
    Index("ix_segments_rustbucket_id_pulled_at", "rustbucket_id", "pulled_at"),
    Index("ix_segments_rustbucket_id_last_event_ts", "rustbucket_id", "last_event_ts"),
)

window_builds = Table(
    "window_builds",
    metadata,
    Column("asset", Text, primary_key=True),
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("inputs_version", Text, nullable=False, comment="hash of what it was built from"),
    Column("output_version", Text, nullable=False, comment="hash of what was built"),
    Column("code_version", Text, nullable=False),
    Column("run_id", Text),
    when("built_at", nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
)

waivers = Table(
    "waivers",
    metadata,
    _of_rustbucket(primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("waived_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    when("waived_at", nullable=False),
)

log_events = Table(
    "log_events",
    metadata,
    Column("event_id", Text, primary_key=True, comment="sha256(rustbucket, record bytes, n)"),
    Column("rustbucket_id", Text, nullable=False),
    Column("event_ts", DateTime(timezone=True), primary_key=True),
    Column("claimed_ts", DateTime(timezone=True), comment="what the record said, where that isn't event_ts"),
    Column("clamped", Boolean, nullable=False, server_default=text("false")),
    Column("level", Text),
    Column("target", Text),
    Column("dialect", Text, nullable=False),
    Column("event_type", Text, nullable=False, comment="docs/events.md lists them"),
    Column("protocol", Text),
    Column("src_ip", Text),
    Column("src_port", Integer),
    Column("username", Text),
    Column("password", Text),
    Column("command", Text),
    Column("http_method", Text),
    Column("http_path", Text),
    Column("duration_ms", _NUMBER),
    Column("counted", Boolean, nullable=False, comment="the one telling of its action that counts"),
    Column("message", Text, nullable=False),
    Column("fields", JSONB, comment="whatever no column says; keys with _ are notes of ours"),
    Column("trust", _NUMBER, nullable=False, server_default=text("1")),
    Column("segment_id", BigInteger, nullable=False),
    Column("byte_offset", BigInteger, nullable=False, comment="within the log"),
    Column("byte_length", Integer, nullable=False),
    Column("parser_version", SmallInteger, nullable=False),
    Index("ix_log_events_rustbucket_id_event_ts", "rustbucket_id", "event_ts"),
    Index("ix_log_events_event_ts", "event_ts", postgresql_using="brin"),
    Index("ix_log_events_src_ip", "src_ip"),
    postgresql_partition_by="RANGE (event_ts)",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("segment_id", BigInteger, ForeignKey("segments.id"), primary_key=True),
    Column("byte_offset", BigInteger, primary_key=True, comment="within the log"),
    Column("byte_length", BigInteger, nullable=False),
    Column("event_ts", DateTime(timezone=True), nullable=False, comment="inherited; places it in an hour"),
    Column("reason", Text, nullable=False),
    Column("excerpt", LargeBinary, nullable=False, comment="at most 200 bytes"),
    Index("ix_quarantine_event_ts", "event_ts"),
)


def _sum(name: str, comment: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"), comment=comment)


hour_counts = Table(
    "hour_counts",
    metadata,
    Column("hour", DateTime(timezone=True), primary_key=True),
    _of_rustbucket(primary_key=True),
    Column("archived_bytes", BigInteger, nullable=False),
    Column("event_bytes", BigInteger, nullable=False),
    Column("quarantined_bytes", BigInteger, nullable=False),
    Column("duplicate_bytes", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    _sum("counted", "events that count; a lower bound where refused is not 0"),
    _sum("refused", "connections turned away: what they would have done is in no row"),
    _sum("suspects", "events taken for forgeries"),
    _sum("unknown_messages", "events of no known template"),
    _sum("own", "our own visits; they do not count"),
    _sum("redacted", "secrets of ours, taken out"),
    Column("inputs_version", Text, nullable=False, server_default="", comment="hash of what these rows were made of"),
    Column("output_version", Text, nullable=False, server_default="", comment="hash of these rows"),
    comment="the sums of promise 1, written with the hour",
)
