"""The schema: as declared, whatever it was upgraded from, with the data still in it; and the views beside it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, select, text

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import (
    alert_tables,  # noqa: F401
    canary,  # noqa: F401
    drift_tables,  # noqa: F401
    migrations,
    plan_tables,  # noqa: F401
    retention_tables,  # noqa: F401
    session_tables,  # noqa: F401
    statistics_tables,  # noqa: F401
)
from rustbucket_pipeline.storage.analysis_tables import log_analyses
from rustbucket_pipeline.storage.postgres import upgrade
from rustbucket_pipeline.storage.tables import metadata, rustbuckets, segments, source_files

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


Insert = Callable[..., None]


@pytest.fixture
def one_segment(database: Engine, insert: Insert) -> Engine:
    """A database with a segment of the first of two rustbuckets."""
    with database.begin() as connection:
        insert(connection, rustbuckets, id="BKT1", name="one", ip_address="192.0.2.1", status="active")
        insert(connection, rustbuckets, id="BKT2", name="two", status="active")
        insert(connection, source_files, rustbucket_id="BKT1")
        file = connection.execute(select(source_files.c.id)).scalar_one()
        place = {"rustbucket_id": "BKT1", "log_id": file, "source_file_id": file, "object_key": "raw/x"}
        content = {"byte_end": 1_500_000, "last_event_ts": NOW + timedelta(minutes=5), "pulled_at": NOW}
        insert(connection, segments, **place, **content)
    return database


def test_migrated_tables_are_those_declared(database: Engine) -> None:
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_revision_is_the_one_alembic_ends_at() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.HERE))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.head()]


def test_an_upgrade_keeps_the_data(settings: Settings, one_segment: Engine) -> None:
    assert upgrade(settings) == upgrade(settings)
    with one_segment.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM segments")).scalar_one() == 1


def test_readers_of_the_registry_find_their_columns(one_segment: Engine) -> None:
    with one_segment.connect() as connection:
        row = connection.execute(text("SELECT name, ip_address, log, log_size, created_at FROM logs")).one()
    assert (*row[:3], float(row.log_size), row.created_at) == ("one", "192.0.2.1", "raw/x", 1.5, NOW)


def test_the_view_of_analyses_shows_the_newest_revision_of_each_window(database: Engine, insert: Insert) -> None:
    with database.begin() as connection:
        for revision, summary in enumerate(("first", "second"), 1):
            report = {"window_start": NOW, "revision": revision, "summary": summary, "status": "deterministic"}
            insert(connection, log_analyses, **report)
        rows = connection.execute(text("SELECT id, name, ip_address, log_analysis FROM log_analysis")).all()
    assert rows == [(int(NOW.timestamp()), "fleet", None, "second")]


def test_every_rustbucket_has_a_watermark_and_unknown_is_null(one_segment: Engine) -> None:
    with one_segment.connect() as connection:
        rows = connection.execute(text("SELECT * FROM rustbucket_watermarks ORDER BY 1")).all()
    assert rows == [("BKT1", NOW + timedelta(minutes=5)), ("BKT2", None)]
