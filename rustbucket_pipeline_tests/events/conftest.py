"""An hour of archived logs, laid out by hand: what the archive stage would have left."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise

import msgspec
import pytest
import zstandard
from sqlalchemy import Engine, insert, select, text

from rustbucket_pipeline.events.build import HourOutcome, build_hour
from rustbucket_pipeline.framing.records import Framer
from rustbucket_pipeline.framing.times import Clock, microseconds, moment_of
from rustbucket_pipeline.model.version import version_of
from rustbucket_pipeline.model.window import HALF_HOUR, HOUR, Window, window_at
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbuckets, segments, source_files

HOUR_START = datetime(2026, 3, 2, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


@dataclass
class ArchivedHour:
    """The hour 2026-03-02 00:00, and what is archived of it."""

    database: Engine
    archive: Archive
    window: Window = field(default_factory=lambda: Window(HOUR_START, HOUR))

    def log(self, data: bytes, rustbucket_id: str = "BKT100001", *cuts: int) -> int:
        """Archive a log, cut into segments at window borders and where a pull ended (`cuts`); its id."""
        with self.database.begin() as connection:
            now = {"registered_at": NOW, "status": "active"}
            known = connection.execute(select(rustbuckets.c.id).where(rustbuckets.c.id == rustbucket_id)).first()
            if known is None:
                connection.execute(insert(rustbuckets).values(id=rustbucket_id, name=rustbucket_id.lower(), **now))
            count = connection.execute(text("select count(*) from source_files")).scalar_one()
            values = {"size": len(data), "consumed": len(data), "prefix_sha256": sha256(data).hexdigest()}
            values |= {"clock": NOW, "after_text": False}
            log_id = connection.execute(
                insert(source_files)
                .values(rustbucket_id=rustbucket_id, key=f"log{count}", first_seen_at=NOW, last_seen_at=NOW, **values)
                .returning(source_files.c.id)
            ).scalar_one()
            previous = ""
            for start, end, clock, ts in self._pieces(data, cuts):
                previous = self._segment(connection, rustbucket_id, log_id, data, (start, end, clock, ts), previous)
        return log_id

    def _pieces(self, data, cuts):
        """Start, end, clock before and first time of each segment; every cut is where a pull ended."""
        vouched = microseconds(HOUR_START - timedelta(minutes=10)), microseconds(NOW)
        clock = Clock(microseconds(HOUR_START), False, *vouched)
        for begin, end in pairwise([0, *cuts, len(data)]):
            framer = Framer(clock, begin)
            start, first, before = begin, None, clock
            for record in framer.feed(data[begin:end]) + framer.finish():
                window = window_at(moment_of(record.ts), HALF_HOUR)
                if first is not None and window != window_at(moment_of(first), HALF_HOUR):
                    yield start, record.offset, before, first
                    start, first = record.offset, None
                if first is None:
                    before, first = clock, record.ts
                clock = clock.after(record.ts, record.kind)
            if first is not None:
                yield start, end, before, first

    def _segment(self, connection, rustbucket_id, log_id, data, piece, previous):
        start, end, clock, ts = piece
        content = data[start:end]
        digest = sha256(content).hexdigest()
        key = f"raw/{rustbucket_id}/{digest}.log.zst"
        stored = zstandard.ZstdCompressor().compress(content)
        self.archive.put_new(key, stored)
        chain = version_of([previous, str(start), str(end), digest])
        connection.execute(
            insert(segments).values(
                log_id=log_id,
                source_file_id=log_id,
                rustbucket_id=rustbucket_id,
                window_start=window_at(moment_of(ts), HALF_HOUR).start,
                byte_start=start,
                byte_end=end,
                object_key=key,
                stored_bytes=len(stored),
                sha256=digest,
                previous_sha256=previous,
                chain_sha256=chain,
                records=0,
                first_event_ts=moment_of(ts),
                last_event_ts=moment_of(ts),
                clock=moment_of(clock.at),
                after_text=clock.after_text,
                vouched_from=moment_of(clock.vouched_from),
                vouched_until=moment_of(clock.vouched_until),
                pulled_at=NOW,
            )
        )
        return chain

    def build(self) -> HourOutcome:
        """Build the hour."""
        return build_hour(self.database, self.archive, self.window, NOW, None)

    def rows(self, query: str = "select * from log_events order by segment_id, byte_offset"):
        """What a query finds."""
        with self.database.connect() as connection:
            return connection.execute(text(query)).mappings().all()


@pytest.fixture
def hour(database: Engine, archive: Archive) -> ArchivedHour:
    return ArchivedHour(database, archive)


@pytest.fixture
def json_line() -> Callable[..., bytes]:
    """Writes a JSON record as Rustbucket does."""

    def write(
        message: str = "Command received", at: str = "00:00:01.000000", target: str = "rustbucket::protocols", **fields
    ):
        record = {
            "timestamp": f"2026-03-02T{at}Z",
            "level": "INFO",
            "fields": {"message": message, **fields},
            "target": target,
        }
        return msgspec.json.encode(record) + b"\n"

    return write
