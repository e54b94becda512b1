"""One pull of the whole fleet: what materializing `log_archives` does. One rustbucket's failure stops no other.

Registry and tokens are handed in; sources are opened by `opening`. Nothing here knows a road or a byte.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, func, select

from rustbucket_pipeline.alerts.book import clear, open_alerts, raise_
from rustbucket_pipeline.alerts.kinds import Kind, Severity
from rustbucket_pipeline.archive import ledger
from rustbucket_pipeline.archive.flood import note_flood
from rustbucket_pipeline.archive.mend import Lost, lost_segments, refetch
from rustbucket_pipeline.archive.pull import PullContext, Pulled, pull_source
from rustbucket_pipeline.archive.sources.base import Source
from rustbucket_pipeline.archive.steps import Step
from rustbucket_pipeline.errors import FetchFailed, SourceUnavailable
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.window import HALF_HOUR, Window
from rustbucket_pipeline.net import breaker
from rustbucket_pipeline.net.asking import EXTRACT_LOGS
from rustbucket_pipeline.net.open_files import make_room
from rustbucket_pipeline.storage.canary import CANARY
from rustbucket_pipeline.storage.closed_days import require_open
from rustbucket_pipeline.storage.tables import segments


@dataclass(frozen=True, slots=True)
class FleetPull:
    """What a pull brought per rustbucket, which of them failed and why, and the objects that are gone for good."""

    pulled: dict[str, Pulled]
    failed: dict[str, str]
    gone: tuple[str, ...]

    @property
    def new_bytes(self) -> int:
        """Bytes archived that weren't before, all rustbuckets together; the canary is none."""
        return sum(pulled.new_bytes for rustbucket_id, pulled in self.pulled.items() if rustbucket_id != CANARY)

    @property
    def windows(self) -> frozenset[datetime]:
        """Starts of every window that got new bytes."""
        return frozenset[datetime]().union(*(pulled.windows for pulled in self.pulled.values()))


@dataclass(frozen=True, slots=True)
class WindowContents:
    """What the archive holds of one half hour. Bytes before and after compression."""

    version: str
    rustbuckets: int
    segments: int
    records: int
    raw_bytes: int
    stored_bytes: int


ALERTS = {Outcome.DECOY: Kind.DECOY_ANSWERED, Outcome.INVALID: Kind.CONTRACT_BROKEN}
"""What else than a failed source an answer may be."""

LARGEST_KEPT = 31 * 1024**2
"""Bytes of the largest block whose memory is kept when it is freed; 32 MiB are more than glibc allows."""

Opener = Callable[[], Iterable[Source]]
"""Opens one rustbucket's sources one by one; raises `SourceUnavailable` where a road is closed."""


def pull_fleet(context: PullContext, openers: dict[str, Opener], windows: Sequence[Window]) -> FleetPull:
    """Pull everything new from every rustbucket, put back what the requested windows lost, and note them as built.

    Raises:
        StoreUnavailable, DatabaseUnavailable: ours, so the pull stops; what was committed stays.
        WindowClosed: a requested window is frozen or expired; nothing was pulled.
        ConfigurationError: the machine lets us open too few files; nothing was pulled.
    """
    with context.engine.connect() as connection:
        require_open(connection, windows)
    keep_freed_memory()
    with ThreadPoolExecutor(make_room(len(openers)), thread_name_prefix="pull") as pool:
        outcomes = list(pool.map(partial(_pull_one, context), openers.keys(), openers.values()))
    pulled = {rustbucket_id: found for rustbucket_id, found, _ in outcomes}
    failed = {rustbucket_id: reason for rustbucket_id, _, reason in outcomes if reason}
    gone = tuple(_mend(context, openers, windows))
    with context.engine.begin() as connection:
        ledger.build_windows(connection, (window.start for window in windows), context.run_id, context.now)
        context.reached(Step.CLOSED)
    return FleetPull(pulled, failed, gone)


def keep_freed_memory() -> None:
    """Keep the memory that a log's pieces leave for the next ones: to fetch it anew costs a gigabyte 0.2 s.

    glibc learns what to keep from the blocks that are freed, such as this one, which is never touched.
    """
    bytes(LARGEST_KEPT)


def _pull_one(context: PullContext, rustbucket_id: str, opener: Opener) -> tuple[str, Pulled, str]:
    total = Pulled()
    try:
        for source in opener():
            pull_source(context, rustbucket_id, source, total)
        failed = None
    except SourceUnavailable as error:
        failed = error
    with context.turns, context.engine.begin() as connection:
        note_flood(connection, rustbucket_id, total.windows, context.now)
        _note(connection, rustbucket_id, failed, context.now)
    context.reached(Step.PULLED)
    return rustbucket_id, total, str(failed or "")


def _note(connection: Connection, rustbucket_id: str, failed: SourceUnavailable | None, now: datetime) -> None:
    """Raise or clear alerts, and count what HTTP brought: who answers as a decoy isn't asked again (`net.breaker`)."""
    if failed is None:
        breaker.note(connection, EXTRACT_LOGS, {rustbucket_id: Outcome.OK}, now)
        clear(connection, Kind.SOURCE_FAILED, rustbucket_id, now, "pulled again")
        return
    kind, circuit = Kind.SOURCE_FAILED, None
    if isinstance(failed, FetchFailed):
        outcome = Outcome(failed.outcome)
        kind = ALERTS.get(outcome, kind)
        circuit = breaker.note(connection, EXTRACT_LOGS, {rustbucket_id: outcome}, now).get(rustbucket_id)
    cause, severity = str(failed), kind.severity
    if circuit and circuit.open:
        cause, severity = f"{cause}; {circuit}", Severity.ERROR
    raise_(connection, kind, rustbucket_id, cause, severity, now)


def _mend(context: PullContext, openers: dict[str, Opener], windows: Sequence[Window]) -> Iterator[str]:
    with context.engine.connect() as connection:
        lost = lost_segments(connection, context.archive, [window.start for window in windows])
    context.reached(Step.MISSED)
    still_gone: list[Lost] = []
    for rustbucket_id in sorted({segment.rustbucket_id for segment in lost}):
        gone = [segment for segment in lost if segment.rustbucket_id == rustbucket_id]
        try:
            for source in openers[rustbucket_id]() if rustbucket_id in openers else ():
                gone = refetch(context.archive, source, gone, context.reached)
        except SourceUnavailable:
            pass
        context.reached(Step.MENDED)
        still_gone += gone
    with context.engine.begin() as connection:
        _note_lost(connection, windows, still_gone, context.now)
    yield from (segment.link.object_key for segment in still_gone)


def _note_lost(connection: Connection, windows: Sequence[Window], gone: Sequence[Lost], now: datetime) -> None:
    """An alert for each rustbucket's window that lost segments for good, closed when that window is whole again."""
    kind = Kind.GAP_UNFILLABLE
    lost = Counter(f"{one.rustbucket_id} {Window(one.window_start, HALF_HOUR).key}" for one in gone)
    for subject, count in lost.items():
        cause = f"{count} archived segments are gone and the source no longer holds them"
        raise_(connection, kind, subject, cause, kind.severity, now)
    looked_at = {window.key for window in windows}
    for open_kind, subject in open_alerts(connection):
        if open_kind == kind.value and subject.partition(" ")[2] in looked_at and subject not in lost:
            clear(connection, kind, subject, now, "it is whole again")


def contents_of(connection: Connection, start: datetime) -> WindowContents:
    """What the archive holds of the half hour that starts there (UTC)."""
    row = connection.execute(
        select(
            func.count(segments.c.rustbucket_id.distinct()),
            func.count(),
            func.coalesce(func.sum(segments.c.records), 0),
            func.coalesce(func.sum(segments.c.byte_end - segments.c.byte_start), 0),
            func.coalesce(func.sum(segments.c.stored_bytes), 0),
        ).where(segments.c.window_start == start, segments.c.rustbucket_id != CANARY)
    ).one()
    return WindowContents(ledger.window_versions(connection, [start])[start], *(int(value) for value in row))
