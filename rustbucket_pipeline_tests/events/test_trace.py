"""From a row back to its bytes."""

import json
import re
import subprocess
import sys

import pytest
from sqlalchemy import text

from rustbucket_pipeline.errors import IntegrityError, UsageError
from rustbucket_pipeline.events.trace import trace_event


@pytest.fixture
def event(hour, json_line):
    hour.log(json_line(command="one") + json_line(command="two\x1b[2J", at="00:40:00.000000"))
    hour.build()
    return hour.rows()[1]["event_id"]


def test_a_row_leads_to_its_bytes_and_every_hash_agrees(hour, event, json_line):
    with hour.database.connect() as connection:
        trace = trace_event(connection, hour.archive, event[:12])
    assert trace.record == json_line(command="two\x1b[2J", at="00:40:00.000000")
    assert trace.holds
    assert trace.nth == 0
    assert trace.source["key"] == "log0"


def test_a_changed_chain_is_seen(hour, event):
    with hour.database.begin() as connection:
        connection.execute(text("update segments set previous_sha256 = 'x' where byte_start > 0"))
        assert not trace_event(connection, hour.archive, event).holds


def test_a_row_with_another_id_is_seen(hour, event):
    with hour.database.begin() as connection:
        connection.execute(text("update log_events set event_id = repeat('a', 64) where event_id = :id"), {"id": event})
        assert not trace_event(connection, hour.archive, "a" * 64).holds


def test_a_lost_object_is_an_integrity_error(hour, event):
    for row in hour.rows("select object_key from segments"):
        hour.archive.delete(row["object_key"])
    with hour.database.connect() as connection, pytest.raises(IntegrityError):
        trace_event(connection, hour.archive, event)


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
