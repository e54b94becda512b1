"""Packed files: the log in them comes out as it was, and whatever was packed, no memory and no time is lost on it."""

import gzip
import random
import tracemalloc
from collections.abc import Iterator

import pytest
import zstandard

from rustbucket_pipeline.archive.decode import Content, from_offset

LOG = b"".join(b"line %d %d\n" % (n, n * n) for n in range(50_000))
NOISE = random.Random(4).randbytes(3_000_000)


def blocks(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def unpacked(data: bytes, size: int = 100_000) -> tuple[bytes, Content]:
    content = Content(blocks(data, size))
    return b"".join(content), content


@pytest.mark.parametrize("size", [1, 7, 100_000, 1 << 22])
@pytest.mark.parametrize(
    "packed",
    [
        LOG,
        gzip.compress(LOG),
        zstandard.compress(LOG),
        gzip.compress(LOG[:7]) + gzip.compress(b"") + gzip.compress(LOG[7:]) + bytes(512),
        zstandard.compress(LOG[:7]) + zstandard.compress(LOG[7:]),
        zstandard.ZstdCompressor(write_content_size=False).compress(LOG),
    ],
    ids=["plain", "gzip", "zstd", "members", "frames", "sizeless"],
)
def test_the_log_comes_out_as_it_was(packed: bytes, size: int) -> None:
    data, content = unpacked(packed, size)
    assert data == LOG
    assert content.length == len(data)
    assert not content.broken


def test_a_file_that_only_looks_packed_is_taken_as_it_is() -> None:
    for looks in (
        b"\x1f\x8b",
        b"\x1f\x8b" + LOG,
        b"\x28\xb5\x2f\xfd" + LOG,
        b"\x1f\x8b" + NOISE,
        b"\x28\xb5\x2f\xfd" + NOISE,
    ):
        for size in (1000, 100_000):
            data, content = unpacked(looks, size)
            assert data == looks
            assert not content.broken


def test_what_comes_before_damage_is_taken_and_the_damage_named() -> None:
    cut, damaged = gzip.compress(LOG)[:-5000], bytearray(gzip.compress(LOG))
    damaged[len(damaged) // 2 :] = NOISE[: len(damaged) // 2]
    for packed in (cut, bytes(damaged), gzip.compress(LOG) + b"garbage"):
        data, content = unpacked(packed)
        assert data[: len(LOG) // 4] == LOG[: len(LOG) // 4]
        assert "damaged" in content.broken


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_bomb_ends_where_no_log_would_have_gone(pack) -> None:
    bomb = pack(bytes(500_000_000))
    tracemalloc.start()
    content = Content(blocks(bomb))
    taken = sum(len(block) for block in content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "no log does" in content.broken
    assert taken < 150_000_000
    assert peak < 20_000_000


def test_an_offset_leaves_out_what_is_before_it() -> None:
    for offset in (0, 1, 99_999, 100_000, 250_001, len(LOG), len(LOG) + 5):
        assert b"".join(from_offset(blocks(LOG), offset)) == LOG[offset:]
