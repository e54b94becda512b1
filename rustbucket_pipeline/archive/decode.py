"""A file's bytes → the log in them: gzip and zstd are recognised by their first bytes and unpacked as they stream.

Bounded whatever was packed: where content is damaged, or unpacks to more than a log can, it ends there, and says why.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import zstandard

from rustbucket_pipeline.archive.sources.base import BLOCK_BYTES

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAGIC_GZIP = b"\x1f\x8b"
MAGIC_ZSTD = b"\x28\xb5\x2f\xfd"

MOST_BYTES = 8 * 1024**3
"""Unpacked bytes of one file; a busy rustbucket writes 2 GB a day."""

MOST_RATIO = 200
"""Unpacked bytes for each packed one, beyond the first MB: attacks repeat themselves, logs shrink up to fiftyfold."""

FREE_BYTES = 1024**2
MOST_REMEMBERED = 1024**2
"""Bytes within which a file that only looks packed gives itself away; it is taken as it is then."""

LARGEST_ZSTD_WINDOW = 32 * 1024**2
"""What unpacking zstd may hold; its own levels up to 19 ask for 8 MiB."""

_DAMAGED = (EOFError, OSError, zlib.error, zstandard.ZstdError)


class Reader(Protocol):
    """Hands out unpacked bytes."""

    def read1(self, size: int, /) -> bytes:
        """What comes next, at most that many; none: the end. What came before damage is handed out first."""
        ...


class Content(Iterator[bytes]):
    """The log's bytes, in blocks. `length` counts them; `broken` says why they ended before the file's end did.

    `packed`: the file began as compressed ones do.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        """`blocks` are the file's, from its beginning."""
        self.length = 0
        self.broken = ""
        self._packed = _Packed(blocks)
        self.packed = self._packed.first.startswith((MAGIC_GZIP, MAGIC_ZSTD))
        self._blocks = self._unpacked()

    def __next__(self) -> bytes:
        block = next(self._blocks)
        self.length += len(block)
        return block

    def _unpacked(self) -> Iterator[bytes]:
        reader = _reader_of(self._packed)
        if reader is None:
            yield from self._packed.as_it_is()
            return
        while block := self._read(reader):
            self._packed.remembers = False
            yield block
        if self.broken and self._packed.remembers:
            self.broken = ""  # it only looked packed
            yield from self._packed.as_it_is()

    def _read(self, reader: Reader) -> bytes:
        try:
            block = reader.read1(BLOCK_BYTES)
        except _DAMAGED as error:
            self.broken = f"its compressed content is damaged ({type(error).__name__}); upload it again"
            return b""
        total = self.length + len(block)
        if total > MOST_BYTES or total > FREE_BYTES + MOST_RATIO * self._packed.taken:
            self.broken = f"it unpacks to over {total} bytes from {self._packed.taken}: no log does"
            return b""
        return block


class _Packed(io.RawIOBase):
    """The file's blocks as a stream; it remembers what was taken of them until that proved to be packed."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held = b""
        while len(self._held) < len(MAGIC_ZSTD) and (block := next(blocks, b"")):
            self._held += block
        self.first = self._held[: len(MAGIC_ZSTD)]
        self.taken = 0
        self.remembers = True
        self._memory: list[bytes] = []

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer", /) -> int:
        room = memoryview(buffer)
        if not self._held:
            self._held = next(self._blocks, b"")
        block, self._held = self._held[: len(room)], self._held[len(room) :]
        room[: len(block)] = block
        self.taken += len(block)
        self._remember(block)
        return len(block)

    def as_it_is(self) -> Iterator[bytes]:
        """Everything, as long as it remembers."""
        yield from self._memory
        if self._held:
            yield self._held
        yield from self._blocks

    def _remember(self, block: bytes) -> None:
        self.remembers = self.remembers and self.taken <= MOST_REMEMBERED
        if self.remembers:
            self._memory.append(block)
        else:
            self._memory.clear()


def _reader_of(packed: _Packed) -> Reader | None:
    if packed.first.startswith(MAGIC_GZIP):
        return gzip.GzipFile(fileobj=io.BufferedReader(packed), mode="rb")
    if packed.first.startswith(MAGIC_ZSTD):
        unpacker = zstandard.ZstdDecompressor(max_window_size=LARGEST_ZSTD_WINDOW)
        return unpacker.stream_reader(io.BufferedReader(packed), read_across_frames=True)
    return None


def from_offset(blocks: Iterator[bytes], offset: int) -> Iterator[bytes]:
    """The same blocks without their first `offset` bytes."""
    for block in blocks:
        if offset < len(block):
            yield block[offset:] if offset else block
        offset = max(0, offset - len(block))
