"""Recognises by content which known log a file continues, or is a copy of. Names, sizes and times prove nothing.

A file is compared with the segments of the logs it may belong to, hash by hash, as it streams. Cursors only say which
files needn't be looked at; a store's own MD5 saves reading the known part of a grown object.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

from rustbucket_pipeline.archive.cursors import Cursor
from rustbucket_pipeline.archive.held import Link, Log, link_bytes, log_bytes
from rustbucket_pipeline.archive.ledger import chain_of
from rustbucket_pipeline.archive.sources.base import SourceFile
from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.storage.objects import Archive


class Digest(Protocol):
    """A running hash, as `hashlib` makes them."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""
        ...

    def hexdigest(self) -> str:
        """The hash of what was taken in, in hex."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file stands: its first `length` bytes are those of `log` (None: a log of its own).

    `chain` is the hash of the log's chain up to there. `whole`: the file has no other bytes. `md5` runs over the same
    bytes where the rest must still be proved by it.
    """

    log: Log | None = None
    length: int = 0
    chain: str = ""
    whole: bool = False
    md5: Digest | None = None


def unchanged(file: SourceFile, own: Cursor | None) -> bool:
    """Whether the file is as it was when its key was last read to the end."""
    return own is not None and own.complete and own.etag == file.etag and own.size == file.size


def grown(archive: Archive, file: SourceFile, own: Cursor | None, logs: Iterable[Log]) -> Place | None:
    """Where a grown file goes on, if its MD5 can prove it: then only new bytes are read. None: it must be read whole.

    The known part comes from the archive. Whoever reads on compares `md5` at the end.
    """
    if file.md5 is None or own is None or not 0 < own.consumed < file.size or own.size != own.content_bytes:
        return None
    log = next((log for log in logs if log.id == own.log_id and log.tip == own.consumed), None)
    if log is None:
        return None
    md5 = hashlib.md5(usedforsecurity=False)
    try:
        for data in log_bytes(archive, log.links, log.tip):
            md5.update(data)
    except IntegrityError:
        return None  # its window's next materialization puts the object back
    return Place(log, log.tip, log.chain, md5=md5)


def recognise(archive: Archive, blocks: Iterator[bytes], logs: Sequence[Log]) -> Place:
    """Where a file stands, by its bytes from the first on.

    It continues the longest log it begins with; a file that ends within a log adds nothing to it. Two copies of a log
    that went on differently share no log.
    """
    walk = _Walk(logs)
    for block in blocks:
        walk.feed(block)
        if not walk.open:
            return walk.reached or Place()
    return walk.ended(archive) or walk.reached or Place()


@dataclass(slots=True, eq=False)
class _Track:
    """A log whose segments agreed so far, and which comes next."""

    log: Log
    index: int = 0

    @property
    def link(self) -> Link:
        return self.log.links[self.index]


class _Walk:
    """Goes through a file beside all logs at once. Segments that begin at the same byte share one hash."""

    def __init__(self, logs: Sequence[Log]) -> None:
        self.open = [_Track(log) for log in logs if log.links]
        self.reached: Place | None = None
        self._offset = 0
        self._hashes: dict[int, Digest] = {0: sha256()}

    def feed(self, block: bytes) -> None:
        """Compare the next bytes, until no log agrees any more."""
        while self.open:
            cut = min(track.link.byte_end for track in self.open) - self._offset
            self._take(block[:cut])
            if cut > len(block):
                return
            self._compare()
            block = block[cut:]
            if not block:
                return

    def ended(self, archive: Archive) -> Place | None:
        """Where the file stands if it ended within a known log: it has nothing that isn't archived."""
        for track in self.open:
            link, known = track.link, track.log.links[: track.index]
            if self._offset == link.byte_start:
                return Place(track.log, self._offset, chain_of(known), whole=True)
            begun = replace(link, byte_end=self._offset, sha256=self._hashes[link.byte_start].hexdigest())
            if _begins(archive, link, begun):
                return Place(track.log, self._offset, chain_of([*known, begun]), whole=True)
        return None

    def _take(self, data: bytes) -> None:
        for running in self._hashes.values():
            running.update(data)
        self._offset += len(data)

    def _compare(self) -> None:
        """Keep the logs whose segment ends here as the file has it; a log that is through is reached."""
        found = {start: running.hexdigest() for start, running in self._hashes.items()}
        for track in [track for track in self.open if track.link.byte_end == self._offset]:
            agrees = found[track.link.byte_start] == track.link.sha256
            track.index += 1
            if agrees and track.index < len(track.log.links):
                self._hashes.setdefault(self._offset, sha256())
                continue
            self.open.remove(track)
            if agrees and (self.reached is None or self.reached.length < self._offset):
                self.reached = Place(track.log, self._offset, track.log.chain)
        needed = {track.link.byte_start for track in self.open}
        self._hashes = {start: running for start, running in self._hashes.items() if start in needed}


def _begins(archive: Archive, link: Link, begun: Link) -> bool:
    try:
        return sha256(link_bytes(archive, link)[: begun.byte_end - begun.byte_start]).hexdigest() == begun.sha256
    except IntegrityError:
        return False
