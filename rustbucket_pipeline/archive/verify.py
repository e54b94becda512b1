"""The whole archive, looked at again: every object, every link, every manifest. What is wrong is named, never mended.

Segments are read from the store and hashed, the chain is computed anew, and the heads are held against what was signed.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice

from sqlalchemy import Connection, Engine, Row

from rustbucket_pipeline.archive import custody
from rustbucket_pipeline.archive.cat import content
from rustbucket_pipeline.archive.faults import Fault, Problem
from rustbucket_pipeline.archive.ledger import chain_hash
from rustbucket_pipeline.archive.names import place_of
from rustbucket_pipeline.archive.sweep import orphans_among, suspects_of
from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive, Stored
from rustbucket_pipeline.storage.postgres import load_sql

WORKERS = 4
"""Objects read and hashed side by side: each is held whole, at most about 17 MB."""

_BATCH = 256
_PACKAGE = "rustbucket_pipeline.archive"

Segment = Row[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Selection:
    """What to look at: half-hour windows that begin in `[start, end)`, UTC, of these rustbuckets; empty: of all.

    Links are followed through the whole of every log that has a segment there; manifests are all looked at.
    """

    start: datetime
    end: datetime
    rustbuckets: Sequence[str] = ()

    @property
    def bound(self) -> dict[str, object]:
        """As the statements want it."""
        return {"start": self.start, "end": self.end, "rustbuckets": list(self.rustbuckets)}

    def holds(self, stored: Stored) -> bool:
        """Whether an object belongs to it; one whose key says no window does."""
        place = place_of(stored.key)
        return place is None or self.start <= place[1] < self.end


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what is wrong with it. Bytes as the sources held them; `signed_until` is UTC.

    `redacted` segments hold other bytes than their sources did, for an address was purged: the ledger says by whom.
    `expired` ones have no object any more. Both are in their chains, and signed, as they were.
    """

    segments: int
    bytes: int
    logs: int
    manifests: int
    signed_until: datetime | None
    redacted: int
    expired: int
    problems: tuple[Problem, ...]


Progress = Callable[[int, int], None]
"""Told how many of how many segments were looked at."""


def verify(engine: Engine, archive: Archive, settings: Settings, selection: Selection, progress: Progress) -> Verified:
    """Look at everything selected, whatever is found: a problem never ends it.

    Raises:
        StoreUnavailable, DatabaseUnavailable: it can't be looked at now, which says nothing about it.
    """
    looked = _Looked(archive, selection, progress)
    with engine.connect() as connection:
        looked.at_segments(connection)
    with engine.connect() as connection:
        looked.at_cursors(connection)
    problems = [*looked.problems, *_orphans(engine, archive, selection)]
    with engine.connect() as connection:
        signed = custody.compare(connection, archive, settings, selection.rustbuckets)
    return Verified(
        segments=looked.segments,
        bytes=looked.bytes,
        logs=looked.logs,
        manifests=signed.manifests,
        signed_until=signed.newest,
        redacted=looked.redacted,
        expired=looked.expired,
        problems=(*problems, *signed.problems),
    )


class _Looked:
    """One pass over the selected logs: links from row to row, objects side by side."""

    def __init__(self, archive: Archive, selection: Selection, progress: Progress) -> None:
        self._archive = archive
        self._selection = selection
        self._progress = progress
        self.segments = self.bytes = self.logs = self.redacted = self.expired = 0
        self.problems: list[Problem] = []

    def at_segments(self, connection: Connection) -> None:
        """Look at every segment of every log that has one in the selection."""
        total = connection.execute(load_sql(_PACKAGE, "count_segments"), self._selection.bound).scalar_one()
        streamed = connection.execution_options(yield_per=_BATCH)
        rows = streamed.execute(load_sql(_PACKAGE, "segments_of_logs"), self._selection.bound)
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="verify") as pool:
            for _, log in groupby(rows, key=lambda row: row.log_id):
                self.logs += 1
                selected = self._linked(log)
                while batch := list(islice(selected, _BATCH)):
                    held = [row for row in batch if row.expired_at is None]
                    self.problems += [problem for problem in pool.map(self._object, held) if problem]
                    self.redacted += sum(row.redacted_sha256 is not None for row in held)
                    self.expired += len(batch) - len(held)
                    self.segments += len(batch)
                    self.bytes += sum(row.byte_end - row.byte_start for row in batch)
                    self._progress(self.segments, total)

    def at_cursors(self, connection: Connection) -> None:
        """Look for logs whose last segments are gone: files were read further than the log goes."""
        for row in connection.execute(load_sql(_PACKAGE, "cut_logs"), self._selection.bound):
            detail = f"{row.key!r} was archived up to byte {row.consumed}, but the segments end at {row.byte_end}"
            self.problems.append(Problem(Fault.BROKEN_LINK, f"log {row.log_id}", detail, row.rustbucket_id))

    def _linked(self, log: Iterator[Segment]) -> Iterator[Segment]:
        """The log's segments that are selected; on the way, each is held against the one before it."""
        end, chain = 0, ""
        for row in log:
            self.problems += _link_problems(row, end, chain)
            end, chain = row.byte_end, row.chain_sha256
            if self._selection.start <= row.window_start < self._selection.end:
                yield row

    def _object(self, row: Segment) -> Problem | None:
        if self._archive.size(row.object_key) is None:
            return Problem(Fault.MISSING, row.object_key, f"of {_place(row)}", row.rustbucket_id)
        try:
            stored = row.redacted_sha256 or row.sha256
            content(self._archive, row.object_key, stored, row.byte_end - row.byte_start)
        except IntegrityError as error:
            return Problem(Fault.ALTERED, row.object_key, f"of {_place(row)}: {error}", row.rustbucket_id)
        return None


def _link_problems(row: Segment, end: int, chain: str) -> Iterator[Problem]:
    def broken(how: str) -> Problem:
        return Problem(Fault.BROKEN_LINK, f"log {row.log_id}", f"{_place(row)} {how}", row.rustbucket_id)

    if row.byte_start != end:
        yield broken(f"doesn't begin where the one before ends ({end})")
    if row.previous_sha256 != chain:
        yield broken("doesn't name the one before")
    if row.chain_sha256 != chain_hash(row.previous_sha256, row.byte_start, row.byte_end, row.sha256):
        yield broken("has another link than its place and content give")


def _place(row: Segment) -> str:
    return f"segment {row.id}, bytes {row.byte_start}–{row.byte_end} of log {row.log_id}"


def _orphans(engine: Engine, archive: Archive, selection: Selection) -> Iterator[Problem]:
    for rustbucket_id, suspects in suspects_of(engine, archive, selection.rustbuckets, selection.holds):
        with engine.begin() as connection:
            orphans = orphans_among(connection, rustbucket_id, suspects)
        for orphan in orphans:
            detail = f"{orphan.size:,} bytes, written {orphan.modified:%Y-%m-%d %H:%M} UTC; no segment names it"
            yield Problem(Fault.ORPHANED, orphan.key, detail, rustbucket_id)
