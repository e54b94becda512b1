"""The ledger: which bytes of which log are archived where. Table `segments`, and the archive's builds.

Rows only: no object and no source is touched here. Everything runs in the caller's transaction, which holds the
rustbucket's lock, so that a second pull of it waits and then finds nothing new.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import ARRAY, Connection, DateTime, any_, func, insert, literal, select, update

from rustbucket_pipeline.archive.held import Link, Log
from rustbucket_pipeline.framing.times import Clock, moment_of
from rustbucket_pipeline.model.version import version_of
from rustbucket_pipeline.model.window import HALF_HOUR, Window
from rustbucket_pipeline.storage.builds import Build, record_builds
from rustbucket_pipeline.storage.postgres import advisory_locks, load_sql
from rustbucket_pipeline.storage.tables import rustbuckets, segments

ASSET = "log_archives"
CODE_VERSION = "1"
"""Rises when the same source bytes would be cut into other segments."""


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A stored piece, not yet in the ledger. Times UTC, sizes in bytes."""

    window_start: datetime
    byte_start: int
    byte_end: int
    object_key: str
    stored_bytes: int
    sha256: str
    records: int
    first_event_ts: datetime
    last_event_ts: datetime
    clock: Clock
    clock_after: Clock

    @property
    def raw_bytes(self) -> int:
        """Length in the source, before compression."""
        return self.byte_end - self.byte_start


class Logs:
    """The logs that some files of a rustbucket may continue, by the start of the periods their files vouched for."""

    def __init__(self) -> None:
        self._logs: dict[int, Log] = {}
        self._of_period: dict[datetime | None, dict[int, None]] = {}

    def __contains__(self, log_id: int) -> bool:
        return log_id in self._logs

    def put(self, log: Log, periods: Iterable[datetime | None]) -> None:
        """Add a log, or what it has become."""
        self._logs[log.id] = log
        for start in periods:
            self._of_period.setdefault(start, {})[log.id] = None

    def candidates(self, period: tuple[datetime, datetime] | None) -> list[Log]:
        """The logs that a file of that period may continue, oldest first."""
        if period is None:
            return [self._logs[log_id] for log_id in sorted(self._logs)]
        ids = {**self._of_period.get(period[0], {}), **self._of_period.get(None, {})}
        return [self._logs[log_id] for log_id in sorted(ids)]


def logs_of(connection: Connection, rustbucket_id: str, periods: Collection[tuple[datetime, datetime] | None]) -> Logs:
    """Every log with segments that files of these periods may continue."""
    starts = sorted({period[0] for period in periods if period})
    query = load_sql("rustbucket_pipeline.archive", "logs_of_files")
    rows = connection.execute(query, {"rustbucket_id": rustbucket_id, "every": None in periods, "starts": starts})
    logs = Logs()
    for log_id, group in groupby(rows, key=lambda row: row.log_id):
        own = list(group)
        links = tuple(Link(row.byte_start, row.byte_end, row.sha256, row.object_key) for row in own)
        log = Log(log_id, links, own[-1].clock, own[-1].after_text, own[-1].chain_sha256)
        logs.put(log, {row.period_start for row in own})
    return logs


def appended(log: Log, new: Sequence[NewSegment]) -> Log:
    """The log with these segments, at least one, at its end."""
    links = (Link(segment.byte_start, segment.byte_end, segment.sha256, segment.object_key) for segment in new)
    end, chain = new[-1].clock_after, chain_of(new, log.chain)
    return replace(log, links=(*log.links, *links), clock_at=moment_of(end.at), after_text=end.after_text, chain=chain)


def rows_of(
    rustbucket_id: str, log: Log, file_id: int, new: Iterable[NewSegment], now: datetime
) -> Iterator[dict[str, object]]:
    """Rows of the segments, read from that source file, that go on with the log and its hash chain, in byte order."""
    chain, place = log.chain, {"rustbucket_id": rustbucket_id, "log_id": log.id, "source_file_id": file_id}
    for segment in new:
        previous, chain = chain, chain_of([segment], chain)
        chained = {"previous_sha256": previous, "chain_sha256": chain}
        yield {**place, **_segment_row(segment), **chained, "pulled_at": now}


def add_segments(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows as `rows_of` gives them."""
    connection.execute(insert(segments), rows)


def note_newest(connection: Connection, rustbucket_id: str, new: Sequence[NewSegment]) -> None:
    """Keep the rustbucket's newest event time up to date."""
    newest = max(segment.last_event_ts for segment in new)
    connection.execute(
        update(rustbuckets)
        .where(rustbuckets.c.id == rustbucket_id)
        .values(last_log_at=func.greatest(func.coalesce(rustbuckets.c.last_log_at, newest), newest))
    )


def _segment_row(segment: NewSegment) -> dict[str, object]:
    return {
        "window_start": segment.window_start,
        "byte_start": segment.byte_start,
        "byte_end": segment.byte_end,
        "object_key": segment.object_key,
        "stored_bytes": segment.stored_bytes,
        "sha256": segment.sha256,
        "records": segment.records,
        "first_event_ts": segment.first_event_ts,
        "last_event_ts": segment.last_event_ts,
        "clock": moment_of(segment.clock.at),
        "after_text": segment.clock.after_text,
        "end_clock": moment_of(segment.clock_after.at),
        "end_after_text": segment.clock_after.after_text,
        "vouched_from": moment_of(segment.clock.vouched_from),
        "vouched_until": moment_of(segment.clock.vouched_until),
    }


def chain_hash(previous: str, byte_start: int, byte_end: int, content_sha256: str) -> str:
    """A link of a log's chain: whoever changes a segment, its place or its order changes every later link."""
    return version_of([previous, str(byte_start), str(byte_end), content_sha256])


def chain_of(links: Iterable[Link | NewSegment], chain: str = "") -> str:
    """The hash of a chain that goes on with these links; it stands for all bytes up to there."""
    for link in links:
        chain = chain_hash(chain, link.byte_start, link.byte_end, link.sha256)
    return chain


def build_windows(connection: Connection, starts: Iterable[datetime], run_id: str | None, now: datetime) -> None:
    """Note what the windows now consist of; last in the transaction, so that pulls side by side see each other."""
    ordered = sorted(set(starts))
    advisory_locks(connection, [f"log_archives {start.isoformat()}" for start in ordered])
    versions = window_versions(connection, ordered).items()
    builds = [
        Build(ASSET, Window(start, HALF_HOUR), version, version, CODE_VERSION, run_id) for start, version in versions
    ]
    record_builds(connection, builds, now)


def window_versions(connection: Connection, starts: Collection[datetime]) -> dict[datetime, str]:
    """Versions of these windows' archives, by start (UTC): which bytes of which logs each holds."""
    parts: dict[datetime, list[str]] = {start: [] for start in starts}
    wanted = any_(literal(list(starts), ARRAY(DateTime(timezone=True))))
    rows = connection.execute(
        select(
            segments.c.window_start,
            segments.c.rustbucket_id,
            segments.c.log_id,
            segments.c.byte_start,
            func.coalesce(segments.c.redacted_sha256, segments.c.sha256).label("sha256"),
        )
        .where(segments.c.window_start == wanted)
        .order_by(segments.c.rustbucket_id, segments.c.log_id, segments.c.byte_start)
    )
    for row in rows:
        parts[row.window_start].append(f"{row.rustbucket_id} {row.log_id} {row.byte_start} {row.sha256}")
    return {start: version_of(those) for start, those in parts.items()}
