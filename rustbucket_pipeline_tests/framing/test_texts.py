"""Text told by the block gives the records that the exact way gives, whatever stands between its heads."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.framing.records import FramedRecord, Framer
from rustbucket_pipeline.framing.texts import TextRecords
from rustbucket_pipeline_tests.framing.test_records import NOON, NOON_CLOCK, framed, json_line, text

calm = st.integers(0, 200).map(lambda second: text(NOON + timedelta(seconds=second)))
levels = st.sampled_from([" INFO", " WARN", "ERROR", "DEBUG", "TRACE"]).map(lambda level: text(NOON, level=level))
odd = st.one_of(
    st.integers(-2000, 2000).map(lambda minutes: text(NOON + timedelta(minutes=minutes))),
    st.just(json_line(NOON)),
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"\n",
            b"220 mail ready\n",
            b"2026-03-02 12:00\n",
            b"2026-03-02T12:00:00.5Z  INFO short: fraction\n",
            b"2026-03-02T12:00:00.123456Z INFO one: blank\n",
            b"2026-03-02T12:00:00.123456Z  ERROR two: blanks\n",
            b"2026-03-02T12:00:61.123456Z  INFO no: second\n",
            b"2026-02-30T12:00:00.123456Z  INFO no: day\n",
            b"2026-03-02T12:00:00.12345:Z  INFO no: digit\n",
            b"2026-03-02T12:00:00.123456Z  INFO \n",
            b"2026-03-02T12:00:00.123456Z  INFO x\n",
            b'{"eventid":"cowrie.x"}\n',
            b"\xef\xbb\xbf" + text(NOON),
            b"\0\0" + text(NOON),
            b"\xff\xfe" + text(NOON),
            b"2026-03-02T12:0" + text(NOON),
        ]
    ),
)
logs = st.lists(st.one_of(calm, calm, calm, levels, odd), max_size=30).map(b"".join)


def told(data: bytes, block: int) -> list[FramedRecord]:
    framer, records = Framer(NOON_CLOCK), list[FramedRecord]()
    for at in range(0, len(data), block):
        start = framer.offset
        for some in framer.feed_text(data[at : at + block]):
            records += spelled(some, start) if isinstance(some, TextRecords) else some
            start = framer.offset
    start = framer.offset
    last = framer.finish_text()
    return records + (spelled(last, start) if last else []) + framer.finish()


def spelled(found: TextRecords, start: int) -> list[FramedRecord]:
    ends = found.ends.tolist()
    columns = zip([0, *ends], ends, found.claimed.tolist(), found.ts.tolist(), found.clamped.tolist(), strict=False)
    return [FramedRecord(start + at, end - at, "text", claim, ts, clamped) for at, end, claim, ts, clamped in columns]


@given(logs, st.sampled_from([50, 400, 10_000]))
def test_text_told_by_the_block_is_the_same(data, block):
    assert told(data, block) == framed(data)


@given(st.lists(st.sampled_from([0, 1, 1, 30, -100, 150, 4000, -4000]), max_size=400))
def test_times_are_worth_the_same(steps):
    at, data = NOON, b""
    for step in steps:
        at = NOON + timedelta(seconds=step * 10) if step in {4000, -4000} else at + timedelta(seconds=step)
        data += text(at)
    assert told(data, 1 << 20) == framed(data)


def test_all_is_told_at_once_but_what_is_odd_and_the_last():
    record = text(NOON, "Received data: a\r\nb")
    odd = b"2026-03-02T12:00:00.5Z  INFO short: fraction\n"
    framer = Framer(NOON_CLOCK)
    before, single, after = framer.feed_text(record * 100 + odd + record * 100)
    last = framer.finish_text()
    assert isinstance(before, TextRecords)
    assert isinstance(after, TextRecords)
    assert isinstance(single, list)
    assert last is not None
    assert len(before.ends) == 99
    assert len(after.ends) + len(last.ends) + len(single) + len(framer.finish()) == 102
    assert len(single) < 10


@given(st.integers(0, 60))
def test_a_last_record_may_end_right_behind_its_head_or_anywhere_in_it(length):
    data = text(NOON) * 3 + text(NOON)[:length]
    assert told(data, 10_000) == framed(data)
