"""The stage of the chaos runs: one PostgreSQL, one S3 server and one archiving process serve all of them."""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.archive.steps import Step
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases, embedded
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline_tests.chaos.process import Puller
from rustbucket_pipeline_tests.chaos.run import Stage
from rustbucket_pipeline_tests.chaos.storm import storm_before

SEEDS = 200
"""Of the long suite."""

FEWEST_HITS = 5
"""At each step, over the long suite."""

HITS = pytest.StashKey[Counter[tuple[Step, str]]]()


@pytest.fixture(scope="session")
def stage(scratch: Path, s3_address: str, pytestconfig: pytest.Config) -> Iterator[Stage]:
    """As in production: the embedded server, durable, brought back by whoever needs it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # each request, in what a failed run shows
    home = scratch / "chaos"
    settings = Settings(RUSTBUCKET_HOME=home)
    with embedded.shared(home), storm_before(s3_address) as door:
        engine = open_database(settings)
        rename(settings, engine, databases.DATABASE, "migrated")
        puller = Puller()
        stage = Stage(home, engine, puller, door, s3_address)
        pytestconfig.stash[HITS] = stage.hits
        yield stage
        puller.close()
        engine.dispose()
    if len(stage.played) == SEEDS:
        seldom = [step for step in Step if hits_of(stage.hits, step) < FEWEST_HITS]
        assert not seldom, f"a pull was disturbed fewer than {FEWEST_HITS} times at {', '.join(seldom)}"


@pytest.fixture
def fresh_stage(stage: Stage) -> Stage:
    """The same with an empty database."""
    settings = Settings(RUSTBUCKET_HOME=stage.home)
    stage.engine.dispose()
    embedded.ensure(stage.home)
    with databases.maintenance(settings) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {databases.DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {databases.DATABASE} TEMPLATE migrated".encode())
    return stage


def rename(settings: Settings, engine: Engine, old: str, new: str) -> None:
    engine.dispose()
    with databases.maintenance(settings) as connection:
        connection.execute(f"ALTER DATABASE {old} RENAME TO {new}".encode())


def hits_of(hits: Counter[tuple[Step, str]], step: Step) -> int:
    return sum(count for (at, _), count in hits.items() if at is step)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How often something was done at each step of a pull."""
    hits = config.stash.get(HITS, None)
    if hits is None:
        return
    terminalreporter.section("steps at which a pull was disturbed")
    for step in Step:
        deeds = {deed: count for (at, deed), count in sorted(hits.items()) if at is step}
        shown = ", ".join(f"{deed} {count}" for deed, count in deeds.items())
        terminalreporter.write_line(f"{step:<12}{hits_of(hits, step):>4}  {shown}")
