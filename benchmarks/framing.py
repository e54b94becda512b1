"""Framing and cutting, against compressing the same bytes fast and against splitting them into lines."""

import zstandard

from benchmarks.measure import Comparison, seconds_of
from rustbucket_pipeline.archive.cut import Cutter
from rustbucket_pipeline.archive.sources.base import BLOCK_BYTES
from rustbucket_pipeline.framing.times import Clock

TIMES = 3


def compare_framing(log: bytes) -> list[Comparison]:
    """One log, fed in the blocks a pull reads."""
    blocks = [log[at : at + BLOCK_BYTES] for at in range(0, len(log), BLOCK_BYTES)]
    ours = seconds_of(lambda: _cut(blocks), TIMES)
    return [
        Comparison("framing and cutting", "zstd -1", len(log), ours, seconds_of(lambda: _compress(blocks), TIMES)),
        Comparison("framing and cutting", "lines split", len(log), ours, seconds_of(lambda: _split(blocks), TIMES)),
    ]


def _cut(blocks: list[bytes]) -> int:
    cutter = Cutter(Clock(0, after_text=False, vouched_from=0, vouched_until=1 << 62), 0)
    pieces = [piece for block in blocks for piece in cutter.feed(block)]
    return len([*pieces, *cutter.finish(tail=True)])


def _compress(blocks: list[bytes]) -> int:
    compressor = zstandard.ZstdCompressor(level=1).compressobj()
    return sum(len(compressor.compress(block)) for block in blocks) + len(compressor.flush())


def _split(blocks: list[bytes]) -> int:
    return sum(len(block.split(b"\n")) for block in blocks)
