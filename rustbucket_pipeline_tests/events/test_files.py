"""Log files by themselves: what their records say, exactly, and every byte of them."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.events.files import FileRecord, LogFile
from rustbucket_pipeline.events.query import COLUMNS

GOLDEN = Path(__file__).parent.parent / "golden" / "events"
HOUR = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 2, 1, tzinfo=UTC)
TEXT_LINE = b"2026-03-02T00:00:05.000001Z  INFO rustbucket: Tracing initialized\n"


def parsed(data, size=1 << 19, **more):
    blocks = (data[at : at + size] for at in range(0, len(data), size))
    return list(LogFile("a.log", blocks, **more).records())


def golden(dialect):
    truths = (GOLDEN / f"{dialect}.truth.jsonl").read_text(encoding="utf-8").splitlines()
    return (GOLDEN / f"{dialect}.log").read_bytes(), [json.loads(truth) for truth in truths]


def covers(records, data):
    ends = [0, *(record.offset + record.length for record in records)]
    return [record.offset for record in records] == ends[:-1] and ends[-1] == len(data)


@pytest.mark.parametrize("size", [1 << 19, 1000, 7])
def test_every_json_record_is_told_exactly_whatever_the_blocks(size):
    data, truths = golden("json")
    told = {record.offset: record for record in parsed(data, size)}
    for truth in truths:
        record = told[truth["off"]]
        assert (record.length, record.level, record.target) == (truth["len"], truth["level"], truth["target"])
        assert f"{record.timestamp:%Y-%m-%dT%H:%M:%S.%fZ}" == truth["timestamp"]
        assert (record.message, record.fields) == (truth["message"], truth["fields"])
        assert (record.dialect, record.trust, record.reason) == ("json", 1.0, None)


@pytest.mark.parametrize("dialect", ["json", "kv", "proto", "classic"])
def test_records_and_quarantine_cover_the_file_exactly_in_order(dialect):
    data, _ = golden(dialect)
    assert covers(parsed(data), data)
    assert covers(parsed(data[37:-5]), data[37:-5])


@given(
    st.lists(
        st.sampled_from(
            [TEXT_LINE, b'{"timestamp":"2026-03-02T00:00:00.1Z","level":"INFO"}\n', b"\0\0", b"\n", b"x" * 99, b"\xff"]
        )
    )
)
def test_any_bytes_are_covered(pieces):
    data = b"".join(pieces)
    assert covers(parsed(data), data)


@pytest.mark.parametrize("dialect", ["json", "kv", "proto"])
def test_columns_are_those_that_the_database_has(hour, dialect):
    data, _ = golden(dialect)
    hour.log(data)
    hour.build()
    compared = [column for column in FileRecord._fields if column in COLUMNS and column not in {"message", "fields"}]
    rows = {row["byte_offset"]: row for row in hour.rows()}
    records = [record for record in parsed(data, period=HOUR) if record.reason is None and record.event_ts is None]
    assert len(records) > 10
    for record in records:
        row = rows[record.offset]
        told = {
            "offset": row["byte_offset"],
            "length": row["byte_length"],
            "timestamp": row["event_ts"],
            "event_ts": None,
        }
        assert record._asdict() | {name: row[name] for name in compared} | told == record._asdict()


def test_no_bytes_are_no_records():
    assert parsed(b"") == []


def test_columns_are_those_of_a_row_and_fields_are_whole(json_line):
    line = json_line(command="id\0" + "x" * 9000, client_ip="::ffff:192.0.2.7", _odd="kept", protocol="SSH")
    [record] = parsed(line)
    assert record.fields == {
        "command": "id\0" + "x" * 9000,
        "client_ip": "::ffff:192.0.2.7",
        "_odd": "kept",
        "protocol": "SSH",
    }
    assert (record.src_ip, record.protocol, record.event_type) == ("192.0.2.7", "ssh", "command")
    assert record.command.startswith(r"id\x00")
    assert len(record.command) == 8192
    assert set(record.notes) == {"_cut", "_escaped"}


def test_secrets_of_ours_are_taken_out_of_message_fields_and_columns(json_line):
    request = "GET /extract_logs HTTP/1.1\r\nAuthorization: Token s3cr3t-t0ken-0123456789\r\n\r\n"
    told = str(parsed(json_line(message="Request received", request=request, more={"deep": [request]})))
    told += str(
        parsed(b"2026-03-02T00:00:05.000001Z  INFO rustbucket: Generated instance token: s3cr3t-t0ken-0123456789\n")
    )
    assert "s3cr3t" not in told
    assert "[redacted]" in told


def test_a_time_counts_only_within_what_the_name_vouches_for(json_line):
    line = json_line(at="00:00:01.5") + json_line(at="03:00:01.5")
    free, clamped = parsed(line), parsed(line, period=HOUR)
    assert [record.timestamp.hour for record in free] == [record.timestamp.hour for record in clamped] == [0, 3]
    assert [record.event_ts for record in free] == [None, None]
    assert clamped[1].event_ts == clamped[0].timestamp


def test_records_of_other_dialects_than_those_asked_for_are_told_as_such(json_line):
    data = json_line() + TEXT_LINE
    only = parsed(data, dialects=frozenset({"kv"}))
    assert [(record.dialect, record.reason) for record in only] == [(None, "in another dialect: json"), ("kv", None)]
    assert covers(only, data)


def test_equal_records_are_all_told(json_line):
    assert len(parsed(json_line() * 3)) == 3


def test_offsets_do_not_go_back():
    records = parsed(b"".join([TEXT_LINE, b"\x00\x00", TEXT_LINE, b"garbage\n", TEXT_LINE]) * 50)
    assert all(before.offset < after.offset for before, after in pairwise(records))


MEASURE = """
import resource
from rustbucket_pipeline.events.files import FileRecord, LogFile
from rustbucket_pipeline.events.query import COLUMNS
line = b'{"timestamp":"2026-03-02T00:00:01.5Z","level":"INFO","fields":{"message":"x","n":%d},"target":"t"}\\n'
def blocks(times):
    for at in range(times):
        yield b"".join(line % number for number in range(at * 5000, at * 5000 + 5000))
def peak(times):
    for _ in LogFile("a", blocks(times)).records():
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
first = peak(2)
print(peak(30) - first)
"""


def test_a_file_of_any_size_takes_little_memory():
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, timeout=300, check=True)
    kilobytes = int(done.stdout) // (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 20_000


def test_our_own_visits_are_marked_as_such(json_line):
    line = json_line("New connection", target="rustbucket", protocol="HTTP", client_ip="192.0.2.7")
    [ours] = parsed(line, collectors=(ip_network("192.0.2.0/24"),))
    [theirs] = parsed(line)
    assert (ours.counted, theirs.counted) == (False, True)
    assert ours.fields == theirs.fields
