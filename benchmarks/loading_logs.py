"""The logs that are loaded: the hour that `logs` plays, in either writing, and how its hours reach an archive.

*Plain* is the log without what a first loop can't do: FTP's and SMTP's own records (their names come back in the
letters that were typed), addresses in an odd spelling, NULs, and visitors who forge.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, insert

from benchmarks.archiving import RUSTBUCKET
from benchmarks.logs import FIRST_HOUR, at_hour, played_hour
from rustbucket_pipeline.archive.fleet_pull import pull_fleet
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.demo.home import environment
from rustbucket_pipeline.demo.lines import Line
from rustbucket_pipeline.events.shares import segments_of
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.objects import Archive, open_archive
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline.storage.tables import rustbuckets

NOW = FIRST_HOUR + timedelta(days=500)

_BEYOND_A_LOOP = (b"rustbucket::protocols::ftp", b"rustbucket::protocols::smtp", b"::ffff:", b"\\u0000", b"\0")


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of one rustbucket's log, a file of its own, and the segments it was archived as."""

    log: bytes
    window: Window
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Archived:
    """Where hours are measured."""

    engine: Engine
    archive: Archive
    hours: Sequence[Hour]

    @property
    def days(self) -> set[date]:
        """The days (UTC) they are of."""
        return {hour.window.start.date() for hour in self.hours}

    @property
    def size(self) -> int:
        """Bytes of log."""
        return sum(len(hour.log) for hour in self.hours)


def is_plain(line: Line) -> bool:
    """Whether a first loop can make the record's row."""
    return not line.forgeries and not any(mark in line.data for mark in _BEYOND_A_LOOP)


def plain_share(dialect: str) -> float:
    """The share of an hour's records that are plain."""
    played = played_hour(dialect)
    return sum(map(is_plain, played)) / len(played)


def logs_of(dialect: str, hours: int, *, plain: bool = False) -> dict[datetime, bytes]:
    """So many hours of log, by their start (UTC)."""
    played = b"".join(line.data for line in (played_hour(dialect, is_plain) if plain else played_hour(dialect)))
    starts = (FIRST_HOUR + number * HOUR for number in range(hours))
    return {start: at_hour(played, start) for start in starts}


@contextmanager
def archived(logs: dict[datetime, bytes]) -> Generator[Archived]:
    """The logs, pulled into a home that is gone afterwards."""
    with own_home() as home, shared(home):
        settings = load_settings()
        engine, archive = open_database(settings), open_archive(settings)
        folder = home / "logs"
        folder.mkdir()
        for start, log in logs.items():
            (folder / f"rustbucket.log.{start:%Y-%m-%d-%H}").write_bytes(log)
        register(engine)
        context = PullContext(engine, archive, FIRST_HOUR, NOW, None)
        pulled = pull_fleet(context, {RUSTBUCKET: lambda: [DirectorySource(folder)]}, ())
        assert not pulled.failed, pulled.failed
        yield Archived(engine, archive, [_hour(engine, start, log) for start, log in logs.items()])
        engine.dispose()


@contextmanager
def own_home() -> Generator[Path]:
    """A home that the environment names, for this process and its children, until it is thrown away."""
    home = Path(tempfile.mkdtemp(prefix="rustbucket-bench-"))
    os.environ.update(environment(home))  # as the demo: never a database or archive that is configured
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def register(engine: Engine) -> None:
    """Enter the one rustbucket."""
    row = {"id": RUSTBUCKET, "name": "measured", "status": "active", "registered_at": FIRST_HOUR}
    with engine.begin() as connection:
        connection.execute(insert(rustbuckets).values(row))


def _hour(engine: Engine, start: datetime, log: bytes) -> Hour:
    window = Window(start, HOUR)
    with engine.connect() as connection:
        return Hour(log, window, tuple(segments_of(connection, window)))
