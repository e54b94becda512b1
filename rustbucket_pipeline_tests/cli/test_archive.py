"""`rustbucket archive` as a person types it."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.archive.manifest import make_manifest
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline_tests.archive.fleet_on_disk import NINE, FleetOnDisk, hour_of_lines
from rustbucket_pipeline_tests.cli.conftest import Command

BYTES = hour_of_lines(NINE) + b"\xff\x1b[2J secret=hunter2\r\n"


@pytest.fixture
def held(database: Engine, archive: Archive, tmp_path: Path) -> FleetOnDisk:
    fleet = FleetOnDisk(tmp_path / "sources", database, archive)
    fleet.write("abc/rustbucket.log.2026-03-02-09", BYTES)
    fleet.pull()
    return fleet


def test_an_archive_that_is_whole_is_said_to_be(held: FleetOnDisk, settings: Settings, command: Command) -> None:
    unsigned = command("archive", "verify")
    assert unsigned.code == 0
    assert unsigned.out.splitlines() == [
        f"✓ 2 segments of 1 log, {len(BYTES):,} bytes: all there, unaltered, in their chains",
        "not signed: no manifest of this home yet; materialize archive_manifest",
    ]
    make_manifest(held.engine, held.archive, settings, NINE + timedelta(hours=3))
    assert "1 signed manifest, the newest of 2026-03-02 12:00 UTC" in command("archive", "verify").out


def test_each_problem_is_a_line_and_the_exit_code_says_so(held: FleetOnDisk, command: Command) -> None:
    first, _ = sorted(held.archive.keys("raw"))
    held.archive.delete(first)
    held.archive.put_new("raw/\u202eevil", b"")
    ran = command("archive", "verify", "--rustbucket", "BKT100001", "--from", "2026-03-02", "--to", "2026-03-03")
    assert ran.code == 1
    assert ran.out.splitlines()[2].split("\t")[:3] == ["missing", "BKT100001", first]
    everything = command("archive", "verify")
    assert "raw/\\u202eevil" in everything.out
    assert "\u202e" not in everything.out


def test_verification_can_be_had_as_json(held: FleetOnDisk, command: Command) -> None:
    (key, _) = sorted(held.archive.keys("raw"))
    held.archive.delete(key)
    ran = command("archive", "verify", "--json")
    document = json.loads(ran.out)
    assert ran.code == 1
    assert (document["segments"], document["logs"]) == (2, 1)
    assert [(one["fault"], one["subject"]) for one in document["problems"]] == [("missing", key)]


def test_cat_gives_back_the_source_s_bytes_exactly_and_warns_beside_them(held: FleetOnDisk, command: Command) -> None:
    ran = command("archive", "cat", "BKT100001", "--from", "2026-03-02-09:00", "--to", "2026-03-02-10:00")
    assert (ran.code, ran.raw) == (0, BYTES)
    assert "unredacted" in ran.err
    assert (
        command("archive", "cat", "BKT100001", "--from", "2026-03-02-09:30").raw == BYTES[BYTES.find(b"09:30") - 25 :]
    )


def test_orphans_are_swept_by_age(held: FleetOnDisk, command: Command) -> None:
    orphan = "raw/BKT100001/2026/03/02/0900/" + "0" * 64 + ".log.zst"
    held.archive.put_new(orphan, b"left over")
    assert command("archive", "sweep").out == "0 orphans of 0 bytes removed\n"
    os.utime(Path(held.archive.url.removeprefix("file://")) / orphan, (0, 0))
    dry = command("archive", "sweep", "--older-than", "36h", "--dry-run")
    assert dry.out == f"{orphan}\n1 orphan of 9 bytes would be removed\n"
    assert json.loads(command("archive", "sweep", "--json").out)["keys"] == [orphan]
    assert orphan not in set(held.archive.keys("raw"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cat", "BKT7"), "no rustbucket 'BKT7'"),
        (("verify", "--rustbucket", "nonsense"), "no rustbucket 'nonsense'"),
        (("verify", "--from", "yesterday"), "is no window"),
        (("cat", "BKT100001", "--from", "2026-03-02-09:10"), "isn't on a border of 30 minutes"),
        (("sweep", "--older-than", "soon"), "is no age"),
    ],
)
def test_every_mistake_is_one_clear_line(
    held: FleetOnDisk, command: Command, arguments: tuple[str, ...], said: str
) -> None:
    ran = command("archive", *arguments)
    assert (ran.code, ran.raw) == (2, b"")
    assert said in ran.err.splitlines()[-1]


@pytest.mark.parametrize("name", ["verify", "cat", "sweep"])
def test_every_command_has_help_with_an_example(command: Command, name: str) -> None:
    ran = command("archive", name, "--help")
    assert f"Example: rustbucket archive {name}" in " ".join(ran.out.replace("│", " ").split())
