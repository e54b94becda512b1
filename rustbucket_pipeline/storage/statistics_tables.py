"""The table of figures taken every few hours: how large, how busy, how costly. Same conventions as `tables.py`."""

from sqlalchemy import Column, DateTime, Double, Table, Text

from rustbucket_pipeline.storage.tables import metadata

_NUMBER: Double[float] = Double()

figures = Table(
    "figures",
    metadata,
    Column("figure", Text, primary_key=True, comment="docs/statistics.md lists them"),
    Column("taken_at", DateTime(timezone=True), primary_key=True),
    Column("value", _NUMBER, nullable=False),
    comment="one number each time statistics were taken",
)
