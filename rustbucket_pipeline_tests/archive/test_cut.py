"""Cutting: the quick way for JSON lines and the careful one give the same pieces, whatever the bytes and blocks."""

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.archive.cut import PIECE_BYTES, Cutter, Piece
from rustbucket_pipeline.framing.records import Framer
from rustbucket_pipeline.framing.times import Clock, microseconds
from rustbucket_pipeline_tests.archive.fleet_on_disk import json_line

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
CLOCK = Clock(microseconds(NINE), False, microseconds(NINE - timedelta(minutes=10)), microseconds(NINE) + 10**10)

honest = st.integers(-30, 200).map(lambda minutes: json_line(NINE + timedelta(minutes=minutes), "x" * (minutes % 7)))
odd = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"\n",
            b'{"timestamp":"2026-03-02T09:00:61.000000Z","level":"INFO","fields":{"message":"no such second"}}\n',
            b'{"timestamp":"2026-13-02T09:00:00.000000Z","level":"INFO","fields":{"message":"no such month"}}\n',
            b'{"timestamp":"2026-03-02T09:00:00.00000/Z","level":"INFO","fields":{"message":"no such digit"}}\n',
            b'{"timestamp":"2026-03-02T09:00:00.00000:Z","level":"INFO","fields":{"message":"no such digit"}}\n',
            b'{"timestamp":"2026-03-02T09:00:0?.000000Z","level":"INFO","fields":{"message":"no such digit"}}\n',
            b'{"timestamp":"2026-03-02T09:00:00.000000Z","level":"INFO ","fields":{"message":"no such level"}}\n',
            b'{"timestamp":"2026-03-02T09:00:00.1Z","level":"ERROR","fields":{"message":"a short fraction"}}\n',
            b"2026-03-02T09:10:00.000000Z  INFO rustbucket: text\n",
        ]
    ),
)


@st.composite
def altered(draw: st.DrawFn) -> bytes:
    """An honest line of which one byte of the head is another."""
    line = bytearray(draw(honest))
    line[draw(st.integers(0, 63))] = draw(st.integers(0, 255))
    return bytes(line)


logs = st.lists(st.one_of(honest, honest, honest, altered(), odd), max_size=40).map(b"".join)

borders = st.sampled_from(
    ["09:29:59.999999", "09:30:00.000000", "10:59:09.123456", "10:59:10.000009", "23:59:59.999999"]
)
stamps = st.one_of(
    borders.map("2026-03-02T{}Z".format),
    st.sampled_from(["2026-03-03T00:00:00.000000Z", "2026-03-02T09:00:60.000000Z", "2026-03-02T09:00:60.999999Z"]),
    st.integers(0, 3 * 60 * 10**6).map(lambda us: f"{NINE + timedelta(microseconds=us):%Y-%m-%dT%H:%M:%S.%fZ}"),
)
levels = st.sampled_from(["INFO", "INFO", "INFO", "WARN", "TRACE", "DEBUG", "ERROR"])
close = st.builds('{{"timestamp":"{}","level":"{}","fields":{{"message":"ls"}}}}\n'.format, stamps, levels).map(
    str.encode
)
close_logs = st.lists(close, min_size=1, max_size=40).map(b"".join)
"""Lines that differ from the ones before in little."""


def pieces(cutter: Cutter, data: bytes, block: int, *, tail: bool) -> tuple[list[Piece], int, Clock]:
    found = [piece for at in range(0, len(data), block) for piece in cutter.feed(data[at : at + block])]
    found += cutter.finish(tail=tail)
    return found, cutter.offset, cutter.clock


class CarefulCutter(Cutter):
    """A cutter that tells record by record, always."""

    def feed(self, block: bytes):
        self._held.append(block)
        return self._cut(self._framer.feed(block))


@given(logs, st.integers(1, 400), st.booleans())
def test_the_quick_way_gives_what_the_careful_one_gives(data: bytes, block: int, tail: bool) -> None:
    quick = pieces(Cutter(CLOCK, 0), data, block, tail=tail)
    assert quick == pieces(CarefulCutter(CLOCK, 0), data, block, tail=tail)
    assert b"".join(piece.data for piece in quick[0]) == data[: quick[1]]


@given(close_logs, st.sampled_from([64, 300, 1000, 1 << 20]))
def test_lines_that_differ_in_little_are_told_apart(data: bytes, block: int) -> None:
    assert pieces(Cutter(CLOCK, 0), data, block, tail=True) == pieces(CarefulCutter(CLOCK, 0), data, block, tail=True)


@pytest.mark.parametrize("level", ["INFO", "ERROR"])
def test_one_damaged_byte_behind_honest_lines_is_seen(level: str) -> None:
    line = f'{{"timestamp":"2026-03-02T09:10:15.654321Z","level":"{level}","fields":{{"message":"ls"}}}}\n'.encode()
    for at, byte in itertools.product(range(64), b'/09:. "Z'):
        data = line * 3 + line[:at] + bytes([byte]) + line[at + 1 :] + line * 3
        found = pieces(Cutter(CLOCK, 0), data, len(data), tail=True)
        assert found == pieces(CarefulCutter(CLOCK, 0), data, len(data), tail=True), (at, byte)
        same = byte == line[at] or at > line.index(b'","fields')
        assert same or chr(line[at]).isdigit() or Framer(CLOCK).feed_lines(data) is None, (at, byte)


def test_honest_lines_go_the_quick_way_wherever_blocks_end() -> None:
    framer = Framer(CLOCK)
    moments = [NINE + timedelta(milliseconds=37 * number) for number in range(5000)]
    lines = [json_line(moment, "x" * (number % 50)) for number, moment in enumerate(moments)]
    data = b"".join(lines)
    told = [framer.feed_lines(data[at : at + 10_001]) for at in range(0, len(data), 10_001)]
    assert [ts for some in told if some for ts in some.ts.tolist()] == [microseconds(moment) for moment in moments]
    assert [int(end) for some in told if some for end in np.diff(some.ends, prepend=0)] == [len(line) for line in lines]
    assert framer.offset == len(data)


@given(logs, st.integers(1, 400))
def test_every_piece_holds_one_half_hour_and_they_follow_each_other(data: bytes, block: int) -> None:
    found, end, _ = pieces(Cutter(CLOCK, 0), data, block, tail=True)
    assert end == len(data)
    for piece in found:
        assert piece.window <= piece.first <= piece.last < piece.window + 30 * 60 * 10**6
    starts = [piece.start for piece in found]
    assert starts == [sum(len(piece.data) for piece in found[:index]) for index in range(len(found))]


def test_a_long_piece_ends_at_the_same_head_either_way() -> None:
    line = json_line(NINE, "x" * 1000)
    data = line * (2 * PIECE_BYTES // len(line) + 50)
    quick = pieces(Cutter(CLOCK, 0), data, 1 << 18, tail=True)
    assert quick == pieces(CarefulCutter(CLOCK, 0), data, 1 << 18, tail=True)
    assert len(quick[0]) == 3
