"""The planner's own tables: windows that were asked for, that a blocking check found wrong, that a person marked."""

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

window_marks = Table(
    "window_marks",
    metadata,
    Column("asset", Text, primary_key=True),
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column(
        "inputs_version", Text, nullable=False, comment="of the inputs it was marked with; others make it due again"
    ),
    Column("marked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    when("marked_at", nullable=False),
    comment="windows an operator marked as done: not due until their inputs change",
)
