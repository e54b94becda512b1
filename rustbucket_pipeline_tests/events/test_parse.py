"""Any bytes whatever: rows and entries cover them exactly once, in order, without an error."""

import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustbucket_pipeline.events.parse import ENTRIES_PER_LOG, EXCERPT_BYTES, QuarantineRow
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.framing.times import moment_of
from rustbucket_pipeline_tests.events.reading import OFFSET, START, parsed

HEADS = (
    b'{"timestamp":"2026-03-02T00:00:01.000000Z","level":"INFO","fields":{"message":"m","a":"',
    b'{"timestamp":"1970-01-01T00:00:00.0Z","level":"WARN","fields":{"message":"New connection","client_ip":',
    b'2026-03-02T00:00:02.000000Z  INFO rustbucket: New connection event_type="connection" protocol="',
    b"2026-03-02T00:00:03.000000Z ERROR rustbucket::handler: Received data: ",
    b'2026-03-02T00:00:03.5Z  INFO rustbucket::protocols::ftp: FTP PASS: x (username: Some("',
    b"9999-99-99T99:99:99.999999Z  INFO ",
    b'"},"target":"rustbucket"}\n',
    b"\n",
    b"\r\n",
    b"\0\0\0",
    b"\\u0000\\ud800",
    b"\xef\xbb\xbf\xff",
    b"Authorization: Token abc",
    b'{"eventid":"cowrie.login.success","timestamp":"2026-03-02T00:00:04.000000Z","input":"',
    b'{"eventid":"cowrie.log.closed","timestamp":"2026-03-02T00:00:04.000000Z"}',
    b'{"timestamp":"2026-03-02T00:00:05.000000Z","level":"INFO","fields":{"message":"m"},"target":"x"}',
    b' password=x auth_method="password"\n',
    b"2026-03-02T00:00:06.000000Z  INFO rustbucket: Tracing initialized\n",
    b'2026-03-02T00:00:06.000000Z  INFO rustbucket::protocols::ssh_shell: LLM escalation event_type="llm" command=',
    b"2026-03-02T00:00:07.000000Z  INFO rustbucket::protocols: FTP command received: PASS x",
)
PIECES = st.lists(st.one_of(st.sampled_from(HEADS), st.binary(max_size=40)), max_size=30).map(b"".join)


@given(st.one_of(PIECES, st.binary(max_size=2000)).filter(bool))
@settings(max_examples=400)
def test_every_byte_ends_in_exactly_one_row_or_entry(data):
    found, tally = parsed(data)
    at = OFFSET
    for row in found:
        assert row.byte_offset == at
        assert row.byte_length > 0
        at += row.byte_length
        assert START <= moment_of(row.event_ts) < START + timedelta(minutes=30)
        if isinstance(row, QuarantineRow):
            assert len(row.excerpt) <= EXCERPT_BYTES
        else:
            assert "\0" not in "".join(str(value) for value in row)
            "".join(str(value) for value in row).encode("utf-8")
    assert at == OFFSET + len(data)
    assert tally.agrees


def test_equal_records_are_different_events_with_ids_that_stay(json_line):
    once, _ = parsed(json_line())
    twice, _ = parsed(json_line() * 2)
    ids = [row.event_id for row in twice]
    assert len(set(ids)) == 2
    assert ids[0] == once[0].event_id


def test_a_claim_of_1970_takes_the_time_before_it_and_is_kept(json_line):
    odd = json_line(at="00:00:05.000000").replace(b"2026-03-02", b"1970-01-01")
    rows, _ = parsed(json_line(at="00:00:04.000000") + odd)
    assert moment_of(rows[1].event_ts) == START + timedelta(seconds=4)
    assert rows[1].clamped
    assert rows[1].claimed_ts == 5_000_000


def test_bare_lines_belong_to_the_text_record_before_them():
    data = b"2026-03-02T00:00:03.000000Z  INFO rustbucket::handler: Received data: a\n\nb\r\nc\n"
    (row,), _ = parsed(data)
    assert row.command == "a\n\nb\r\nc"


def test_a_line_without_end_is_one_range_and_what_follows_is_parsed(json_line):
    data = json_line() + b"x" * 30_000_000 + b"\n" + json_line(at="00:00:09.000000")
    found, tally = parsed(data)
    assert isinstance(found[0], EventRow)
    assert isinstance(found[-1], EventRow)
    assert all(isinstance(row, QuarantineRow) for row in found[1:-1])
    assert tally.quarantined_bytes == 30_000_001


def test_a_file_of_garbage_stays_small(json_line):
    found, tally = parsed(b"garbage\n" * 100_000 + json_line())
    entries = [row for row in found if isinstance(row, QuarantineRow)]
    assert len(entries) == ENTRIES_PER_LOG + 1
    assert tally.quarantined == len(entries)
    assert tally.quarantined_bytes == 800_000
    assert isinstance(found[-1], EventRow)


def test_our_secrets_do_not_stand_in_excerpts():
    (entry,), _ = parsed(b"cut authorization: token s3cr3t-value\n")
    assert b"s3cr3t" not in entry.excerpt
    assert b"[redacted]" in entry.excerpt


def seconds(data: bytes) -> float:
    begun = time.process_time()
    parsed(data)
    return time.process_time() - begun


@pytest.mark.parametrize("piece", [*HEADS, HEADS[0] + HEADS[-2], HEADS[-1] + b"\n" + HEADS[1], b"{", b'"', b"\\"])
def test_eight_times_the_bytes_take_some_eight_times_as_long(piece):
    """Whatever they hold, on one line or on many; a quadratic step would take sixty-four times as long."""
    for unit in (piece, piece + b"\n"):
        once = unit * (8_000 // len(unit))
        shortest = min(seconds(once) for _ in range(3))
        assert min(seconds(once * 8) for _ in range(2)) < 8 * 4 * shortest + 0.2, unit
