"""The chain as the daemon drives it: real ticks ask, real jobs run, on a fleet on disk and at a chosen time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, select

from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, ARCHIVE_LOGS, CHAIN, PARSE_LOGS, Job
from rustbucket_pipeline.control.plan import SETTLED
from rustbucket_pipeline.control.runs import QUIET, load_definitions, windows_of_tags
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, Window, window_at
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.tables import window_builds
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines, json_line
from rustbucket_pipeline_tests.defs.daemon import Daemon, Requests

DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=5)
NOW = DAY + timedelta(hours=9, minutes=11)
NEWEST = Window(window_at(NOW, HALF_HOUR).start - HALF_HOUR, HALF_HOUR)

HOURS = range(5)

Ran = tuple[Job, tuple[Window, ...]]
"""A job, and the windows of one of its runs."""


@dataclass
class Chain:
    """The daemon, the runs it asks for, and the folder into which the fleet uploads."""

    daemon: Daemon
    folder: Path

    def upload(self, hour: datetime, data: bytes, folder: str = "instance") -> None:
        path = self.folder / folder / f"rustbucket.log.{hour:%Y-%m-%d-%H}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def pull(self) -> list[Ran]:
        """The half-hourly tick, and what it asks for."""
        return self.run(self.daemon.asks(ARCHIVE_LOGS))

    def follow(self) -> list[Ran]:
        """Every other tick, again and again, until nothing more is asked for; what was run."""
        ran: list[Ran] = []
        while True:
            self.daemon.now += SETTLED
            asked = [*self.daemon.asks(PARSE_LOGS), *self.daemon.asks(ANALYSE_WINDOWS)]
            found = self.run(asked) + self.run(self.daemon.heal().run_requests or [])
            if not found:
                return ran
            ran += found

    def run(self, requests: Requests) -> list[Ran]:
        """Run what was asked for, to its end."""
        return [self._ran(request) for request in requests]

    def _ran(self, request: dg.RunRequest) -> Ran:
        job = next(job for job in CHAIN if request.job_name in {job.name, None})
        done = self.daemon.definitions.resolve_job_def(job.name).execute_in_process(
            instance=self.daemon.instance,
            partition_key=request.partition_key,
            tags=dict(request.tags),
            run_config=QUIET,
            resources=self.daemon.resources,
        )
        assert done.success
        windows = windows_of_tags(done.dagster_run.tags, job, DAY, self.daemon.now)
        return job, tuple(windows)


@pytest.fixture
def chain(
    settings: Settings, database_url: str, database: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Chain]:
    """A fleet of one, whose first hours of the day are archived, parsed and analysed as far as they can be."""
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    monkeypatch.setenv("RUSTBUCKET_SINCE", DAY.isoformat())
    folder = settings.home / "sources" / "one"
    folder.mkdir(parents=True)
    with database.begin() as connection:
        added = registry.add(connection, load_settings(), Entry(name="one", logs_url=folder.as_uri()), DAY)
        registry.approve(connection, added.id, DAY)
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        chain = Chain(Daemon(load_definitions(), instance, NOW), folder)
        for hour in HOURS:
            chain.upload(DAY + hour * HOUR, hour_of_lines(DAY + hour * HOUR))
        chain.pull()
        chain.follow()
        yield chain


def builds(database: Engine) -> dict[tuple[str, datetime], int]:
    """How often each window of each asset was built."""
    table = window_builds.c
    with database.connect() as connection:
        rows = connection.execute(select(table.asset, table.window_start, table.attempts))
        return {(row.asset, row.window_start): row.attempts for row in rows}


def built_since(before: dict[tuple[str, datetime], int], database: Engine) -> set[tuple[str, datetime]]:
    return {place for place, times in builds(database).items() if times != before.get(place)}


def test_everything_is_built_once_each_layer_after_the_one_before(chain: Chain, database: Engine) -> None:
    found = builds(database)
    assert {start for asset, start in found if asset == "parsed_logs"} == {DAY + hour * HOUR for hour in HOURS}
    assert {start for asset, start in found if asset == "log_analysis"} == {DAY}
    assert {times for (asset, _), times in found.items() if asset != "log_archives"} == {1}


def test_a_pull_that_finds_nothing_new_launches_nothing_downstream(chain: Chain, database: Engine) -> None:
    before = builds(database)
    assert chain.pull() == [(ARCHIVE_LOGS, (NEWEST,))]
    assert chain.follow() == []
    assert built_since(before, database) == {("log_archives", NEWEST.start)}


def test_one_late_record_rebuilds_exactly_its_hour_its_digest_and_nothing_else(chain: Chain, database: Engine) -> None:
    before, hour = builds(database), Window(DAY + 2 * HOUR, HOUR)
    chain.upload(hour.start, json_line(hour.start + timedelta(minutes=40), "late"), "late")
    assert chain.pull() == [(ARCHIVE_LOGS, (NEWEST,))]
    assert chain.follow() == [(PARSE_LOGS, (hour,)), (ANALYSE_WINDOWS, (window_at(DAY, FOUR_HOURS),))]
    half = hour.start + HALF_HOUR
    assert built_since(before, database) == {
        ("log_archives", NEWEST.start),
        ("log_archives", half),
        ("parsed_logs", hour.start),
        ("window_digest", DAY),
        ("log_analysis", DAY),
    }
