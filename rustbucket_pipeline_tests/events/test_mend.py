"""Damaged lines: every record that can still be read is a row with its own bytes; only the rest is given up."""

import json

import pytest

from rustbucket_pipeline.events.parse import QuarantineRow
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline_tests.events.reading import OFFSET, START, fields_of, parsed

TRACING = b"2026-03-02T00:00:09.000000Z  INFO rustbucket: Tracing initialized\n"
COWRIE = b'{"eventid": "cowrie.command.input", "input": "id", "timestamp": "2026-03-02T00:00:08.000000Z"}'


def ranges(data: bytes) -> list[tuple[bytes, str | None]]:
    """Each range's bytes, and why they are quarantined if they are."""
    found, _ = parsed(data)
    at = OFFSET
    told: list[tuple[bytes, str | None]] = []
    for row in found:
        assert row.byte_offset == at
        at += row.byte_length
        own = data[row.byte_offset - OFFSET : at - OFFSET]
        told.append((own, row.reason if isinstance(row, QuarantineRow) else None))
    return told


@pytest.fixture
def one(json_line) -> bytes:
    return json_line(command="one", at="00:00:01.000000").rstrip(b"\n")


@pytest.fixture
def two(json_line) -> bytes:
    return json_line(command="two", at="00:00:02.000000")


def test_two_records_on_one_line_are_two_rows(one, two):
    assert ranges(one + two) == [(one, None), (two, None)]
    assert ranges(COWRIE + COWRIE + b"\n") == [(COWRIE, None), (COWRIE + b"\n", None)]


def test_a_record_behind_half_of_one_is_read_at_its_own_time(one, two):
    for cut in (40, 60, 95, len(one) - 1):
        half = one[:cut]
        assert ranges(half + two) == [(half, "JSON that is cut, glued or damaged"), (two, None)]
        found, _ = parsed(half + two)
        assert isinstance(found[1], EventRow)
        assert found[1].event_ts % 60_000_000 == 2_000_000
        assert not found[1].clamped


@pytest.mark.parametrize("count", [1, 3, 5000])
def test_nuls_before_and_behind_a_record_take_nothing_with_them(one, two, count):
    nuls = b"\0" * count
    lost = "a block of NULs, as a crash leaves it"
    assert ranges(nuls + one + b"\n" + two) == [(nuls, lost), (one + b"\n", None), (two, None)]
    assert ranges(one + nuls + b"\n" + two) == [(one, None), (nuls + b"\n", lost), (two, None)]
    assert ranges(nuls + b"\n" + two) == [(nuls + b"\n", lost), (two, None)]
    assert ranges(TRACING + nuls + TRACING) == [(TRACING, None), (nuls, lost), (TRACING, None)]


def test_nuls_inside_a_record_cost_that_record_only(one, two):
    broken = one[:70] + b"\0" * 100 + one[100:] + b"\n"
    assert ranges(broken + two) == [(broken, "JSON that is cut, glued or damaged"), (two, None)]


def test_a_byte_order_mark_belongs_to_the_first_record(one, two):
    assert ranges(b"\xef\xbb\xbf" + one + b"\n" + two) == [(b"\xef\xbb\xbf" + one + b"\n", None), (two, None)]
    assert ranges(b"\xef\xbb\xbf" + TRACING) == [(b"\xef\xbb\xbf" + TRACING, None)]


def test_carriage_returns_belong_to_their_records(one, two):
    assert ranges(one + b"\r\n" + two) == [(one + b"\r\n", None), (two, None)]
    (row,), _ = parsed(TRACING.replace(b"\n", b"\r\n"))
    assert isinstance(row, EventRow)
    assert (row.message, row.event_type) == ("Tracing initialized", "operational")


def test_utf_16_is_named_and_what_is_behind_its_mark_is_read(one, two):
    lost = "UTF-16, where UTF-8 belongs"
    assert ranges(b"\xff\xfe" + one + b"\n" + two) == [(b"\xff\xfe", lost), (one + b"\n", None), (two, None)]
    wide = "Tracing initialized".encode("utf-16") + b"\n"
    assert ranges(wide + two) == [(wide, lost), (two, None)]


def test_a_text_record_behind_half_a_json_line_is_a_row(one):
    half = one[: one.index(b'"command"')]
    assert ranges(half + TRACING) == [(half, "JSON that is cut, glued or damaged"), (TRACING, None)]
    (_, row), _ = parsed(half + TRACING)
    assert isinstance(row, EventRow)
    assert (row.event_type, row.trust) == ("operational", 1.0)


def test_what_an_attacker_may_have_typed_is_no_true_record_of_a_damaged_line(json_line):
    line = json_line(command=f"x {TRACING.decode().rstrip()}")
    cut = line[: line.index(b"initialized") + len(b"initialized")] + b"\n"
    row = parsed(json_line() + cut)[0][-1]
    assert isinstance(row, EventRow)
    assert (row.event_type, fields_of(row)["_doubts"]) == ("forgery", ["other dialect"])


def test_a_head_inside_a_whole_object_is_text_however_damaged_the_line(json_line):
    line = json_line(command=f"x\n{TRACING.decode()}").rstrip(b"\n")
    assert ranges(line + b"\0\0\n") == [(line, None), (b"\0\0\n", "a block of NULs, as a crash leaves it")]


@pytest.mark.parametrize("glued", [TRACING, COWRIE + b"\n"])
def test_a_record_behind_half_a_text_line_is_a_row(glued):
    half = b"2026-03-02T00:00:03.000000Z  INFO rustbucket::handler: Recei"
    assert ranges(half + glued) == [(half, None), (glued, None)]
    first, second = parsed(half + glued)[0]
    assert isinstance(first, EventRow)
    assert isinstance(second, EventRow)
    assert (first.event_type, second.event_type != "unknown") == ("unknown", True)
    assert second.trust < 1.0


def test_half_of_a_record_with_fields_says_what_it_says():
    half = (
        b"2026-03-02T00:00:03.000000Z  INFO rustbucket::protocols::ssh: Authentication attempt "
        b'event_type="auth" protocol="SSH" client_ip=192.0.2.1:5 username=root pass'
    )
    for end in (b"", TRACING):
        row = parsed(half + end)[0][0]
        assert isinstance(row, EventRow)
        assert (row.src_ip, row.src_port, row.username) == ("192.0.2.1", 5, "root pass")
        assert fields_of(row)["_flags"] == ["unfinished"]


def test_text_in_sixteen_kilobytes_of_garbage_is_found(two):
    garbage = b"\x80\xff{" * 5461
    assert ranges(garbage + two) == [(garbage, "bytes that begin no record"), (two, None)]


def test_a_record_of_another_half_hour_keeps_its_claim(json_line, one):
    late = json_line(at="00:45:00.000000")
    _, row = parsed(one[:60] + late)[0]
    assert isinstance(row, EventRow)
    assert row.clamped
    assert row.claimed_ts is not None
    assert row.claimed_ts - row.event_ts > 40 * 60 * 1_000_000
    assert json.loads(late)["timestamp"].startswith(f"{START:%Y-%m-%d}")


@pytest.mark.parametrize("end", range(1, 33))
def test_the_beginning_of_a_head_hides_no_head(end):
    begun = TRACING[:end]
    found = ranges(TRACING + begun + TRACING)
    assert found == [(TRACING, None), (begun, "bytes that begin no record"), (TRACING, None)]


def test_a_cut_record_casts_no_doubt_on_those_that_follow_a_while_later(json_line):
    head = "2026-03-02T00:00:0{}.000000Z  INFO rustbucket::protocols"
    login = f'{head.format(3)}::ssh: Authentication attempt event_type="auth" client_ip=192.0.2.1:5 username=ro\n'
    after = [f"{head.format(5)}: FTP command received: NOOP {number}\n" for number in range(400)]
    found, _ = parsed("".join([login, *after]).encode())
    kinds = [row.event_type for row in found if isinstance(row, EventRow)]
    assert kinds.count("command") > 250
    assert kinds[-1] == "command"
