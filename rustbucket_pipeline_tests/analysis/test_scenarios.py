"""Every way in which Claude's side can behave: bounded time and memory, a complete report, the right status, no key."""

import logging
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.analysis.claude_server import KEY, ClaudeServer, Scene, faithful
from rustbucket_pipeline_tests.analysis.test_claude import HAIKU, PACE, SONNET, asked, digested  # noqa: F401 - a fixture

NOTHING_KEPT = "answered, but nothing of it could be kept"

Scenario = tuple[Scene, int, str, str]
"""What the server plays, requests it sees, the report's status, what the report says of Claude."""

ANSWERS: dict[str, Scenario] = {
    "ok": (faithful, 1, "claude", "answered"),
    "slow": ("slow", 1, "claude", "answered"),
    "text": ("text", 2, "deterministic", NOTHING_KEPT),
    "malformed_json": ("malformed_json", 2, "deterministic", NOTHING_KEPT),
    "schema_violation": ("schema_violation", 2, "deterministic", NOTHING_KEPT),
    "empty": ("empty", 2, "deterministic", NOTHING_KEPT),
    "thinking": ("thinking", 2, "deterministic", NOTHING_KEPT),
}
CUT_OR_REFUSED: dict[str, Scenario] = {
    "truncated": ("truncated", 2, "deterministic", "cut: max_tokens"),
    "refusal": ("refusal", 2, "deterministic", "refused by every model"),
}
NO_ANSWERS: dict[str, Scenario] = {
    "context_exceeded": ("context_exceeded", 1, "deterministic", "unusable: model_context_window_exceeded"),
    "pause_turn": ("pause_turn", 1, "deterministic", "unusable: pause_turn"),
    "tool_use": ("tool_use", 1, "deterministic", "unusable: tool_use"),
    "drip": ("drip", 1, "deterministic", "no answer within the deadline"),
    "stall": ("stall", 1, "deterministic", "no answer within the deadline"),
    "html": ("html", 1, "deterministic", "unusable: the answer isn't JSON"),
    "not_json": ("not_json", 1, "deterministic", "unusable: the answer isn't a message"),
    "wrong_shape": ("wrong_shape", 1, "deterministic", "unusable: the answer isn't a message"),
    "redirect": ("redirect", 1, "deterministic", "failed: HTTP 307"),
    "huge": ("huge", 1, "deterministic", "unusable: the answer is too large"),
    "huge_error": ("huge_error", 1, "deterministic", "unusable: the answer is too large"),
    "gzip_bomb": ("gzip_bomb", 1, "deterministic", "unusable: the answer is compressed"),
}
FAILURES: dict[str, Scenario] = {
    "rate_limit": ("rate_limit", 3, "deterministic", "unavailable: HTTP 429 rate_limit_error"),
    "rate_limit_for_a_day": ("rate_limit_for_a_day", 1, "deterministic", "unavailable: HTTP 429 rate_limit_error"),
    "spend_limit": ("spend_limit", 1, "deterministic", "failed: HTTP 429 enforced_spend_limit_reached"),
    "overloaded": ("overloaded", 3, "deterministic", "unavailable: HTTP 529 overloaded_error"),
    "error": ("error", 3, "deterministic", "unavailable: HTTP 500 api_error"),
    "error_no_retry": ("error_no_retry", 1, "deterministic", "failed: HTTP 500 api_error"),
    "too_late": ("too_late", 3, "deterministic", "unavailable: HTTP 408"),
    "conflict": ("conflict", 3, "deterministic", "unavailable: HTTP 409"),
    "unavailable": ("unavailable", 3, "deterministic", "unavailable: HTTP 503"),
    "gateway_timeout": ("gateway_timeout", 3, "deterministic", "unavailable: HTTP 504"),
    "bad_request": ("bad_request", 1, "deterministic", "failed: HTTP 400 invalid_request_error"),
    "unauthorized": ("unauthorized", 1, "deterministic", "failed: HTTP 401 authentication_error"),
    "unpaid": ("unpaid", 1, "deterministic", "failed: HTTP 402 billing_error"),
    "forbidden": ("forbidden", 1, "deterministic", "failed: HTTP 403 permission_error"),
    "no_such_model": ("no_such_model", 1, "deterministic", "failed: HTTP 404 not_found_error"),
    "too_large": ("too_large", 1, "deterministic", "failed: HTTP 413"),
    "drop": ("drop", 3, "deterministic", "unavailable: lost"),
    "reset": ("reset", 3, "deterministic", "unavailable: lost"),
}
SCENARIOS = ANSWERS | CUT_OR_REFUSED | NO_ANSWERS | FAILURES
"""The reference's, and more; `errored` and `expired` are of batches: `test_batch.py`."""

ALIKE = frozenset(
    {"too_late", "conflict", "unavailable", "gateway_timeout", "unpaid", "forbidden", "no_such_model", "too_large"}
)
"""Statuses treated as others of the table are: left to the long tests."""

SECONDS = 10
MEGABYTES = 12
"""Of Python objects at most at once, beside the server's own 10 MB of a bomb."""


@pytest.fixture
def memory() -> Iterator[None]:
    """Python's allocations are watched; they slow a test, so only those that need it ask."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


Play = Callable[[str], None]


@pytest.fixture
def play(
    digested: Engine,  # noqa: F811
    with_claude: Settings,
    claude: ClaudeServer,
    caplog: pytest.LogCaptureFixture,
) -> Play:
    """Plays a scenario and holds it to its line, to its time, and to keeping the key."""

    def played(name: str) -> None:
        scene, requests, status, outcome = SCENARIOS[name]
        caplog.set_level(logging.DEBUG)
        seconds = 2 if outcome.startswith("no answer") else SECONDS
        started = time.monotonic()
        told = asked(digested, with_claude, claude, scene, pace=replace(PACE, deadline_seconds=seconds))
        assert time.monotonic() - started < SECONDS
        assert (told.status, len(claude.requests)) == (status, requests)
        assert told.claude.startswith(outcome)
        assert KEY not in caplog.text
        assert KEY not in repr(told) + repr(with_claude)
        with digested.connect() as connection:
            for table in ("log_analyses", "claude_calls", "findings", "window_builds", "alerts"):
                assert KEY not in str(connection.execute(text(f"SELECT * FROM {table}")).all())

    return played


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_used_asked_for_once_more_or_left(play: Play, name: str) -> None:
    play(name)


def test_case_51_a_refusal_goes_to_the_next_model_once(play: Play, claude: ClaudeServer) -> None:
    play("refusal")
    assert claude.models == [HAIKU, SONNET]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long) if name in ALIKE else name for name in FAILURES]
)
def test_case_52_failures_are_tried_again_within_bounds_or_not_at_all(play: Play, name: str) -> None:
    play(name)


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_case_53_what_is_no_answer_takes_bounded_time(play: Play, name: str) -> None:
    play(name)


def test_case_54_a_cut_answer_gets_twice_the_room_once(play: Play, claude: ClaudeServer) -> None:
    play("truncated")
    assert [request["max_tokens"] for request in claude.requests] == [6000, 12_000]


@pytest.mark.parametrize("scene", ["huge", "huge_error", "gzip_bomb"])
def test_case_53_no_answer_however_large_takes_more_than_its_bound(
    digested: Engine,  # noqa: F811
    with_claude: Settings,
    claude: ClaudeServer,
    memory: None,
    scene: str,
) -> None:
    asked(digested, with_claude, claude, faithful)
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    changed_models = with_claude.model_copy(update={"claude_models": ("claude-sonnet-5-5",)})
    asked(digested, changed_models, claude, scene)
    assert tracemalloc.get_traced_memory()[1] - before < MEGABYTES * 1_000_000


def test_case_56_a_dead_server_and_debug_logs_carry_no_key_away(
    digested: Engine,  # noqa: F811
    with_claude: Settings,
    claude: ClaudeServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ANTHROPIC_LOG", "debug")
    claude.shutdown()
    claude.server_close()
    outcome = asked(digested, with_claude, claude, faithful)
    assert outcome.claude == "unavailable: lost"
    assert KEY not in caplog.text
