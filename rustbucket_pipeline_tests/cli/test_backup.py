"""`rustbucket backup`, legal holds, frozen days and purging, as a person types them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.freezing import freeze_day
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, FleetOnDisk, hour_of_lines
from rustbucket_pipeline_tests.cli.conftest import Command

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_backup_is_made_listed_verified_and_restored(command: Command, own_home: Path) -> None:
    assert "No backup yet" in command("backup", "list").out
    made = command("backup", "create")
    assert made.code == 0
    assert "backup.key only: copy it off this machine" in made.err
    [listed] = json.loads(command("backup", "list", "--json").out)
    assert (listed["wrong"], listed["rows"] > 0, len(listed["sealed_for"])) == ("", True, 1)
    verified = command("backup", "verify", "--components", "objects,restore,rows")
    assert verified.code == 0
    assert f"✓ backup {listed['name']}: objects, restore, rows as they should be" in verified.out
    assert command("backup", "verify", "--components", "luck").code == 2
    assert command("backup", "verify", "2020-01-01T000000Z").code == 2
    theirs = command("backup", "restore", "--into", str(own_home), "--signed-by", "ab" * 32)
    assert "can't be believed" in theirs.err
    assert not own_home.exists()
    restored = command("backup", "restore", listed["name"], "--into", str(own_home))
    assert f"RUSTBUCKET_HOME={own_home}" in restored.out
    assert (own_home / "settings.toml").exists()


def test_holds_frozen_days_and_purging(
    command: Command, settings: Settings, database: Engine, archive: Archive, tmp_path: Path
) -> None:
    fleet = FleetOnDisk(tmp_path / "sources", database, archive)
    fleet.write("rustbucket.log.2026-03-02-09", hour_of_lines(NINE, every=900))
    fleet.pull()
    assert command("archive", "days", "--json").out.strip() == "[]"
    freeze_day(database, archive, settings, NINE.date(), NINE + timedelta(days=100))
    [frozen] = json.loads(command("archive", "days", "--json").out)
    assert (frozen["day"], frozen["state"]) == ("2026-03-02", "frozen")
    assert "is open until" in command("archive", "thaw", "2026-03-02", "--for", "2d").out
    assert "is open; there is nothing to thaw" in command("archive", "thaw", "2026-03-02").err

    assert command("fleet", "hold", BKT, "--reason", "case 17").code == 0
    assert "is under a legal hold" in command("fleet", "purge-address", "192.0.2.7", "--yes").err
    [held] = json.loads(command("fleet", "holds", "--json").out)
    assert (held["rustbucket_id"], held["reason"], held["released_at"]) == (BKT, "case 17", None)
    assert command("fleet", "release", BKT).code == 0
    assert command("fleet", "release", BKT).code == 2

    purged = json.loads(command("fleet", "purge-address", "192.0.2.7", "--yes", "--json").out)
    assert (purged["segments"], purged["backups"]) == (2, [])
    assert "2 segments redacted" in command("archive", "verify").out
    assert command("fleet", "purge-address", "nobody").code == 2
