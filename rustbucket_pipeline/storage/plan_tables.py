"""The planner's own tables: which windows were asked for, and which a blocking check found wrong."""

from sqlalchemy import Column, DateTime, Integer, Table, Text

from rustbucket_pipeline.storage.tables import metadata, when

window_requests = Table(
    "window_requests",
    metadata,
    Column("job", Text, primary_key=True),
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("version", Text, nullable=False, comment="of the inputs it was asked for"),
    Column("times", Integer, nullable=False, comment="asked for that version in a row"),
    when("asked_at", nullable=False),
    comment="the last time a run of the window was asked for: no window twice at once, and pauses between tries",
)

failed_checks = Table(
    "failed_checks",
    metadata,
    Column("asset", Text, primary_key=True),
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("check_name", Text, primary_key=True),
    when("failed_at", nullable=False),
    comment="built windows that a blocking check found wrong: what is made of them waits until it passes",
)
