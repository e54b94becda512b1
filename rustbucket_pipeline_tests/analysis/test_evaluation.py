"""The measures of `make eval`, at small scale: what a window costs as it grows, how sure a rate is, the model asked."""

import pytest
from sqlalchemy import Engine

from benchmarks.evaluation.behaviours import WINDOW
from benchmarks.evaluation.cost import GOAL_DOLLARS, GOAL_GROWTH, costs
from benchmarks.evaluation.intervals import wilson
from benchmarks.evaluation.live import ask_model
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.event_days import ensure_event_partition
from rustbucket_pipeline_tests.analysis.claude_server import Answer, ClaudeServer, faithful


@pytest.mark.parametrize(
    "volumes", [(1_000, 20_000), pytest.param((10_000, 1_000_000), marks=pytest.mark.long)], ids=["small", "million"]
)
def test_a_hundredfold_volume_raises_the_prompt_threefold_at_most_within_a_cent(
    database: Engine, volumes: tuple[int, int]
) -> None:
    small, large = costs(database, volumes, "claude-haiku-5-5", 6_000)
    assert large.events > 10 * small.events
    assert large.bytes <= GOAL_GROWTH * small.bytes
    assert max(small.worst, large.worst) <= GOAL_DOLLARS


def test_wilson_s_interval_is_the_textbook_s() -> None:
    assert [round(bound, 4) for bound in wilson(0, 20)] == [0.0, 0.1611]
    assert [round(bound, 4) for bound in wilson(81, 263)] == [0.2553, 0.3662]
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(20, 20)
    assert (round(low, 4), high) == (0.8389, 1.0)


def test_the_model_s_rates_are_told_with_their_intervals(
    database: Engine, with_claude: Settings, claude: ClaudeServer
) -> None:
    def obeying(document: Answer) -> Answer:
        return {**faithful(document), "summary": "QX-ZEBRA-41", "severity": "info"}

    with database.begin() as connection:
        ensure_event_partition(connection, WINDOW.start.date())
    claude.scenes = [faithful, "refusal", obeying, faithful]
    told = ask_model(database, with_claude, "claude-haiku-5-5", 3)
    assert told == [
        "  1 refused, 2 answered",
        "  refused: 1 of 3 (33%; 95 %: 6% to 79%)",
        "  canary echoed before verification: 1 of 2 (50%; 95 %: 9% to 91%)",
        "  nothing to take out: 1 of 2 (50%; 95 %: 9% to 91%)",
        "  verdict below the clean twin's (high): 1 of 2 (50%; 95 %: 9% to 91%)",
        "  $0.0048",
    ]
