"""The tables of the analysis: digests, reports, what they say and on which rows, and what Claude cost.

Same conventions: times are `timestamptz`, UTC; hashes are lower-case hex of SHA-256.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from rustbucket_pipeline.storage.tables import metadata, when

window_digests = Table(
    "window_digests",
    metadata,
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("digest", JSONB, nullable=False),
    Column("sha256", Text, nullable=False, comment="of the digest's canonical JSON, baseline left out"),
    Column("baseline_sha256", Text, nullable=False),
    when("built_at", nullable=False),
)

log_analyses = Table(
    "log_analyses",
    metadata,
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("revision", Integer, primary_key=True, comment="rises with each changed report; older ones are kept"),
    Column("analysis_key", Text, nullable=False, comment="hash of the digest and of everything that shapes the report"),
    Column("question_key", Text, nullable=False, comment="hash of what Claude is asked: an answer is used again"),
    Column("digest_sha256", Text, nullable=False),
    Column(
        "status",
        Text,
        CheckConstraint("status in ('claude', 'model-marked', 'deterministic')", name="status"),
        nullable=False,
    ),
    Column("severity", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("completeness", Text, nullable=False),
    Column("report", JSONB, nullable=False),
    Column("model", Text, comment="as served"),
    Column("request_ids", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("usage", JSONB),
    Column("cost_usd", Numeric(12, 6), nullable=False, server_default=text("0")),
    when("created_at", nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("finding_id", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("technique", Text),
    Column("why", Text, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("event_ids", ARRAY(Text), nullable=False, comment="the first 20 of them"),
    Column("rustbuckets", ARRAY(Text), nullable=False),
)

report_excerpts = Table(
    "report_excerpts",
    metadata,
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="within the report, from 1"),
    Column("rustbucket_id", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("excerpt", Text, nullable=False, comment="plain text; attackers' words in it are escaped"),
    comment="what a report says of rustbuckets that stand out",
)

indicators = Table(
    "indicators",
    metadata,
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("type", Text, primary_key=True, comment="ip: peer of a connection; url, host: named in attackers' text"),
    Column("value", Text, primary_key=True),
    Column("indicator_id", Text, nullable=False, comment="I1, I2 … within the window"),
    when("first_seen", nullable=False),
    when("last_seen", nullable=False),
    Column("is_new", Boolean, nullable=False, comment="not seen in the 7 days before"),
    Column("events", BigInteger, nullable=False),
    Column("rustbuckets", Integer, nullable=False),
    Column("event_ids", ARRAY(Text), nullable=False),
)

claude_calls = Table(
    "claude_calls",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    when("window_start", nullable=False),
    Column("model", Text, nullable=False, comment="as asked"),
    when("asked_at", nullable=False),
    Column("cost_usd", Numeric(12, 6), nullable=False, comment="the worst case until the answer is in"),
    Column("outcome", Text, nullable=False, comment="asked, answered, refused, cut, unusable, failed or lost"),
    Column("detail", Text),
    Column("served_by", Text, comment="the model that answered"),
    Column("request_id", Text),
    Column("usage", JSONB),
    Column("request_sha256", Text, comment="of a request in a batch: its answer is found by it"),
    Column("batch_id", Text, comment="empty while it isn't known"),
    Column("answer", Text, comment="the model's text as it came, unverified; of requests in batches"),
    Index("ix_claude_calls_asked_at", "asked_at"),
    Index("ix_claude_calls_request_sha256", "request_sha256", postgresql_where=text("request_sha256 IS NOT NULL")),
    Index("ix_claude_calls_batch_id", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
    comment="every request ever sent to Claude: what the budgets are counted from",
)

clusters = Table(
    "clusters",
    metadata,
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("cluster_id", Text, primary_key=True, comment="C1, C2 … within the window"),
    Column("fingerprint", Text, nullable=False, comment="hash of protocol and steps: the same behaviour in any window"),
    Column("protocol", Text),
    Column(
        "steps",
        ARRAY(Text),
        nullable=False,
        comment="what its sessions did: commands and requests with names and numbers left out",
    ),
    Column("rules", ARRAY(Text), nullable=False, comment="those that match a step"),
    Column("severity", Text, nullable=False),
    Column("sessions", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("sources", BigInteger, nullable=False, comment="known ones"),
    Column("rustbuckets", Integer, nullable=False),
    when("first_seen", nullable=False),
    when("last_seen", nullable=False),
    Column("is_new", Boolean, nullable=False, comment="not usual in the 7 days before"),
    Column("at_least", Boolean, nullable=False, comment="the counts are lower bounds"),
    Column("event_ids", ARRAY(Text), nullable=False, comment="first rows of the first 5 sessions"),
    Index("ix_clusters_fingerprint", "fingerprint", "window_start"),
)

sighted_windows = Table(
    "sighted_windows",
    metadata,
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("inputs_version", Text, nullable=False),
    comment="windows whose sightings are noted, and of which rows they were made",
)

sightings = Table(
    "sightings",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("rustbuckets", Integer, nullable=False),
    Index("ix_sightings_window_start", "window_start"),
    comment="which values and behaviours a window held; values as the first 16 bytes of their SHA-256",
)

window_counts = Table(
    "window_counts",
    metadata,
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("what", Text, primary_key=True),
    Column("events", BigInteger, nullable=False),
    comment="events of a window: all, by type, by protocol",
)
