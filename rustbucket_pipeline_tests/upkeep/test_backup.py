"""Backups: made in a stream, sealed, restored beside production, and found out whatever was done to them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard
from pyrage import x25519
from sqlalchemy import Connection, Engine, select, text

from rustbucket_pipeline.errors import ConfigurationError, IntegrityError, UsageError
from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.retention_settings import COMPONENTS
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import open_beside, open_database
from rustbucket_pipeline.storage.secrets import decrypt, encrypt
from rustbucket_pipeline.storage.signing import public_key
from rustbucket_pipeline.storage.tables import rustbuckets, segments
from rustbucket_pipeline.upkeep.backup import backup_warning, make_backup
from rustbucket_pipeline.upkeep.backup_manifest import (
    FRESH,
    BackupManifest,
    backup_named,
    backups,
    missing_backup,
    newest_good,
)
from rustbucket_pipeline.upkeep.backup_programs import dumper_for
from rustbucket_pipeline.upkeep.backup_seal import own_identity
from rustbucket_pipeline.upkeep.restore import fetch, restore_home
from rustbucket_pipeline.upkeep.verification import Verified, verify_backup
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, hour_of_lines

NOW = datetime(2026, 3, 3, 2, 30, tzinfo=UTC)


@dataclass
class Drill:
    """A pipeline with an hour of logs, and a backup of it."""

    settings: Settings
    engine: Engine
    archive: Archive
    made: BackupManifest

    def verify(self, *components: str, name: str = "") -> Verified:
        found = backup_named(self.archive, name, public_key(self.settings))
        chosen, own = components or COMPONENTS, [own_identity(self.settings)]
        return verify_backup(self.settings, self.archive, self.engine, found, chosen, own, 9)

    def path(self, key: str) -> Path:
        return self.settings.home / "archive" / key


@pytest.fixture
def drill(settings: Settings, database: Engine, archive: Archive, tmp_path: Path, server: Connection) -> Drill:
    fleet = FleetOnDisk(tmp_path / "sources", database, archive)
    fleet.write("rustbucket.log.2026-03-02-09", hour_of_lines(NINE, every=5) + hour_of_lines(NINE + HOUR, every=1200))
    fleet.pull()
    build_hour(database, archive, Window(NINE, HOUR), NOW, None)
    with database.begin() as connection:
        token = encrypt(settings, "a token of BKT100001")
        connection.execute(rustbuckets.update().where(rustbuckets.c.id == BKT).values(token=token))
    history = f"{database.url.database}_dagster"
    server.execute(text(f"CREATE DATABASE {history}"))
    with open_beside(database.url.set(database=history)).begin() as connection:
        connection.execute(text("CREATE TABLE runs AS SELECT generate_series(1, 100) AS id"))
    return Drill(settings, database, archive, make_backup(settings, archive, NOW))


def test_a_backup_restores_to_the_row_and_production_is_left_alone(drill: Drill) -> None:
    verified = drill.verify()
    assert (verified.problems, verified.restored) == ((), True)
    with drill.engine.connect() as connection:
        held = len(connection.execute(select(segments.c.id)).all())
    assert verified.segments == held > 0
    assert verified.rows > 800
    assert list((drill.settings.home / "verifying").iterdir()) == []


def test_a_harmed_backup_fails_and_what_was_harmed_is_named(drill: Drill) -> None:
    """A flipped byte, a truncated dump, a missing one, an edited manifest, one of another backup."""
    name = drill.made.name
    dump, manifest = drill.path(f"backups/{name}/rustbucket.dump.age"), drill.path(f"backups/{name}/manifest.json")
    other = make_backup(drill.settings, drill.archive, NOW + timedelta(minutes=1))
    whole, said = dump.read_bytes(), manifest.read_bytes()
    middle = len(whole) // 2
    theirs = drill.path(f"backups/{other.name}/manifest.json").read_bytes()
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    harms = [
        (dump, flipped, f"objects: backups/{name}/rustbucket.dump.age holds other bytes"),
        (dump, whole[:-1000], f"manifest: backups/{name}/rustbucket.dump.age has"),
        (dump, None, f"manifest: backups/{name}/rustbucket.dump.age is missing"),
        (manifest, said.replace(b'"rows":1', b'"rows":2', 1), "was changed after it was signed"),
        (manifest, theirs, f"is the manifest of another backup, {other.name}"),
    ]
    for path, data, named in harms:
        before = path.read_bytes()
        path.unlink() if data is None else path.write_bytes(data)
        [problem] = drill.verify(name=name).problems
        assert named in problem
        path.write_bytes(before)
    assert drill.verify("objects", name=name).problems == ()


def test_a_dump_harmed_where_nobody_hashed_it_is_still_not_restored(drill: Drill) -> None:
    dump = drill.path(f"backups/{drill.made.name}/rustbucket.dump.age")
    data = bytearray(dump.read_bytes())
    data[len(data) // 2] ^= 1
    dump.write_bytes(data)
    verified = drill.verify("restore")
    assert verified.restored is False
    assert "rustbucket.dump.age: it can't be opened" in verified.problems[0]


def test_segments_that_are_missing_or_altered_are_named_but_not_those_retention_deleted(drill: Drill) -> None:
    with drill.engine.begin() as connection:
        rows = connection.execute(select(segments).order_by(segments.c.id)).all()
        first, second, *_, last = rows
        drill.archive.delete(last.object_key)
        connection.execute(segments.update().where(segments.c.id == last.id).values(expired_at=NOW))
        drill.archive.delete(first.object_key)
        altered = zstandard.compress(b"x" * (second.byte_end - second.byte_start))
        drill.path(second.object_key).write_bytes(altered.ljust(second.stored_bytes, b"\0")[: second.stored_bytes])
    verified = drill.verify("segments")
    assert [problem.partition(" (")[0] for problem in verified.problems] == [
        f"segments: segment {first.id}: {first.object_key} is missing",
        f"segments: segment {second.id}: {second.object_key} can't be read",
    ]


def test_rows_and_chains_of_a_restored_copy_that_are_otherwise_are_named(drill: Drill) -> None:
    with drill.engine.begin() as connection:
        log_id = connection.execute(select(segments.c.log_id).order_by(segments.c.id)).scalars().first()
        connection.execute(segments.update().values(previous_sha256="0" * 64))
    ours, history = make_backup(drill.settings, drill.archive, NOW + timedelta(minutes=1)).databases
    found = backup_named(drill.archive, "", public_key(drill.settings))
    assert found.manifest is not None
    tables = {
        **ours.tables,
        "public.rustbuckets": ours.tables["public.rustbuckets"].model_copy(update={"checksum": "7"}),
        "public.segments": ours.tables["public.segments"].model_copy(update={"rows": 5}),
        "public.gone": ours.tables["public.segments"],
    }
    claimed = found.manifest.model_copy(update={"databases": (ours.model_copy(update={"tables": tables}), history)})
    claimed = claimed.model_copy(update={"chain": claimed.chain.model_copy(update={"logs": 2})})
    own = [own_identity(drill.settings)]
    wrong = replace(found, manifest=claimed)
    verified = verify_backup(drill.settings, drill.archive, drill.engine, wrong, ["rows", "chain"], own, 9)
    assert [problem.removeprefix("rows: rustbucket.dump: table ") for problem in verified.problems] == [
        "public.gone is missing",
        "public.rustbuckets has as many rows as the manifest says, but others",
        "public.segments has 4 rows, the manifest says 5",
        f"chain: its ends are 1 logs of {drill.made.chain.bytes:,} bytes, not those the manifest has",
        f"chain: 4 segments don't follow the one before in their log, the first in log {log_id}",
    ]


def test_a_home_restored_by_the_recipient_works_with_its_tokens_and_its_readers(
    drill: Drill, changed: Callable[..., Settings], own_home: Path
) -> None:
    operator, stranger = x25519.Identity.generate(), x25519.Identity.generate()
    settings = changed(RUSTBUCKET_BACKUP_RECIPIENT=str(operator.to_public()))
    made = make_backup(settings, drill.archive, NOW + timedelta(minutes=1))
    assert made.sealed_for == (str(own_identity(settings).to_public()), str(operator.to_public()))
    with pytest.raises(IntegrityError, match="can't be opened"):
        fetch(drill.archive, made.object_named("home.tar"), [stranger], own_home.with_suffix(".theirs"), sealed=True)
    restored = restore_home(settings, drill.archive, made, [operator], own_home, lambda _: None, durable=False)
    engine = open_database(restored)
    with engine.connect() as connection, drill.engine.connect() as before:
        events = text("SELECT count(*) FROM events")
        assert connection.execute(events).scalar_one() == before.execute(events).scalar_one() > 0
        token = connection.execute(select(rustbuckets.c.token)).scalar_one()
        reads = text("SELECT has_table_privilege('rustbucket_reader', 'events', 'SELECT')")
        assert connection.execute(reads).scalar_one()
    engine.dispose()
    assert decrypt(restored, token) == "a token of BKT100001"
    assert public_key(restored) == public_key(drill.settings)
    with pytest.raises(UsageError, match="isn't empty"):
        restore_home(settings, drill.archive, made, [operator], own_home, lambda _: None)


def test_a_backup_holds_nothing_readable_unless_that_was_asked_for(
    drill: Drill, changed: Callable[..., Settings]
) -> None:
    dump = drill.path(f"backups/{drill.made.name}/rustbucket.dump.age").read_bytes()
    assert dump.startswith(b"age-encryption.org/v1")
    assert b"PGDMP" not in dump
    key = (drill.settings.home / "signing.key").read_bytes().strip()
    plain = make_backup(changed(RUSTBUCKET_BACKUP_PLAIN=True), drill.archive, NOW + timedelta(minutes=1))
    assert plain.sealed_for == ()
    assert drill.path(f"backups/{plain.name}/rustbucket.dump").read_bytes().startswith(b"PGDMP")
    assert key not in drill.path(f"backups/{plain.name}/home.tar").read_bytes()
    assert drill.verify("objects").problems == ()


def test_without_settings_backups_are_sealed_and_what_to_do_about_the_key_is_said(
    settings: Settings, changed: Callable[..., Settings]
) -> None:
    assert "backup.key only: copy it off this machine" in backup_warning(settings)
    assert "unencrypted" in backup_warning(changed(RUSTBUCKET_BACKUP_PLAIN=True))
    recipient = str(x25519.Identity.generate().to_public())
    assert backup_warning(changed(RUSTBUCKET_BACKUP_RECIPIENT=recipient)) == ""
    with pytest.raises(ConfigurationError, match="no public key"):
        make_backup(changed(RUSTBUCKET_BACKUP_RECIPIENT="age1nonsense"), Archive("x", lambda: None), NOW)


def test_nothing_may_be_deleted_without_a_good_backup_younger_than_a_day(drill: Drill) -> None:
    may = lambda now: missing_backup(drill.archive, drill.settings, now)  # noqa: E731
    assert may(NOW + timedelta(hours=1)) == ""
    assert "the newest good backup is of 2026-03-03 02:30 UTC" in may(NOW + FRESH)
    assert "the newest good backup" in may(NOW - timedelta(hours=1))
    drill.archive.delete(f"backups/{drill.made.name}/home.tar.age")
    assert newest_good(drill.archive, drill.settings) is None
    assert "there is no good backup" in may(NOW)


def test_what_was_begun_and_never_finished_is_no_backup(drill: Drill) -> None:
    drill.archive.put_new("backups/2026-03-04T000000Z/rustbucket.dump.age", b"half of it")
    found = backups(drill.archive, public_key(drill.settings))
    assert [(one.name, one.wrong) for one in found] == [
        ("2026-03-04T000000Z", "it has no manifest: it was never finished"),
        (drill.made.name, ""),
    ]
    (_, theirs) = backups(drill.archive, "ab" * 32)
    assert "was signed by another home" in theirs.wrong


def test_a_server_newer_than_every_pg_dump_is_named() -> None:
    with pytest.raises(ConfigurationError, match="can't dump a server of version 99"):
        dumper_for(99)
