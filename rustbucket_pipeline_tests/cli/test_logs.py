"""`rustbucket logs summary` and `rustbucket dashboard`, as a person types them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rustbucket_pipeline.control.job_log import JobLog, Line
from rustbucket_pipeline_tests.cli.conftest import Command

NOW = datetime.now(UTC)


def test_a_summary_names_every_job_and_why_one_failed_without_a_database(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    log = JobLog(tmp_path / "home" / "logs" / "jobs", compress_after=7, keep=None, secrets=())
    at = NOW - timedelta(hours=2)
    log.write(Line(time=at, level="INFO", job="parse_logs", run="r", state="began", message="run began"))
    log.write(Line(time=at, level="ERROR", job="parse_logs", run="r", message="\x1b[31mthe store is gone"))
    log.write(
        Line(time=at + timedelta(seconds=9), level="ERROR", job="parse_logs", run="r", state="failed", message="x")
    )
    ran = command("logs", "summary")
    lines = {line.split("\t")[0]: line.split("\t") for line in ran.out.splitlines()}
    assert (ran.code, ran.err) == (0, "")
    assert lines["parse_logs"][1:3] + lines["parse_logs"][5:6] == ["1", "1", "9.0 s"]
    assert lines["parse_logs"][-1].endswith(r"\x1b[31mthe store is gone")
    assert lines["poll_fleet"][1] == "0"
    assert "parse_logs\t0\t" in command("logs", "summary", "--from", "1h").out


def test_a_summary_as_json_has_the_last_failure(command: Command) -> None:
    (found,) = [one for one in json.loads(command("logs", "summary", "--json").out) if one["job"] == "dashboard"]
    assert (found["runs"], found["last_failure"]) == (0, None)


def test_a_dashboard_that_was_not_written_yet_says_how_to(command: Command) -> None:
    ran = command("dashboard", "path")
    assert ran.code == 2
    assert "`rustbucket upkeep run dashboard` writes one now" in ran.err


def test_the_dashboard_s_path_is_printed_for_scripts(command: Command, tmp_path: Path) -> None:
    page = tmp_path / "home" / "dashboard.html"
    page.parent.mkdir(parents=True)
    page.write_text("<!doctype html>")
    assert command("dashboard", "path").out == f"{page}\n"
