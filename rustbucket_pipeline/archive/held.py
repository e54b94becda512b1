"""What the archive holds of a log: its segments as one run of bytes, read back and verified. Rows and objects only."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import zstandard

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.storage.objects import Archive

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Link:
    """A segment as part of its log: bytes `[byte_start, byte_end)`, their hash, and where they are stored."""

    byte_start: int
    byte_end: int
    sha256: str
    object_key: str


@dataclass(frozen=True, slots=True)
class Log:
    """A chain of segments from byte 0 on. `clock_at` and `after_text` are what is known of time at its end, `chain`
    the hash of its last link.
    """

    id: int
    links: Sequence[Link]
    clock_at: datetime
    after_text: bool
    chain: str

    @property
    def tip(self) -> int:
        """How many bytes it has."""
        return self.links[-1].byte_end if self.links else 0


def link_bytes(archive: Archive, link: Link) -> bytes:
    """A segment's bytes; never more memory than they take. Raises `IntegrityError` if the archive holds others."""
    length, held = link.byte_end - link.byte_start, bytearray()
    try:
        with zstandard.ZstdDecompressor().stream_reader(archive.get(link.object_key)) as reader:
            while len(held) <= length and (block := reader.read(_BLOCK)):
                held += block
    except zstandard.ZstdError as error:
        raise _broken(link, f"can't be decompressed ({error})") from error
    if len(held) != length or sha256(held).hexdigest() != link.sha256:
        raise _broken(link, "holds other bytes than were archived")
    return bytes(held)


def log_bytes(archive: Archive, links: Iterable[Link], length: int) -> Iterator[bytes]:
    """The first `length` bytes of a log. Raises `IntegrityError` if the archive doesn't hold them as they were."""
    for link in links:
        if link.byte_start >= length:
            return
        yield link_bytes(archive, link)[: length - link.byte_start]


def _broken(link: Link, what: str) -> IntegrityError:
    return IntegrityError(
        f"{link.object_key} {what}; delete it, and materialize log_archives for its window while the source has it"
    )
