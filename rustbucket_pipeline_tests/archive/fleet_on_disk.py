"""A rustbucket's log directory as its uploader leaves it, and the archive's answer to it. For the archive's tests."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import zstandard
from sqlalchemy import Engine, insert, select

from rustbucket_pipeline.archive.fleet_pull import FleetPull, pull_fleet
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.archive.sources.base import Source
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbuckets, segments, source_files, window_builds

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
BKT = "BKT100001"


def json_line(moment: datetime, words: str = "New connection") -> bytes:
    """A record as Rustbucket writes it."""
    fields = f'{{"message":"{words}","event_type":"connection","protocol":"FTP","client_ip":"192.0.2.7"}}'
    head = f'{{"timestamp":"{moment:%Y-%m-%dT%H:%M:%S.%f}Z","level":"INFO",'
    return f'{head}"fields":{fields},"target":"rustbucket"}}\n'.encode()


def hour_of_lines(hour: datetime, every: int = 60, words: str = "New connection") -> bytes:
    return b"".join(json_line(hour + timedelta(seconds=second), words) for second in range(0, 3600, every))


@dataclass
class FleetOnDisk:
    """One rustbucket's directory, its archive, and pulls at chosen times."""

    root: Path
    engine: Engine
    archive: Archive
    since: datetime = NINE - timedelta(days=30)
    now: datetime = NINE + timedelta(hours=2)
    openers: dict[str, Callable[[], list[Source]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.register(BKT)

    def register(self, rustbucket_id: str) -> None:
        with self.engine.begin() as connection:
            row = {"id": rustbucket_id, "name": rustbucket_id, "status": "active", "registered_at": self.since}
            connection.execute(insert(rustbuckets).values(row))
        self.openers[rustbucket_id] = lambda: [DirectorySource(self.root / rustbucket_id)]

    def write(self, key: str, data: bytes, rustbucket_id: str = BKT) -> None:
        """Put a file there; its etag changes even when the file system's clock doesn't tick in between."""
        path = self.root / rustbucket_id / key
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_bytes(data)
        os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))

    def pull(self, *windows: Window, later: timedelta = timedelta()) -> FleetPull:
        self.now += later
        context = PullContext(self.engine, self.archive, self.since, self.now, "run-1")
        return pull_fleet(context, self.openers, windows)

    def archived(self, key: str, rustbucket_id: str = BKT) -> bytes:
        """The source file's bytes as the archive gives them back, through its log's segments."""
        with self.engine.connect() as connection:
            file = connection.execute(
                select(source_files).where(
                    source_files.c.rustbucket_id == rustbucket_id,
                    source_files.c.key == key,
                    source_files.c.replaced_at.is_(None),
                )
            ).one()
            rows = connection.execute(
                select(segments).where(segments.c.log_id == file.log_id).order_by(segments.c.byte_start)
            ).all()
        held = b"".join(zstandard.decompress(self.archive.get(row.object_key)) for row in rows)
        return held[: file.consumed]

    def counts(self) -> tuple[int, int, int]:
        """Rows of `segments`, of `source_files`, and objects."""
        with self.engine.connect() as connection:
            rows = len(connection.execute(select(segments.c.id)).all())
            files = len(connection.execute(select(source_files.c.id)).all())
        return rows, files, len(list(self.archive.keys("raw/")))

    def windows(self) -> dict[datetime, int]:
        """Segments by window."""
        with self.engine.connect() as connection:
            starts = connection.execute(select(segments.c.window_start).order_by(segments.c.window_start)).scalars()
            found: dict[datetime, int] = {}
            for start in starts:
                found[start] = found.get(start, 0) + 1
            return found

    def versions(self) -> dict[datetime, str]:
        """Output version of every window noted as built."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(window_builds.c.window_start, window_builds.c.output_version))
            return {row.window_start: row.output_version for row in rows}
