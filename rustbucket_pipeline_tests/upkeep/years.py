"""Years of a fleet, a day at a time: what its rustbuckets log, what is made of it, and the nights' housekeeping.

It remembers what every day's rows were, so that whoever asks later knows what must still be there.
"""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, select, text

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import build_analysis
from rustbucket_pipeline.archive.fleet_pull import pull_fleet
from rustbucket_pipeline.archive.manifest import make_manifest
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.events.query import Filters, Shelf, columns_named, rows_found
from rustbucket_pipeline.model.window import FOUR_HOURS, HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbucket_status, rustbuckets, segments
from rustbucket_pipeline.upkeep.backup import make_backup
from rustbucket_pipeline.upkeep.housekeeping import clean_up, keep_house
from rustbucket_pipeline.upkeep.task import Bench, Told
from rustbucket_pipeline_tests.archive.fleet_on_disk import json_line
from rustbucket_pipeline_tests.upkeep.dagster_told import DagsterTold

FREE, HELD = "BKT100001", "BKT100002"
NINE_O_CLOCK = timedelta(hours=9)


@dataclass
class Years:
    """A fleet of two. `first` is the midnight on which it begins (UTC)."""

    settings: Settings
    engine: Engine
    archive: Archive
    root: Path
    first: datetime
    remembered: dict[tuple[date, str], list[tuple[object, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.engine.begin() as connection:
            row = {"status": "active", "registered_at": self.first, "approved_at": self.first}
            connection.execute(rustbuckets.insert(), [{"id": one, "name": one, **row} for one in (FREE, HELD)])

    def day(self, number: int) -> date:
        return (self.first + timedelta(days=number)).date()

    def night(self, number: int) -> datetime:
        """When housekeeping runs after that day."""
        return self.first + timedelta(days=number + 1, hours=2, minutes=30)

    def live(self, number: int, *, digest: bool = False) -> None:
        """That day: both log, everything is pulled and built; a file is gone from its source by the next day."""
        nine = self.first + timedelta(days=number) + NINE_O_CLOCK
        for rustbucket_id in (FREE, HELD):
            folder = self.root / rustbucket_id
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.iterdir():
                old.unlink()
            lines = [json_line(nine + timedelta(minutes=minute), f"New connection {number}") for minute in range(3)]
            (folder / f"rustbucket.log.{nine:%Y-%m-%d-%H}").write_bytes(b"".join(lines))
        now = nine + timedelta(hours=4)
        openers = {one: (lambda one=one: [DirectorySource(self.root / one)]) for one in (FREE, HELD)}
        pulled = pull_fleet(PullContext(self.engine, self.archive, self.first, now, None), openers, [])
        assert pulled.failed == {}
        build_hour(self.engine, self.archive, Window(nine, HOUR), now, None)
        if digest:
            window = Window(nine - HOUR, FOUR_HOURS)
            build_digest(self.engine, window, now, None)
            build_analysis(self.engine, self.settings, window, now, None)
        with self.engine.begin() as connection:
            seen = {"observed_at": now, "outcome": "arrival"}
            connection.execute(rustbucket_status.insert(), [{"rustbucket_id": one, **seen} for one in (FREE, HELD)])
        for one in (FREE, HELD):
            self.remembered[self.day(number), one] = self.asked(self.day(number), one)

    def bench(self, now: datetime) -> Bench:
        return Bench(self.settings, self.engine, self.archive, DagsterTold(), now)

    def keep_house(self, number: int) -> Told:
        """The night after that day: a backup, then housekeeping; on Sundays the rest."""
        now = self.night(number)
        make_manifest(self.engine, self.archive, self.settings, now - timedelta(hours=1))
        make_backup(self.settings, self.archive, now - timedelta(minutes=50))
        told = keep_house(self.bench(now))
        clean_up(self.bench(now + timedelta(hours=1)))
        return told

    def asked(self, day: date, rustbucket_id: str) -> list[tuple[object, ...]]:
        """All rows of a rustbucket's day."""
        start = self.first + (day - self.first.date())
        filters = Filters(start=start, end=start + timedelta(days=1), rustbuckets=[rustbucket_id])
        shelf = Shelf(self.settings, self.archive)
        with closing(rows_found(self.engine, filters, columns_named([]), None, shelf)) as rows:
            return list(rows)

    def raw_days(self, rustbucket_id: str) -> set[date]:
        """Days of which archived bytes of the rustbucket are there, by ledger and store alike."""
        query = select(segments.c.object_key, segments.c.window_start).where(
            segments.c.rustbucket_id == rustbucket_id, segments.c.expired_at.is_(None)
        )
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        assert {row.object_key for row in rows} == set(self.archive.keys(f"raw/{rustbucket_id}"))
        return {row.window_start.date() for row in rows}

    def sizes(self) -> dict[str, int]:
        """Rows by table, of the tables that grow by day; partitions of events; objects by kind."""
        tables = ("log_events", "session_parts", "rustbucket_status", "sightings", "window_digests", "findings")
        with self.engine.connect() as connection:
            rows = {one: connection.execute(text(f"SELECT count(*) FROM {one}")).scalar_one() for one in tables}
            partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'log_events'::regclass"
            rows["partitions"] = connection.execute(text(partitions)).scalar_one()
        return rows | {kind: len(list(self.archive.keys(kind))) for kind in ("raw", "rows", "backups")}
