"""`parsed_logs[H]`: an hour of archived segments → its rows, in one transaction that replaces what was there.

A function of the segments and the parser version alone. The planner, partitions and retries are not its business.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby

import pyarrow as pa
from sqlalchemy import Connection, Engine, delete, select

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.events.alarms import sound, sound_drift
from rustbucket_pipeline.events.bulk import BulkParser
from rustbucket_pipeline.events.drift import Drift
from rustbucket_pipeline.events.load import Written, load_events
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.parse import QuarantineRow, Tally
from rustbucket_pipeline.events.read import read_run, runs_of
from rustbucket_pipeline.events.sessions import build_sessions
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.events.version import PARSER_VERSION
from rustbucket_pipeline.framing.times import microseconds, moment_of
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage import tables
from rustbucket_pipeline.storage.builds import Build, build_of, inputs_version, record_build, version_of
from rustbucket_pipeline.storage.drift_tables import unknown_templates
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import advisory_lock, copy_rows, ensure_event_partition

ASSET = "parsed_logs"

_TALLY = tables.hour_counts.columns.keys()


@dataclass(frozen=True, slots=True)
class HourOutcome:
    """What an hour's build did; `version` is that of its rows, `unchanged`: built from the same as the time before.

    `suspects` are events taken for forgeries, `unknown_messages` events of no known template (format drift).
    """

    window: Window
    rustbuckets: int
    segments: int
    archived_bytes: int
    events: int
    quarantined: int
    duplicates: int
    event_bytes: int
    quarantined_bytes: int
    duplicate_bytes: int
    suspects: int
    unknown_messages: int
    counted: int
    refused: int
    own: int
    redacted: int
    version: str
    unchanged: bool

    def metadata(self) -> dict[str, int | str]:
        """The numbers, for whoever shows them."""
        numbers = {name: value for name, value in asdict(self).items() if isinstance(value, int)}
        return {"dagster/row_count": self.events, **numbers}


def build_hour(
    engine: Engine,
    archive: Archive,
    window: Window,
    now: datetime,
    run_id: str | None,
    collectors: Networks = (),
) -> HourOutcome:
    """Parse the hour's segments and replace its rows, entries and sums; visits from `collectors` are our own.

    Raises:
        IntegrityError: an object isn't what its segment says, or the sums disagree; nothing is changed then.
    """
    with engine.begin() as connection:
        advisory_lock(connection, f"{ASSET} {window.key}")
        inputs = inputs_version(connection, ASSET, window, str(PARSER_VERSION))
        segments = segments_of(connection, window)
        before = build_of(connection, ASSET, window)
        _clear(connection, window)
        ensure_event_partition(connection, window.start.date())
        hour = _Hour(connection, archive, window, collectors)
        for rustbucket_id, own in groupby(segments, key=lambda segment: segment.rustbucket_id):
            hour.load(rustbucket_id, list(own))
        build_sessions(connection, window)
        hour.sound_alarms(now)
        output = hour.output_version()
        record_build(connection, Build(ASSET, window, inputs, output, str(PARSER_VERSION), run_id), now)
    same = before is not None and before.inputs_version == inputs
    return hour.outcome(len(segments), output, unchanged=same)


def segments_of(connection: Connection, window: Window) -> list[Segment]:
    """The segments of the hour, by rustbucket, log and byte."""
    table = tables.segments
    names = [table.c[name] for name in Segment.__slots__]
    rows = connection.execute(
        select(*names)
        .where(table.c.window_start >= window.start, table.c.window_start < window.end)
        .order_by(table.c.rustbucket_id, table.c.log_id, table.c.byte_start)
    )
    return [Segment(*row) for row in rows]


def _clear(connection: Connection, window: Window) -> None:
    for table, column in (
        (tables.log_events, tables.log_events.c.event_ts),
        (tables.quarantine, tables.quarantine.c.event_ts),
        (tables.hour_counts, tables.hour_counts.c.hour),
        (unknown_templates, unknown_templates.c.hour),
    ):
        connection.execute(delete(table).where(column >= window.start, column < window.end))


class _Hour:
    """The loading of one hour: rustbucket by rustbucket, a batch of rows at a time."""

    def __init__(self, connection: Connection, archive: Archive, window: Window, collectors: Networks) -> None:
        self._connection = connection
        self._archive = archive
        self._window = window
        self._collectors = tuple(collectors)
        self._written = Written()
        self._refused = sha256()
        self._tallies: dict[str, Tally] = {}
        self._drifts: dict[str, Drift] = {}

    def load(self, rustbucket_id: str, segments: list[Segment]) -> None:
        """Parse and copy one rustbucket's segments, then its sums."""
        tally = self._tallies[rustbucket_id] = Tally(
            archived_bytes=sum(segment.byte_end - segment.byte_start for segment in segments)
        )
        several = len({segment.log_id for segment in segments}) > 1
        parser = BulkParser(rustbucket_id, several_logs=several, tally=tally, collectors=self._collectors)
        load_events(self._connection, self._blocks(parser, segments), self._written)
        self._quarantine(parser.refused)
        if not tally.agrees:
            raise IntegrityError(f"{rustbucket_id}, {self._window}: bytes don't add up ({tally}); report this as a bug")
        sums = {"hour": self._window.start, "rustbucket_id": rustbucket_id, **asdict(tally)}
        self._connection.execute(tables.hour_counts.insert(), {name: sums[name] for name in _TALLY})

    def _blocks(self, parser: BulkParser, segments: list[Segment]) -> Iterator[Sequence[pa.RecordBatch]]:
        self._drifts[segments[0].rustbucket_id] = parser.drift
        for run in runs_of(segments):
            grader = Grader(open=run[0].after_text, last=microseconds(run[0].clock))
            yield from parser.parse(read_run(self._archive, run), grader)

    def _quarantine(self, entries: list[QuarantineRow]) -> None:
        for entry in entries:
            self._refused.update(f"{entry.event_ts} {entry.byte_length} {entry.reason}\n".encode())
        if entries:
            rows = (entry._replace(event_ts=moment_of(entry.event_ts)) for entry in entries)
            copy_rows(self._connection, "quarantine", QuarantineRow._fields, rows)

    def sound_alarms(self, now: datetime) -> None:
        """Open and close the alerts that what was loaded calls for."""
        sound_drift(self._connection, self._window, self._drifts, now)
        sound(self._connection, self._window, self._tallies, now)

    def output_version(self) -> str:
        """Hash of what was written, in order: the same rows give the same version."""
        return version_of([str(PARSER_VERSION), self._written.version(), self._refused.hexdigest()])

    def outcome(self, segments: int, output: str, *, unchanged: bool) -> HourOutcome:
        """The sums over all rustbuckets."""
        sums = [asdict(tally) for tally in self._tallies.values()]
        total = {name: sum(tally[name] for tally in sums) for name in asdict(Tally())}
        return HourOutcome(
            window=self._window,
            rustbuckets=len(self._tallies),
            segments=segments,
            version=output,
            unchanged=unchanged,
            **total,
        )
