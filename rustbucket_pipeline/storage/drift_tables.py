"""The table of messages that no template of the parser fits. Same conventions as `tables.py`."""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Table, Text

from rustbucket_pipeline.storage.tables import metadata

unknown_templates = Table(
    "unknown_templates",
    metadata,
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("rustbucket_id", Text, ForeignKey("rustbuckets.id"), primary_key=True),
    Column("target", Text, primary_key=True),
    Column("template", Text, primary_key=True),
    Column("records", BigInteger, nullable=False),
    comment="messages no template fits, blanked; at most 101 of a rustbucket's hour",
)
