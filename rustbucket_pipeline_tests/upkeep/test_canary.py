"""A canary on its way through the real chain: seen at each stage, missed where it stops, counted nowhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import build_analysis
from rustbucket_pipeline.archive.fleet_pull import contents_of, pull_fleet
from rustbucket_pipeline.archive.growth import growth_since
from rustbucket_pipeline.archive.opening import openers
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.events.build import HourOutcome, build_hour
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import tables
from rustbucket_pipeline.storage.analysis_tables import window_digests
from rustbucket_pipeline.storage.canary import CANARY, canaries
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.session_tables import session_parts
from rustbucket_pipeline.upkeep.canary import CANARY_TASK, KEPT
from rustbucket_pipeline.upkeep.health import Health
from rustbucket_pipeline.upkeep.health_canary import look_at_canary
from rustbucket_pipeline.upkeep.task import Bench
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines
from rustbucket_pipeline_tests.upkeep.dagster_told import DagsterTold

NOW = datetime(2026, 3, 2, 12, 5, tzinfo=UTC)
HOUR_OF_IT, WINDOW = Window(NOW.replace(hour=11, minute=0), HOUR), Window(NOW.replace(hour=8, minute=0), FOUR_HOURS)
REST = 6 * HOUR

Flying = Callable[[], tuple[Health, str]]


@dataclass
class Chain:
    """The chain of stages, run by hand, and the canary's checks between them."""

    settings: Settings
    engine: Engine
    archive: Archive
    now: datetime = NOW
    outcomes: list[HourOutcome] = field(default_factory=list)

    def enters(self) -> None:
        CANARY_TASK.run(self.bench)

    @property
    def bench(self) -> Bench:
        return Bench(self.settings, self.engine, self.archive, DagsterTold(), self.now)

    def pulls(self) -> None:
        context = PullContext(self.engine, self.archive, NOW - timedelta(days=30), self.now, "run")
        fleet = registry.pulled_rustbuckets(self.engine)
        half = Window(HOUR_OF_IT.start + HALF_HOUR, HALF_HOUR)
        pulled = pull_fleet(context, openers(fleet, self.settings, _no_s3, lambda _: None), [half])
        assert pulled.failed == {}

    def parses(self) -> None:
        self.outcomes.append(build_hour(self.engine, self.archive, HOUR_OF_IT, self.now, "run"))

    def digests(self) -> None:
        build_digest(self.engine, WINDOW, self.now, "run")

    def reports(self) -> None:
        build_analysis(self.engine, self.settings, WINDOW, self.now, "run")

    def later(self, span: timedelta = REST) -> tuple[Health, str]:
        """What is found so much later."""
        bench = Bench(self.settings, self.engine, self.archive, DagsterTold(), self.now + span)
        (found,) = look_at_canary(bench)
        return found.health, found.why


def _no_s3(_: str | None) -> object:
    raise AssertionError("nothing lies in S3 here")


@pytest.fixture
def chain(changed: Callable[..., Settings], database: Engine, archive: Archive, tmp_path: Path) -> Chain:
    """A fleet of one, of which the hour's file is there."""
    sources = tmp_path / "sources"
    (sources / "one" / "i").mkdir(parents=True)
    (sources / "one" / "i" / f"rustbucket.log.{HOUR_OF_IT.start:%Y-%m-%d-%H}").write_bytes(
        hour_of_lines(HOUR_OF_IT.start)
    )
    settings = changed(RUSTBUCKET_SOURCE_ROOTS=str(sources))
    settings.home.mkdir()
    with database.begin() as connection:
        entry = Entry(name="one", logs_url=(sources / "one").as_uri())
        registry.approve(connection, registry.add(connection, settings, entry, NOW - HOUR).id, NOW - HOUR)
    return Chain(settings, database, archive)


def test_without_a_fleet_none_enters(changed: Callable[..., Settings], database: Engine, archive: Archive) -> None:
    settings = changed()
    settings.home.mkdir()
    chain = Chain(settings, database, archive)
    assert "no rustbucket is active" in CANARY_TASK.run(chain.bench).summary
    assert chain.later() == (Health.OK, "none entered lately")


def test_it_is_missed_at_the_stage_where_it_stopped_and_found_at_the_end(chain: Chain) -> None:
    chain.enters()
    assert chain.later(HOUR) == (Health.OK, "1 are under way")
    assert chain.later() == (
        Health.ERROR,
        "the one of 2026-03-02 12:05 UTC stopped: it never came from its source into the archive",
    )
    stages = (
        (chain.pulls, "no row was made of it"),
        (chain.parses, "the digest of its window isn't made of it"),
        (chain.digests, "in no report"),
    )
    for stage, missed in stages:
        stage()
        health, why = chain.later()
        assert health is Health.ERROR
        assert missed in why
    chain.reports()
    assert chain.later() == (Health.OK, "the one of 2026-03-02 12:05 UTC came as far as the report")


def test_each_has_a_nonce_of_its_own_and_the_newest_that_should_have_arrived_counts(chain: Chain) -> None:
    chain.enters()
    for stage in (chain.pulls, chain.parses, chain.digests, chain.reports):
        stage()
    chain.now += 4 * HOUR
    chain.enters()
    assert chain.later(HOUR)[0] is Health.OK
    assert chain.later()[0] is Health.ERROR
    with chain.engine.connect() as connection:
        assert connection.execute(select(func.count(canaries.c.nonce.distinct()))).scalar_one() == 2


def test_it_is_counted_nowhere(chain: Chain, database: Engine) -> None:
    stages = (chain.pulls, chain.parses, chain.digests, chain.reports)
    for stage in stages:
        stage()
    before, outcome = counts(database), chain.outcomes[-1]
    chain.enters()
    for stage in stages:
        stage()
    assert chain.later()[0] is Health.OK
    assert counts(database) == before
    after = chain.outcomes[-1]
    assert (after.rustbuckets, after.segments, after.events, after.archived_bytes, after.counted) == (
        outcome.rustbuckets, outcome.segments, outcome.events, outcome.archived_bytes, outcome.counted,
    )  # fmt: skip


def counts(database: Engine) -> dict[str, object]:
    """Everything that counts or lists: rows, sums, the digest, hours, the readers' views, figures."""
    with database.connect() as connection:
        rows = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.log_events, tables.hour_counts, tables.quarantine, session_parts)
        }
        views = ("fleet", "logs", "events", "sessions", "rustbucket_watermarks", "rustbucket_hours", "hourly_counts")
        rows |= {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in views}
        half = HOUR_OF_IT.start + HALF_HOUR
        held, grown = contents_of(connection, half), growth_since(connection, None)
        digest = connection.execute(select(window_digests.c.sha256, window_digests.c.digest)).one()
        figures = connection.execute(text(load("statistics_archive"))).one()
        fleet = [one.id for one in registry.everyone(connection)]
    return {
        **rows, "digest": tuple(digest), "fleet": fleet, "grown": grown, "figures": tuple(figures),
        "held": (held.rustbuckets, held.segments, held.records, held.raw_bytes, held.stored_bytes),
    }  # fmt: skip


def load(name: str) -> str:
    import rustbucket_pipeline.upkeep as room

    return (Path(room.__path__[0]) / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def test_its_files_go_after_a_week_and_its_rustbucket_waits_for_nobody(chain: Chain, database: Engine) -> None:
    chain.enters()
    place = chain.settings.home / "canary"
    assert len(list(place.glob("canary-*/*"))) == 1
    chain.now = datetime.now(UTC) + KEPT + HOUR
    told = CANARY_TASK.run(chain.bench)
    assert told.figures["removed_files"] == 2
    with database.connect() as connection:
        hours = text("SELECT count(*) FROM rustbucket_hours WHERE rustbucket_id = :canary")
        assert connection.execute(hours, {"canary": CANARY}).scalar_one() == 0
