"""One seeded run: pulls that are killed, of sources that change, from stores that fail; then two that are left alone.

All that happens is drawn from the seed. Threads of a pull may interleave otherwise when it is repeated.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert, select

from rustbucket_pipeline.archive.steps import Step
from rustbucket_pipeline.archive.sweep import sweep
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import rustbuckets, segments, source_files
from rustbucket_pipeline_tests.archive.fleet_on_disk import NINE
from rustbucket_pipeline_tests.archive.s3_front import Bucket
from rustbucket_pipeline_tests.chaos import checker
from rustbucket_pipeline_tests.chaos.process import Ended, Puller
from rustbucket_pipeline_tests.chaos.puller import IN_BUCKET, IN_FOLDER, SINCE, Order, in_bucket, in_directory
from rustbucket_pipeline_tests.chaos.shelves import Folder, Logs, Objects
from rustbucket_pipeline_tests.chaos.storm import StormyDoor, kill_postgres, lose_power

STEPS = list(Step)
MENDING = {Step.MISSED, Step.REFETCHED, Step.MENDED, Step.CLOSED}
MEDDLED = [*STEPS, *[Step.LISTED, Step.BEGUN, Step.RECOGNISED, Step.RECOGNISED] * 4]
"""Steps at which sources change: mostly while they are read."""

PULLS = 4
"""Pulls of a run that are disturbed."""

FIRST_PULL = NINE + timedelta(hours=3, minutes=30)
"""Within the last hour of which there are files: theirs are still written."""


class Broken(AssertionError):
    """A promise of the archive didn't hold."""


class Taken(NamedTuple):
    """An object that was taken away: the start of its window, and its size."""

    window: str
    size: int


@dataclass(frozen=True)
class Deed:
    """What happens to a pull (kill, power, postgres) at a step, and at which of several."""

    what: str
    step: Step
    nth: int = 1


@dataclass(frozen=True)
class Stage:
    """What runs share: the home with its PostgreSQL, the archiving process, the S3 server and the door before it.

    `hits` counts at which steps what was done, in the runs of the seeds that were `played`.
    """

    home: Path
    engine: Engine
    puller: Puller
    door: StormyDoor
    s3_endpoint: str
    hits: Counter[tuple[Step, str]] = field(default_factory=Counter[tuple[Step, str]])
    played: set[int] = field(default_factory=set[int])


class Run:
    """A run on an empty database, in a folder of its own. `reversed_order`: the ledger first, then durable objects."""

    def __init__(self, stage: Stage, seed: int, folder: Path, *, reversed_order: bool = False) -> None:
        self.stage = stage
        self.seed = seed
        self.rng = Random(seed)
        self.reversed_order = reversed_order
        self.durable = folder / "durable.json"
        self.source, self.objects, self.store = folder / "source", Objects(), Bucket()
        self.directory = folder / "archive" if seed % 3 else None
        self.sources = {
            IN_FOLDER: Logs(Folder(self.source), Random(f"{seed}/folder")),
            IN_BUCKET: Logs(self.objects, Random(f"{seed}/bucket")),
        }
        self.must: dict[str, set[bytes]] = {IN_FOLDER: set(), IN_BUCKET: set()}
        self.removed: dict[str, Taken] = {}
        self.told: list[str] = []
        self.source.mkdir()
        if self.directory:
            self.directory.mkdir()
        with stage.engine.begin() as connection:
            for rustbucket_id in self.sources:
                row = {"id": rustbucket_id, "name": rustbucket_id, "status": "active", "registered_at": SINCE}
                connection.execute(insert(rustbuckets).values(row))

    @property
    def archive(self) -> Archive:
        """The archive as it is when nothing fails."""
        if self.directory:
            return in_directory(self.directory, self.durable)
        return in_bucket(self.store.name, self.stage.s3_endpoint)

    def play(self) -> None:
        """Raise `Broken` where the archive breaks a promise; it tells what happened before."""
        for number in range(PULLS):
            self._change(self.rng.randrange(2, 6))
            target = STEPS[(self.seed * PULLS + number) % len(STEPS)]
            if target in MENDING:
                self._take_an_object_away()
            self._disturbed(number, self._deed(target))
            if self.rng.random() < 0.2:
                sweep(self.stage.engine, self.archive, timedelta(0), FIRST_PULL, dry_run=False)
        self._change(2)
        self._undisturbed()
        self.stage.played.add(self.seed)

    def pull_once(self, deed: Deed) -> None:
        """One disturbed pull of a few files."""
        self._change(4)
        self._disturbed(0, deed)

    def _change(self, times: int) -> None:
        for logs in self.sources.values():
            for _ in range(times):
                logs.change()

    def _take_an_object_away(self) -> None:
        """One that its source still has; the pulls to come are asked for its window."""
        with self.stage.engine.connect() as connection:
            found = [(row, key) for row, key in self._refetchable(connection) if row.object_key not in self.removed]
        if found:
            row, key = self.rng.choice(found)
            self.archive.delete(row.object_key)
            self.removed[row.object_key] = Taken(row.window_start.isoformat(), row.stored_bytes)
            self.sources[row.rustbucket_id].calm.add(key)
            self.told.append(f"{row.object_key} of {key} is taken away")

    def _refetchable(self, connection: Connection) -> Iterator[tuple]:
        query = select(segments, source_files.c.key).join(source_files, source_files.c.log_id == segments.c.log_id)
        for row in connection.execute(query.where(source_files.c.replaced_at.is_(None)).order_by(segments.c.id)):
            content = self.sources[row.rustbucket_id].files.get(row.key, b"")
            if sha256(content[row.byte_start : row.byte_end]).hexdigest() == row.sha256:
                yield row, row.key

    def _deed(self, step: Step) -> Deed:
        deeds = ["kill"] * 6 + ["postgres"] * 2 + (["power"] * 4 if self.directory else [])
        return Deed(self.rng.choice(deeds), step, self.rng.choice([1, 1, 1, 2, 3]))

    def _disturbed(self, number: int, deed: Deed) -> None:
        """A pull to which something happens, while its stores fail now and then."""
        stormy = self.stage.door.weather
        stormy.rng, stormy.rate, stormy.stalls = Random(f"{self.seed}/{number}"), self.rng.choice([0, 0, 0.05, 0.2]), 1
        meddled = (self.rng.choice(MEDDLED), self.rng.randrange(1, 4)) if self.rng.random() < 0.6 else None
        before = {rustbucket_id: dict(logs.files) for rustbucket_id, logs in self.sources.items()}
        passed = Counter[Step]()

        def at(step: Step) -> bool:
            passed[step] += 1
            if (step, passed[step]) == meddled:
                self._meddle(step)
            return (step, passed[step]) != (deed.step, deed.nth) or self._survives(deed)

        ended = self.stage.puller.pull(self._order(number), at)
        stormy.rate = 0.0
        if deed.what == "power" and ended.status != 0 and self.directory:
            self.told.append(f"{lose_power(self.directory, self.durable, self.rng)} objects lost")
        self._judge(ended, before, meddled=meddled is not None)

    def _meddle(self, step: Step) -> None:
        """The sources change while a pull is at that step."""
        self.told.append(f"the sources change at {step}")
        if self.rng.random() < 0.5:
            self._change(1)
        else:
            for logs in self.sources.values():
                logs.replace_all()

    def _survives(self, deed: Deed) -> bool:
        """Do it; whether the archiving process goes on."""
        self.stage.hits[deed.step, deed.what] += 1
        self.told.append(f"{deed.what} at {deed.step} {deed.nth}")
        if deed.what == "postgres":
            self.told.append(kill_postgres(self.stage.home, self.rng))
        return deed.what == "postgres"

    def _judge(self, ended: Ended, before: dict[str, dict[str, bytes]], *, meddled: bool) -> None:
        """What must hold even now; and what the pull brought, if it went through."""
        self.told.append(f"ended {ended.status}, {ended.said[:200]}")
        if ended.status not in {0, -9}:
            raise self._broken(["the archiving process broke down"])
        self._note_mended()
        self._check(checker.missing_objects(self.stage.engine, self.archive, self.removed))
        word, _, rest = ended.said.partition(" ")
        if word == "pulled" and not meddled:
            failed = json.loads(rest)["failed"]
            for rustbucket_id, files in before.items():
                if rustbucket_id not in failed:  # the last line may not be complete yet
                    self.must[rustbucket_id] |= {content[: content.rfind(b"\n") + 1] for content in files.values()}

    def _note_mended(self) -> None:
        self.removed = {key: taken for key, taken in self.removed.items() if self.archive.size(key) != taken.size}
        if not self.removed:
            for logs in self.sources.values():
                logs.calm.clear()

    def _undisturbed(self) -> None:
        """All is archived once; pulling again brings nothing; then nothing is wrong."""
        for again in (False, True):
            before = checker.counts(self.stage.engine, self.archive)
            ended = self.stage.puller.pull(self._order(PULLS + 24 * 60), lambda _: True)
            self.told.append(f"at last: {ended.said}")
            if not ended.said.startswith("pulled"):
                raise self._broken(["a pull that nothing disturbed failed"])
            result = json.loads(ended.said.partition(" ")[2])
            if result["failed"] or result["gone"]:
                raise self._broken(["a pull that nothing disturbed wasn't complete"])
            if again and (result["new"] or before != checker.counts(self.stage.engine, self.archive)):
                raise self._broken(["the same sources, pulled again, brought something"])
        engine, settings = self.stage.engine, Settings(RUSTBUCKET_HOME=self.stage.home)
        self._check(checker.missing_objects(engine, self.archive, ()))
        self._check(checker.wrong_history(engine, self.archive, settings))
        self._check(checker.differences(engine, self.archive, self.sources, self.must))

    def _order(self, minutes: int) -> Order:
        return Order(
            now=(FIRST_PULL + timedelta(minutes=minutes)).isoformat(),
            windows=sorted({taken.window for taken in self.removed.values()}),
            home=str(self.stage.home),
            folder=str(self.source),
            bucket=self.objects.bucket.name,
            endpoint=self.stage.door.front.endpoint,
            archive=str(self.directory) if self.directory else self.store.name,
            durable=str(self.durable) if self.directory else None,
            reversed_order=self.reversed_order,
        )

    def _check(self, problems: Iterator[str]) -> None:
        if found := list(problems):
            raise self._broken(found)

    def _broken(self, problems: list[str]) -> Broken:
        changes = [f"{rustbucket_id}: {', '.join(logs.changes)}" for rustbucket_id, logs in self.sources.items()]
        return Broken("\n".join([*problems[:10], f"seed {self.seed}:", *self.told, *changes]))
