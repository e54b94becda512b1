"""The comparison agrees with a chain that works, and names what is wrong with one that doesn't."""

from pathlib import Path

from sqlalchemy import Connection, Engine, text

from rustbucket_pipeline.demo.compare import compare
from rustbucket_pipeline.demo.load import load_truth
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline_tests.demo.played import played, run_through

FIRST = "(SELECT event_id FROM log_events WHERE event_type = 'authentication' AND dialect = 'json' AND counted LIMIT 1)"
ONE_EVENT = {
    "DELETE FROM log_events": "true records kept: as one event",
    "UPDATE log_events SET byte_offset = byte_offset + 1": "rows of records that never were",
    "UPDATE log_events SET event_ts = event_ts + interval '1 us'": "events at their true time",
    "UPDATE log_events SET clamped = true": "events at their true time",
    "UPDATE log_events SET protocol = 'telnet'": "events by protocol: telnet",
    "UPDATE log_events SET counted = false": "counted: login attempts",
    "UPDATE log_events SET password = 'other'": "read as typed: passwords",
}
TABLES = {
    "DELETE FROM quarantine": "true records kept: in quarantine",
    "UPDATE log_events SET trust = 1": "forged lines below full trust",
    "UPDATE hour_counts SET duplicate_bytes = duplicate_bytes + 1": "sums of the hours: bytes",
    "UPDATE hour_counts SET events = events + 1": "sums of the hours: hours",
    "UPDATE source_files SET consumed = consumed - 1": "source files archived to their last byte, hash equal",
    "UPDATE segments SET byte_end = byte_end - 1 WHERE byte_start = 0": "source bytes archived, each once",
    "DELETE FROM window_builds WHERE asset = 'parsed_logs'": "played hours that have rows",
}
WRONGS = {f"{change} WHERE event_id = {FIRST}": name for change, name in ONE_EVENT.items()} | TABLES


def wrong(connection: Connection, archive: Archive) -> list[str]:
    return [check.name for check in compare(connection, archive) if not check.ok]


def test_a_fleet_pulled_and_parsed_is_what_truly_was(
    tmp_path: Path, database: Engine, settings: Settings, archive: Archive
) -> None:
    fleet = played(tmp_path)
    run_through(fleet, database, settings, archive)
    with database.begin() as connection:
        load_truth(connection, fleet)  # again: it replaces, it doesn't add
        checks = compare(connection, archive)
        assert [check for check in checks if not check.ok] == []
        assert all(check.expected for check in checks if "never" not in check.name), "nothing agrees by being empty"


def test_every_wrong_is_named_and_comparing_leaves_nothing_behind(
    tmp_path: Path, database: Engine, settings: Settings, archive: Archive
) -> None:
    run_through(played(tmp_path, rustbuckets=3), database, settings, archive)
    with database.connect() as connection:
        for statement, name in WRONGS.items():
            with connection.begin_nested() as change:
                connection.execute(text(statement))
                assert name in wrong(connection, archive), statement
                change.rollback()
        assert wrong(connection, archive) == []
