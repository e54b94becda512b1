"""A fleet and everything that looks after it, driven through a script: simulated time, no waiting, no network.

Real: the database, observations, health reports, the book of alerts, who is told when. Simulated: what polls answer,
what pulls bring, when reports are made.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, create_engine, func, insert, update

from rustbucket_pipeline.alerts.routes import Target
from rustbucket_pipeline.alerts.telling import tell
from rustbucket_pipeline.alerts.words import Message, Told
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.fleet.poll import Observation
from rustbucket_pipeline.fleet.status import note_observations
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.net import breaker
from rustbucket_pipeline.net.asking import UPDATE_BUCKET
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive, open_archive
from rustbucket_pipeline.storage.tables import (
    hour_counts,
    log_events,
    rustbuckets,
    segments,
    source_files,
    window_builds,
)
from rustbucket_pipeline.upkeep.health_report import HEALTH_REPORT
from rustbucket_pipeline.upkeep.outage import Watch
from rustbucket_pipeline.upkeep.task import Bench
from rustbucket_pipeline_tests.upkeep.dagster_told import DagsterTold
from rustbucket_pipeline_tests.upkeep.outage_script import HOUR, LENGTH, START, Script

TICK = timedelta(minutes=30)
"""Half of what polls have, for the test's sake: what flaps answers every other time all the same."""
WINDOW = timedelta(hours=4)
GRACE = timedelta(hours=2, minutes=15)
REBUILT = timedelta(hours=2)
"""How long late logs wait for their window's report to be made anew."""


@dataclass(frozen=True)
class Heard:
    """What a person was told, and when."""

    at: datetime
    state: str
    kind: str
    subject: str


@dataclass
class Simulation:
    """Everything at one moment; `run` lets two weeks pass."""

    engine: Engine
    settings: Settings
    archive: Archive
    script: Script
    seed: int
    heard: list[Heard] = field(default_factory=list)
    now: datetime = START
    pulled_at: datetime = START
    reported: dict[datetime, datetime] = field(default_factory=dict)
    _waiting: dict[tuple[str, datetime], datetime] = field(default_factory=dict)
    _rebuild: dict[datetime, datetime] = field(default_factory=dict)

    def run(self) -> list[Heard]:
        self._register()
        nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=1")
        broken = open_archive(self.settings.model_copy(update={"archive_url": self._file_in_the_way().as_uri()}))
        while self.now < START + LENGTH:
            down = self.script.wrong("database", None, self.now)
            Watch(nowhere if down else self.engine, self.settings, self._send).look(self.now)
            if not down:
                self._tick(broken if self.script.wrong("store", None, self.now) else self.archive)
            self.now += TICK
        nowhere.dispose()
        return self.heard

    def _tick(self, archive: Archive) -> None:
        self._observe()
        HEALTH_REPORT.run(Bench(self.settings, self.engine, archive, DagsterTold(), self.now))
        if archive is self.archive:
            self._pull()
            self._report()
        tell(self.engine, self.settings, self.now, sender=self._send)

    def _send(self, _target: Target, _message: Message, told: Sequence[Told]) -> None:
        self.heard += [Heard(self.now, one.state, one.kind, one.subject) for one in told]

    def _file_in_the_way(self) -> Path:
        file = self.settings.home / "a file"
        file.write_text("no directory")
        return file / "archive"

    def _register(self) -> None:
        self.settings.home.mkdir(exist_ok=True)
        ids = [*self.script.uploading, *self.script.answering]
        with self.engine.begin() as connection:
            for one in ids:
                url = f"https://{one.lower()}.example" if one in self.script.answering else None
                entry = Entry(name=one, id=one, base_url=url, logs_url=f"s3://logs/{one}")
                registry.add(connection, self.settings, entry, START - HOUR)
                registry.approve(connection, one, START - HOUR)
                registry.set_http(connection, one, allowed=url is not None, plain=False)
        chance = random.Random(self.seed)
        for number in range(LENGTH // HOUR):
            hour = START + number * HOUR
            for one in ids:
                usual = timedelta(minutes=chance.randint(5, 65))
                self._waiting[one, hour] = self.script.uploaded_at(one, hour, usual)

    def _observe(self) -> None:
        self._operate()
        fleet = registry.active_rustbuckets(self.engine)
        paused = breaker.paused(self.engine, UPDATE_BUCKET, self.now)
        asked = [self._polled(one, one.id in paused) for one in fleet if one.http_allowed]
        note_observations(self.engine, fleet, asked, self.now)

    def _operate(self) -> None:
        """An operator allows asking again once the decoy is gone."""
        for one in self.script.outages:
            if one.what == "decoy" and one.whom and one.ends <= self.now < one.ends + TICK:
                with self.engine.begin() as connection:
                    registry.set_http(connection, one.whom, allowed=True, plain=False)

    def _polled(self, one: Rustbucket, paused: bool) -> Observation:
        if paused:
            return Observation(one.id, Outcome.PAUSED, "later")
        if self.script.wrong("slow", one.id, self.now):
            return Observation(one.id, Outcome.TIMEOUT, "no answer within 10 s")
        if self.script.wrong("decoy", one.id, self.now):
            return Observation(one.id, Outcome.DECOY, "a web page")
        if self.script.wrong("flapping", one.id, self.now) and self.now.minute == 0:
            return Observation(one.id, Outcome.REFUSED, "connection refused")
        return Observation(one.id, Outcome.OK, None, 20)

    def _pull(self) -> None:
        """Everything that is at its source now, into the ledger; of hours with a wrong clock also rows."""
        came = [place for place, at in self._waiting.items() if at <= self.now]
        files = [self._file(of, hour) for of, hour in came]
        with self.engine.begin() as connection:
            if files:
                ids = connection.execute(insert(source_files).returning(source_files.c.id), files).scalars().all()
                rows = [self._segment(of, hour, one) for (of, hour), one in zip(came, ids, strict=True)]
                connection.execute(insert(segments), rows)
                for of in {of for of, _ in came}:
                    until = max(hour for other, hour in came if other == of) + HOUR - timedelta(minutes=5)
                    newest = func.greatest(rustbuckets.c.last_log_at, until)
                    connection.execute(update(rustbuckets).where(rustbuckets.c.id == of).values(last_log_at=newest))
                connection.execute(insert(hour_counts), [self._counts(of, hour) for of, hour in came])
                if skewed := [event for place in came for event in self._skewed(*place)]:
                    connection.execute(insert(log_events), skewed)
            build = _build("log_archives", self.now - timedelta(minutes=30), self.now)
            connection.execute(insert(window_builds), [build])
        self.pulled_at = self.now
        for place in came:
            del self._waiting[place]
            window = START + (place[1] - START) // WINDOW * WINDOW
            if window in self.reported:
                self._rebuild[window] = self.now + REBUILT

    def _report(self) -> None:
        """Reports of windows whose grace is over, and those made anew."""
        with self.engine.begin() as connection:
            window = START + len(self.reported) * WINDOW
            while window + WINDOW + GRACE <= min(self.now, self.pulled_at):
                connection.execute(insert(window_builds), [_build("log_analysis", window, self.now)])
                self.reported[window] = self.now
                window += WINDOW
            for again in [one for one, at in self._rebuild.items() if at <= self.now]:
                mine = (window_builds.c.asset == "log_analysis") & (window_builds.c.window_start == again)
                connection.execute(update(window_builds).where(mine).values(built_at=self.now))
                del self._rebuild[again]

    def _file(self, of: str, hour: datetime) -> dict[str, object]:
        moments = dict.fromkeys(("first_seen_at", "last_seen_at"), self.now)
        sizes = {"size": 100, "consumed": 100, "prefix_sha256": "", "after_text": False, "clock": hour}
        period = {"period_start": hour, "period_end": hour + HOUR}
        return {"rustbucket_id": of, "key": f"{of}/{hour:%Y%m%d%H}", **moments, **sizes, **period}

    def _segment(self, of: str, hour: datetime, file: int) -> dict[str, object]:
        place = {"rustbucket_id": of, "log_id": file, "source_file_id": file, "window_start": hour, "byte_start": 0}
        hashes = dict.fromkeys(("sha256", "previous_sha256", "chain_sha256"), "")
        moments = dict.fromkeys(("first_event_ts", "clock", "vouched_from"), hour)
        ends = {
            "last_event_ts": hour + HOUR - timedelta(minutes=5),
            "vouched_until": hour + HOUR,
            "pulled_at": self.now,
        }
        sizes = {"byte_end": 100, "stored_bytes": 10, "records": 6, "after_text": False, "object_key": f"{of}/{hour}"}
        return {**place, **hashes, **moments, **ends, **sizes}

    def _counts(self, of: str, hour: datetime) -> dict[str, object]:
        names = ("archived_bytes", "event_bytes", "quarantined_bytes", "duplicate_bytes", "quarantined", "duplicates")
        return {"hour": hour, "rustbucket_id": of, **dict.fromkeys(names, 0), "events": 6}

    def _skewed(self, of: str, hour: datetime) -> list[dict[str, object]]:
        if not self.script.wrong("skewed", of, hour):
            return []
        return [
            {
                "event_id": f"{of}{hour:%Y%m%d%H}{number}", "rustbucket_id": of, "event_ts": hour, "clamped": True,
                "claimed_ts": hour - timedelta(days=400), "dialect": "json", "event_type": "other", "counted": True,
                "message": "", "segment_id": 1, "byte_offset": number, "byte_length": 1, "parser_version": 1,
            }
            for number in range(6)
        ]  # fmt: skip


def _build(asset: str, window: datetime, at: datetime) -> dict[str, object]:
    versions = dict.fromkeys(("inputs_version", "output_version", "code_version"), "")
    return {"asset": asset, "window_start": window, "built_at": at, **versions}
