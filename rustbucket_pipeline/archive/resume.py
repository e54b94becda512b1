"""Which known log a listed file continues, found by content: the key, the folder and the etag prove nothing.

Rustbuckets re-upload old files, restart under new random folders and rewrite names; bytes don't lie.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from rustbucket_pipeline.archive.ledger import Cursor
from rustbucket_pipeline.archive.sources.base import Source, SourceFile


class Digest(Protocol):
    """A running hash, as `hashlib` makes them."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""
        ...

    def hexdigest(self) -> str:
        """The hash of what was taken in, in hex."""
        ...


@dataclass(frozen=True, slots=True)
class Continued:
    """A known log that a file continues, and the running SHA-256 of what is known of it."""

    cursor: Cursor
    prefix: Digest


def unchanged(file: SourceFile, own: Cursor | None) -> bool:
    """Whether the file is as it was when its key was last read to the end."""
    return own is not None and own.etag == file.etag and own.size == file.size and own.consumed == file.size


def continued_log(source: Source, file: SourceFile, known: Iterable[Cursor]) -> Continued | None:
    """The longest known log whose bytes the file begins with and may go on; None if it begins a log of its own.

    Where two copies of a log went on differently, only the first may go on; the other is read as a new log.
    """
    candidates = {cursor.consumed: cursor for cursor in known if _may_continue(file, cursor)}
    if not candidates:
        return None
    longest = None
    for length, prefix in _prefix_hashes(source, file, sorted(candidates)):
        if prefix.hexdigest() == candidates[length].prefix_sha256:
            longest = Continued(candidates[length], prefix)
    return longest


def _may_continue(file: SourceFile, cursor: Cursor) -> bool:
    same_name = cursor.key.rpartition("/")[2] == file.key.rpartition("/")[2]
    return same_name and 0 < cursor.consumed <= file.size and cursor.consumed in (cursor.tip, file.size)


def _prefix_hashes(source: Source, file: SourceFile, lengths: list[int]) -> Iterator[tuple[int, Digest]]:
    """SHA-256 of the file's first n bytes for each length, ascending, in one reading."""
    digest, done = sha256(), 0
    remaining = list(lengths)
    with source.open(file, 0) as blocks:
        for block in blocks:
            while remaining and remaining[0] <= done + len(block):
                cut = remaining[0] - done
                digest.update(block[:cut])
                block, done = block[cut:], remaining.pop(0)
                yield done, digest.copy()
            if not remaining:
                return
            digest.update(block)
            done += len(block)
