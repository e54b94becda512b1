"""Alerts, what people did about them, who was told what, and the failed runs behind some of them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from rustbucket_pipeline.storage.tables import metadata, when


def _of_alert(*, primary_key: bool = False) -> Column[int]:
    key = ForeignKey("alerts.id", ondelete="CASCADE")
    return Column("alert_id", BigInteger, key, primary_key=primary_key, nullable=False)


alerts = Table(
    "alerts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column(
        "severity",
        Text,
        CheckConstraint("severity in ('info', 'warning', 'error', 'critical')", name="severity"),
        nullable=False,
    ),
    Column("subject", Text, nullable=False, comment="what it is about: a rustbucket, a window, an asset"),
    Column("cause", Text, nullable=False),
    when("opened_at", nullable=False),
    when("last_seen_at", nullable=False),
    Column("count", BigInteger, nullable=False, server_default=text("1")),
    when("closed_at"),
    Column("closed_by", Text),
    when("acknowledged_at"),
    when("snoozed_until"),
    Column("escalated_at", DateTime(timezone=True), comment="it lasted: from then on one severity worse"),
    Index("uq_alerts_open", "kind", "subject", unique=True, postgresql_where=text("closed_at IS NULL")),
    Index("ix_alerts_closed_at", "closed_at"),
)

alert_acts = Table(
    "alert_acts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _of_alert(),
    when("at", nullable=False),
    Column("by", Text, nullable=False),
    Column(
        "act",
        Text,
        CheckConstraint("act in ('acknowledged', 'snoozed', 'resolved')", name="act"),
        nullable=False,
    ),
    when("until"),
    Column("reason", Text),
    Index("ix_alert_acts_alert_id", "alert_id"),
    comment="what people did about alerts, and when",
)

alert_targets = Table(
    "alert_targets",
    metadata,
    Column("target", Text, primary_key=True, comment="hash of its address: that one holds secrets"),
    Column("name", Text, nullable=False),
    Column("failures", Integer, nullable=False, server_default=text("0"), comment="in a row"),
    when("retry_at"),
    when("digest_at"),
    comment="where alerts are sent to, and how that went",
)

alert_messages = Table(
    "alert_messages",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("target", Text, nullable=False),
    when("sent_at", nullable=False),
    Column("alerts", Integer, nullable=False, comment="how many it tells of"),
    Index("ix_alert_messages_target_sent_at", "target", "sent_at"),
    comment="every message that a target took",
)

alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("target", Text, primary_key=True),
    _of_alert(primary_key=True),
    Column(
        "state",
        Text,
        CheckConstraint("state in ('opened', 'escalated', 'closed')", name="state"),
        primary_key=True,
    ),
    when("sent_at", nullable=False),
    Index("ix_alert_deliveries_alert_id", "alert_id"),
    comment="which target was told which state of which alert: each is told once",
)

run_failures = Table(
    "run_failures",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("job", Text, nullable=False),
    Column("asset", Text, nullable=False),
    when("window_start"),
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False, comment="what it is called"),
    Column("why", Text, nullable=False, comment="in words"),
    Column("run_id", Text, nullable=False),
    when("began_at", nullable=False),
    when("failed_at", nullable=False),
    UniqueConstraint("job", "asset", "window_start", postgresql_nulls_not_distinct=True),
    comment="what runs failed to build and nothing has built since; without a window: until the job succeeds",
)
