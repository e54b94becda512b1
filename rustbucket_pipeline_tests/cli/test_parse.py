"""`rustbucket parse`: files in, records out; no database, no home."""

import csv
import gzip
import io
import json
import sys
from pathlib import Path

import pandas as pd
import pytest
import zstandard

from rustbucket_pipeline_tests.cli.conftest import Command

GOLDEN = Path(__file__).parent.parent / "golden" / "events"
JSON_LOG = (GOLDEN / "json.log").read_bytes()


def records(raw: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in raw.splitlines()]


def without_file(raw: bytes) -> list[dict[str, object]]:
    return [{**record, "file": None} for record in records(raw)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "rustbucket.log.2026-03-02-00"
    path.write_bytes(JSON_LOG)
    return path


@pytest.fixture
def plain(command: Command, log: Path) -> list[dict[str, object]]:
    return without_file(command("parse", str(log)).raw)


def test_every_record_is_a_line_with_its_file_and_nothing_else_is_touched(command: Command, log: Path) -> None:
    ended = command("parse", str(log))
    assert ended.code == 0
    assert {record["file"] for record in records(ended.raw)} == {str(log)}
    assert sum(int(str(record["length"])) for record in records(ended.raw)) == len(JSON_LOG)
    assert f"{log}: 111 events" in ended.err
    assert [path.name for path in log.parent.iterdir()] == [log.name]


@pytest.mark.parametrize("name", ["rustbucket.log.2026-03-02-00.gz", "rustbucket.log.2026-03-02-00.zst"])
def test_packed_files_of_several_members_are_read_as_what_they_hold(
    command: Command, tmp_path: Path, plain: list[dict[str, object]], name: str
) -> None:
    pack = gzip.compress if name.endswith("gz") else zstandard.ZstdCompressor().compress
    (tmp_path / name).write_bytes(b"".join(pack(JSON_LOG[at : at + 5000]) for at in range(0, len(JSON_LOG), 5000)))
    assert without_file(command("parse", str(tmp_path / name)).raw) == plain


def test_standard_input_is_a_file_too(
    command: Command, monkeypatch: pytest.MonkeyPatch, plain: list[dict[str, object]]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(JSON_LOG)))
    assert without_file(command("parse", "-").raw) == plain


def test_a_file_that_cannot_be_read_is_named_and_the_others_go_on(command: Command, log: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(JSON_LOG)[:-100])
    ended = command("parse", str(tmp_path / "nothing"), str(tmp_path), str(cut), str(log))
    assert ended.code == 1
    assert {record["file"] for record in records(ended.raw)} == {str(cut), str(log)}
    for name, reason in ((tmp_path / "nothing", "No such file"), (tmp_path, "Is a directory"), (cut, "damaged")):
        assert any(line.startswith(f"{name}: ") and reason in line for line in ended.err.splitlines())


def test_garbage_is_quarantined_with_its_reason_and_is_no_failure(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "garbage"
    path.write_bytes(b"\x7fELF\x1b[2J\n\n")
    ended = command("parse", str(path))
    assert ended.code == 0
    assert all(record["reason"] and record["excerpt"] is not None for record in records(ended.raw))
    assert "\x1b" not in ended.out
    assert "quarantined" in ended.err


def test_csv_and_parquet_hold_the_same_records(command: Command, log: Path, tmp_path: Path) -> None:
    lines = command("parse", str(log), "--format", "csv").out.splitlines()
    rows = list(csv.DictReader(lines))
    assert len(rows) == 111
    assert all(line.isprintable() for line in lines)
    table = tmp_path / "all.parquet"
    assert command("parse", str(log), "--format", "parquet", "--output", str(table)).code == 0
    frame = pd.read_parquet(table)
    assert [str(length) for length in frame["length"]] == [row["length"] for row in rows]
    assert str(frame["timestamp"].dtype) == "datetime64[us, UTC]"
    whole = records(command("parse", str(log)).raw)
    assert [json.loads(fields) for fields in frame["fields"]] == [record["fields"] for record in whole]
    assert list(frame["message"]) == [record["message"] for record in whole]


def test_only_the_dialects_asked_for_are_read(command: Command, log: Path) -> None:
    told = records(command("parse", str(log), "--dialect", "kv", "--dialect", "proto").raw)
    assert {record["reason"] for record in told} == {"in another dialect: json"}


def test_an_unknown_dialect_is_a_mistake_told_in_one_line(command: Command, log: Path) -> None:
    ended = command("parse", str(log), "--dialect", "morse")
    assert ended.code == 2
    assert "there are classic," in ended.err
    assert ended.raw == b""


def test_an_output_that_cannot_be_written_is_told_and_leaves_nothing(
    command: Command, log: Path, tmp_path: Path
) -> None:
    ended = command("parse", str(log), "--output", str(tmp_path / "no" / "such" / "file"))
    assert ended.code == 2
    assert "can't be written" in ended.err
