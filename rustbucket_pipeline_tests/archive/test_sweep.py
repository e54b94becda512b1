"""Sweeping: what no row names goes by age; what a row names, or is about to, stays."""

import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import ClassVar

import pytest
from sqlalchemy import Engine, select, text

from rustbucket_pipeline.archive.sources.base import HeldOf, Listing, SourceFile
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.archive.sweep import Swept, sweep
from rustbucket_pipeline.storage.tables import segments
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, hour_of_lines

TWO_DAYS = timedelta(days=2)
ORPHAN = f"raw/{BKT}/2026/03/02/0900/{'0' * 64}.log.zst"
STRANGER = "raw/somebody/else"


def run(fleet: FleetOnDisk, later: timedelta = timedelta(days=3), *, dry_run: bool = False) -> Swept:
    """Sweep as if it were so much later than the objects were written, which the store dates by its own clock."""
    return sweep(fleet.engine, fleet.archive, TWO_DAYS, datetime.now(UTC) + later, dry_run=dry_run)


@pytest.fixture
def held(fleet: FleetOnDisk) -> FleetOnDisk:
    fleet.write("abc/rustbucket.log.2026-03-02-09", hour_of_lines(NINE))
    fleet.pull()
    fleet.archive.put_new(ORPHAN, b"left over")
    fleet.archive.put_new(STRANGER, b"who?")
    return fleet


def objects(fleet: FleetOnDisk) -> set[str]:
    return set(fleet.archive.keys("raw"))


def test_orphans_go_and_referenced_objects_stay(held: FleetOnDisk) -> None:
    swept = run(held)
    assert set(swept.keys) == {ORPHAN, STRANGER}
    assert swept.bytes == len(b"left over") + len(b"who?")
    with held.engine.connect() as connection:
        assert objects(held) == set(connection.execute(select(segments.c.object_key)).scalars())
    assert run(held) == Swept((), 0)


def test_what_is_young_may_still_get_its_row_and_stays(held: FleetOnDisk) -> None:
    assert run(held, timedelta(days=1)) == Swept((), 0)
    assert objects(held) >= {ORPHAN, STRANGER}


def test_a_dry_run_names_them_and_removes_nothing(held: FleetOnDisk) -> None:
    before = objects(held)
    assert set(run(held, dry_run=True).keys) == {ORPHAN, STRANGER}
    assert objects(held) == before


def test_manifests_are_no_orphans(held: FleetOnDisk) -> None:
    held.archive.put_new("manifests/2026/03/02.json", b"{}")
    run(held)
    assert held.archive.size("manifests/2026/03/02.json") == 2


def wait_for_a_waiter(engine: Engine) -> None:
    """Return when somebody waits for an advisory lock."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    until = time.monotonic() + 30
    with engine.connect() as connection:
        while not connection.execute(waiting).scalar_one():
            assert time.monotonic() < until, "nobody waits"
            time.sleep(0.01)


@dataclass
class HeldUp:
    """A directory whose last file is read to its end only when somebody says so: a pull in the middle of its work."""

    directory: DirectorySource
    reading: Event
    go_on: Event
    waits: ClassVar[bool] = False

    def files(self, held: HeldOf) -> Listing:
        return self.directory.files(held)

    @contextmanager
    def open(self, file: SourceFile, start: int) -> Generator[Iterator[bytes]]:
        with self.directory.open(file, start) as blocks:
            yield blocks
        if file.key.endswith("-10"):
            self.reading.set()
            assert self.go_on.wait(30)


def test_an_old_orphan_that_a_pull_in_progress_takes_up_again_stays(held: FleetOnDisk) -> None:
    """As after a kill: the objects are there, their rows aren't, and the pull finds its object stored already."""
    with held.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE segments, source_files CASCADE")
    held.write("abc/rustbucket.log.2026-03-02-10", hour_of_lines(NINE + timedelta(hours=1)))
    source = HeldUp(DirectorySource(Path(held.root) / BKT), Event(), Event())
    held.openers[BKT] = lambda: [source]
    with ThreadPoolExecutor(2) as pool:
        pulling = pool.submit(held.pull)
        assert source.reading.wait(30)
        sweeping = pool.submit(run, held)
        wait_for_a_waiter(held.engine)
        assert not sweeping.done()
        source.go_on.set()
        pulling.result(30)
        swept = sweeping.result(30)
    assert set(swept.keys) == {ORPHAN, STRANGER}
    with held.engine.connect() as connection:
        named = set(connection.execute(select(segments.c.object_key)).scalars())
    assert named
    assert named <= objects(held)
