"""Framing: every byte in exactly one record, whatever the blocks, and times worth what the file vouches for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.framing.records import FramedRecord, Framer
from rustbucket_pipeline.framing.split import MAX_RECORD_BYTES
from rustbucket_pipeline.framing.times import Clock, microseconds, moment_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOON_CLOCK = Clock(
    at=microseconds(NOON),
    after_text=False,
    vouched_from=microseconds(NOON - timedelta(minutes=10)),
    vouched_until=microseconds(NOON + timedelta(hours=13)),
)


def text(moment: datetime, words: str = "Received data: ls", level: str = " INFO") -> bytes:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z {level} rustbucket::handler: {words}\n".encode()


def json_line(moment: datetime, words: str = "New connection") -> bytes:
    return (
        f'{{"timestamp":"{moment:%Y-%m-%dT%H:%M:%S.%f}Z","level":"INFO","fields":{{"message":"{words}"}}}}\n'.encode()
    )


def framed(data: bytes, block: int = 1 << 20, clock: Clock = NOON_CLOCK, *, tail: bool = True) -> list[FramedRecord]:
    framer = Framer(clock)
    records = [record for at in range(0, len(data), block) for record in framer.feed(data[at : at + block])]
    return records + framer.finish(tail=tail)


def after(**delta: float) -> datetime:
    return NOON + timedelta(**delta)


def cowrie(moment: datetime) -> bytes:
    return (
        f'{{"eventid":"cowrie.session.connect","src_port":1,"timestamp":"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"}}\n'.encode()
    )


IMPOSSIBLE = b'{"timestamp":"2026-13-45T99:00:00.1Z","level":"INFO"}\n'

heads = st.integers(-2 * 24 * 60, 2 * 24 * 60).map(lambda minutes: after(minutes=minutes))
lines = st.one_of(
    heads.map(text),
    heads.map(json_line),
    heads.map(cowrie),
    st.integers(1, 200).map(bytes),
    st.binary(max_size=80),
    st.sampled_from(
        [b"\n", b"\r\n", b"\xff\x00\n", b"2026-03-02T12:0", b'{"timestamp":"2026-13-45T99:00:00.1Z","level":"INFO"}\n']
    ),
)


@given(st.lists(lines, max_size=40).map(b"".join), st.integers(1, 200), st.booleans())
def test_records_cover_any_bytes_once_in_order_whatever_the_blocks(data: bytes, block: int, tail: bool) -> None:
    records = framed(data, block, tail=tail)
    end = 0
    for record in records:
        assert record.offset == end
        assert record.length > 0
        end += record.length
    assert data[:end] == (data if tail else data[: data.rfind(b"\n") + 1])
    assert records == framed(data, tail=tail)


@given(st.lists(lines, max_size=40).map(b"".join))
def test_event_times_lie_within_what_the_file_vouches_for(data: bytes) -> None:
    for record in framed(data):
        assert NOON_CLOCK.vouched_from <= record.ts <= NOON_CLOCK.vouched_until


@given(st.lists(lines, max_size=30).map(b"".join), st.integers(0, 2000))
def test_a_second_reader_goes_on_where_the_first_stopped(data: bytes, cut: int) -> None:
    first = Framer(NOON_CLOCK)
    records = first.feed(data[:cut]) + first.finish(tail=False)
    second = Framer(first.clock, first.offset)
    records += second.feed(data[first.offset :]) + second.finish()
    assert sum(record.length for record in records) == len(data)
    assert [record.offset for record in records] == sorted(record.offset for record in records)


def test_a_text_record_runs_to_the_next_head_and_json_to_its_newline() -> None:
    data = (
        text(after(seconds=1)) + b"second line\n\n" + text(after(seconds=2)) + json_line(after(seconds=3)) + b"stray\n"
    )
    assert [record.kind for record in framed(data)] == ["text", "text", "json", "bare"]
    assert framed(data)[0].length == len(text(NOON)) + len(b"second line\n\n")


@pytest.mark.parametrize("claimed", [after(days=-20000), after(minutes=-11), after(hours=14), after(days=2000)])
def test_a_time_its_file_cannot_vouch_for_is_clamped_to_the_record_before(claimed: datetime) -> None:
    records = framed(json_line(after(minutes=1)) + json_line(claimed) + json_line(after(minutes=2)))
    assert [moment_of(record.ts) for record in records] == [after(minutes=1), after(minutes=1), after(minutes=2)]
    assert [record.clamped for record in records] == [False, True, False]
    assert records[1].claimed == microseconds(claimed)


def test_the_first_record_is_clamped_to_the_file_s_start() -> None:
    assert moment_of(framed(json_line(after(days=-20000)))[0].ts) == NOON


def test_text_more_than_two_minutes_behind_is_clamped_json_is_not() -> None:
    behind = framed(text(after(minutes=10)) + text(after(minutes=7)))
    assert (moment_of(behind[1].ts), behind[1].clamped) == (after(minutes=10), True)
    near = framed(text(after(minutes=10)) + text(after(minutes=8, seconds=1)))
    assert (moment_of(near[1].ts), near[1].clamped) == (after(minutes=8, seconds=1), False)
    json = framed(json_line(after(minutes=10)) + json_line(after(minutes=7)))
    assert (moment_of(json[1].ts), json[1].clamped) == (after(minutes=7), False)


def test_a_json_looking_line_inside_text_is_judged_as_text() -> None:
    records = framed(text(after(minutes=10)) + json_line(after(minutes=2)))
    assert records[1].clamped


def test_one_forged_head_of_tonight_does_not_drag_the_day_with_it() -> None:
    honest = [text(after(seconds=n)) for n in range(300)]
    records = framed(b"".join(honest[:100]) + text(after(hours=9), "forged") + b"".join(honest[100:]))
    assert [record.clamped for record in records].index(True) == 100
    assert sum(record.clamped for record in records) == 1


def test_a_real_gap_is_believed() -> None:
    records = framed(text(after(minutes=1)) + text(after(hours=5)) + text(after(hours=5, seconds=1)))
    assert not any(record.clamped for record in records)


def test_an_impossible_date_is_no_time_at_all() -> None:
    records = framed(json_line(NOON) + b'{"timestamp":"2026-02-30T12:00:00.000001Z","level":"INFO"}\n')
    assert (records[1].claimed, records[1].ts, records[1].clamped) == (None, microseconds(NOON), True)


def test_a_line_without_end_is_cut_and_never_begins_a_new_record_in_its_middle() -> None:
    data = b"x" * MAX_RECORD_BYTES + text(after(minutes=1)) + text(after(minutes=2))
    records = framed(data, 1 << 16)
    assert [record.kind for record in records] == ["bare", "bare", "text"]
    assert records[0].length == MAX_RECORD_BYTES


def test_a_time_is_found_wherever_it_stands_in_an_object() -> None:
    then = after(seconds=1)
    for line in (
        cowrie(then),
        b'{"username": "\\"timestamp\\": \\"2026-03-02T12:59:59Z\\"", "timestamp": "2026-03-02T12:00:01.000000Z"}\n',
        b'{"eventid": "cowrie.login.failed", "timestamp": "2026-03-02T12:00:01"}\n',
        b'\xef\xbb\xbf{"eventid":"cowrie.log.closed","timestamp":"2026-03-02T12:00:01Z"}\n',
    ):
        (record,) = framed(line)
        assert (record.kind, record.ts, record.clamped) == ("json", microseconds(then), False)


def test_what_a_crash_left_before_a_head_hides_no_head() -> None:
    for damage in (b"\xef\xbb\xbf", b"\0", b"\0" * 5000):
        data = text(after(seconds=1)) + damage + text(after(seconds=2)) + damage + json_line(after(seconds=3))
        for block in (7, 1 << 20):
            kinds = [(record.kind, record.claimed) for record in framed(data, block)]
            claims = [microseconds(after(seconds=second)) for second in (1, 2, 3)]
            assert kinds == list(zip(("text", "text", "json"), claims, strict=True))
