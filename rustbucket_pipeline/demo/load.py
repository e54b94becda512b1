"""The truth as tables: the schema `demo_truth` beside the pipeline's own, in the demo's database only."""

from sqlalchemy import BigInteger, Boolean, Column, Connection, DateTime, Index, MetaData, Table, Text
from sqlalchemy.schema import CreateSchema

from rustbucket_pipeline.demo.acts import moment_of
from rustbucket_pipeline.demo.simulate import Simulation
from rustbucket_pipeline.demo.truth import TrueFile, TrueRecord
from rustbucket_pipeline.storage.postgres import copy_rows

SCHEMA = "demo_truth"

_metadata = MetaData(schema=SCHEMA)
_play = Table(
    "play",
    _metadata,
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("window_end", DateTime(timezone=True), nullable=False),
)
_files = Table(
    "files",
    _metadata,
    Column("rustbucket_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("copy", Boolean, nullable=False),
)
_records = Table(
    "records",
    _metadata,
    Column("rustbucket_id", Text, primary_key=True),
    Column("file", Text, primary_key=True),
    Column("byte_offset", BigInteger, primary_key=True),
    Column("byte_length", BigInteger, nullable=False),
    Column("identity", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("event_ts", DateTime(timezone=True), nullable=False),
    Column("clamped", Boolean, nullable=False),
    Column("forged", Boolean, nullable=False),
    Column("expect", Text, nullable=False),
    *(Column(name, Text) for name in ("kind", "protocol", "src_ip", "username", "password", "command")),
    Index("ix_demo_truth_records_event_ts", "event_ts"),
)


def load_truth(connection: Connection, simulation: Simulation) -> None:
    """Put the simulation's truth into the schema `demo_truth`, in place of any that was there."""
    connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
    _metadata.drop_all(connection)
    _metadata.create_all(connection)
    connection.execute(_play.insert().values(window_start=simulation.start, window_end=simulation.end))
    copy_rows(connection, f"{SCHEMA}.files", _files.columns.keys(), (_file_row(file) for file in simulation.files))
    copy_rows(
        connection, f"{SCHEMA}.records", _records.columns.keys(), (_record_row(record) for record in simulation.records)
    )


def _file_row(file: TrueFile) -> tuple[object, ...]:
    return (file.rustbucket_id, file.key, file.bytes, file.sha256, file.copy)


def _record_row(record: TrueRecord) -> tuple[object, ...]:
    place = (record.rustbucket_id, record.file, record.offset, record.length, record.identity, record.dialect)
    fate = (moment_of(record.event_at), record.clamped, record.forged, record.expect, record.kind)
    return (*place, *fate, record.protocol, record.src_ip, record.username, record.password, record.command)
