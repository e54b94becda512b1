"""From a row back to its bytes."""

import json
import re
import subprocess
import sys
from hashlib import sha256

import pytest
import zstandard
from sqlalchemy import text

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.events.trace import trace_event


@pytest.fixture
def event(hour, json_line):
    hour.log(json_line(command="one") + json_line(command="two\x1b[2J", at="00:40:00.000000"))
    hour.build()
    return hour.rows()[1]["event_id"]


def traced(hour, event):
    with hour.database.connect() as connection:
        return trace_event(connection, hour.archive, event)


def test_a_row_leads_to_its_bytes_and_every_hash_agrees(hour, event, json_line):
    trace = traced(hour, event[:12])
    assert trace.record == json_line(command="two\x1b[2J", at="00:40:00.000000")
    assert trace.sha256 == sha256(trace.record).hexdigest()
    assert trace.holds
    assert trace.nth == 0
    assert (trace.origin.key, trace.origin.rustbucket) == ("log0", "bkt100001")


@pytest.mark.parametrize("changed", ["previous_sha256 = 'x'", "chain_sha256 = 'x'"])
def test_a_changed_chain_is_seen(hour, event, changed):
    with hour.database.begin() as connection:
        connection.execute(text(f"update segments set {changed} where byte_start > 0"))
    trace = traced(hour, event)
    assert not trace.holds
    assert [(link.linked, link.fault) for link in trace.links] == [(False, "")]


def test_a_row_with_another_id_is_seen(hour, event):
    with hour.database.begin() as connection:
        connection.execute(text("update log_events set event_id = repeat('a', 64) where event_id = :id"), {"id": event})
    trace = traced(hour, "a" * 64)
    assert not trace.holds
    assert trace.nth is None


@pytest.mark.parametrize("loss", ["gone", "altered"])
def test_a_lost_object_is_told_with_all_the_rest(hour, event, loss):
    for row in hour.rows("select object_key from segments"):
        hour.archive.delete(row["object_key"])
        if loss == "altered":
            hour.archive.put_new(row["object_key"], zstandard.ZstdCompressor().compress(b"something else\n"))
    trace = traced(hour, event)
    assert not trace.holds
    assert trace.record is None
    assert trace.links[0].linked
    assert trace.links[0].fault
    assert trace.row["command"].startswith("two")


@pytest.mark.parametrize("wrong", ["", "1234567", "x" * 64, "'; drop table log_events; --", "0" * 64])
def test_no_such_event_is_said_in_one_line(hour, event, wrong):
    with hour.database.connect() as connection, pytest.raises(UsageError):
        trace_event(connection, hour.archive, wrong)


def test_the_command_shows_it_on_one_screen(hour, event, settings):
    environment = {
        "RUSTBUCKET_HOME": str(settings.home),
        "RUSTBUCKET_DATABASE_URL": settings.database_url.get_secret_value(),
    }
    command = [sys.executable, "-c", "from rustbucket_pipeline.cli.main import main; main()", "trace", event[:10]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) < 40
    assert "\x1b" not in done.stdout
    assert re.search(r"sha256\s+[0-9a-f]{64}  ✓", done.stdout)
    done = subprocess.run(
        [*command, "--json"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert json.loads(done.stdout)["holds"] is True
