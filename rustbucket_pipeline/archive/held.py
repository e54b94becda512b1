"""What the archive holds of a log: its segments as one run of bytes, read back and verified. Rows and objects only."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rustbucket_pipeline.archive.cat import content
from rustbucket_pipeline.storage.objects import Archive


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
    """A segment's bytes. Raises `IntegrityError` if the archive doesn't hold them as they were."""
    return content(archive, link.object_key, link.sha256, link.byte_end - link.byte_start)


def log_bytes(archive: Archive, links: Iterable[Link], length: int) -> Iterator[bytes]:
    """The first `length` bytes of a log. Raises `IntegrityError` if the archive doesn't hold them as they were."""
    for link in links:
        if link.byte_start >= length:
            return
        yield link_bytes(archive, link)[: length - link.byte_start]
