"""Every revision takes over a database that is in use, one after the other or all at once."""

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import migrations
from rustbucket_pipeline.storage.postgres import upgrade

REVISIONS = sorted(path.name[:4] for path in (migrations.HERE / "versions").glob("[0-9]*.py"))
IN_USE = """
INSERT INTO rustbuckets (id, name, status, registered_at, token) VALUES ('BKT1', 'one', 'active', now(), 'secret');
INSERT INTO source_files (rustbucket_id, key, size, consumed, prefix_sha256, clock, after_text, first_seen_at,
    last_seen_at)
VALUES ('BKT1', 'log', 100, 100, '', now(), false, now(), now());
INSERT INTO segments (log_id, source_file_id, rustbucket_id, window_start, byte_start, byte_end, object_key,
    stored_bytes, sha256, previous_sha256, chain_sha256, records, first_event_ts, last_event_ts, clock, after_text,
    vouched_from, vouched_until, pulled_at)
SELECT id, id, 'BKT1', '2026-03-02', 0, 100, 'raw/x', 50, '', '', '', 2, now(), now(), now(), false, now(), now(), now()
FROM source_files;
CREATE TABLE log_events_2026_03_02 PARTITION OF log_events FOR VALUES FROM ('2026-03-02') TO ('2026-03-03');
INSERT INTO log_events (event_id, rustbucket_id, event_ts, dialect, event_type, counted, message, segment_id,
    byte_offset, byte_length, parser_version)
SELECT 'e1', 'BKT1', '2026-03-02 00:00:01', 'json', 'command', true, 'Command received', id, 0, 60, 1 FROM segments;
INSERT INTO quarantine (segment_id, byte_offset, byte_length, event_ts, reason, excerpt)
SELECT id, 60, 40, '2026-03-02 00:00:02', 'no record', '\\x00ff' FROM segments;
INSERT INTO hour_counts (hour, rustbucket_id, archived_bytes, event_bytes, quarantined_bytes, duplicate_bytes, events,
    quarantined, duplicates)
VALUES ('2026-03-02', 'BKT1', 100, 60, 40, 0, 1, 1, 0);
INSERT INTO window_builds (asset, window_start, inputs_version, output_version, code_version, built_at)
VALUES ('parsed_logs', '2026-03-02', 'i', 'o', '1', now());
"""


def to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.HERE))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@pytest.fixture
def in_use(server: Connection) -> Iterator[Engine]:
    """A database of the first revision, in use."""
    server.execute(text("CREATE DATABASE in_use TEMPLATE template0"))
    engine = create_engine(make_url(str(server.engine.url)).set(drivername="postgresql+psycopg", database="in_use"))
    with engine.begin() as connection:
        to(connection, REVISIONS[0])
        connection.exec_driver_sql(IN_USE)
    yield engine
    engine.dispose()
    server.execute(text("DROP DATABASE in_use WITH (FORCE)"))


def assert_everything_is_there(engine: Engine) -> None:
    with engine.connect() as connection:
        events = connection.execute(text("SELECT event_id, message FROM events")).all()
        entries = connection.execute(text("SELECT rustbucket_id, reason, excerpt FROM quarantined")).all()
        fleet = connection.execute(text("SELECT * FROM fleet")).mappings().all()
        sums = connection.execute(text("SELECT events, quarantined, archived_bytes FROM hour_counts")).all()
        views = connection.execute(text("SELECT viewname FROM pg_views WHERE schemaname = 'public'")).scalars().all()
        for view in views:
            connection.exec_driver_sql(f"SELECT * FROM {view}")
    assert events == [("e1", "Command received")]
    assert entries == [("BKT1", "no record", "\\000\\377")]
    assert [(one["rustbucket_id"], one["name"], "token" in one) for one in fleet] == [("BKT1", "one", False)]
    assert sums == [(1, 1, 100)]
    assert {"events", "quarantined", "fleet", "sessions", "logs"} <= set(views)


def test_revisions_one_by_one_keep_what_is_there(in_use: Engine) -> None:
    for revision in REVISIONS[1:]:
        with in_use.begin() as connection:
            to(connection, revision)
    assert_everything_is_there(in_use)


def test_an_upgrade_takes_all_of_them_at_once_and_twice_changes_nothing(in_use: Engine, settings: Settings) -> None:
    url = in_use.url.set(drivername="postgresql").render_as_string()
    ours = Settings(RUSTBUCKET_HOME=settings.home, RUSTBUCKET_DATABASE_URL=url)
    assert upgrade(ours) == upgrade(ours)
    assert_everything_is_there(in_use)
