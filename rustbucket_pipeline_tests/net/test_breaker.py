"""What fails again and again is asked less and less often, endpoint by endpoint, across runs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.net import breaker
from rustbucket_pipeline.net.asking import EXTRACT_LOGS, UPDATE_BUCKET
from rustbucket_pipeline.storage.tables import rustbuckets

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BKT = "BKT100001"


@pytest.fixture
def engine(database: Engine) -> Engine:
    """A registry with two rustbuckets that may be asked."""
    rows = [
        {"id": of, "name": of, "status": "active", "registered_at": NOW, "http_allowed": True}
        for of in (BKT, "BKT100002")
    ]
    with database.begin() as connection:
        connection.execute(insert(rustbuckets), rows)
    return database


def _note(engine: Engine, *outcomes: Outcome, endpoint: str = UPDATE_BUCKET) -> None:
    for outcome in outcomes:
        with engine.begin() as connection:
            breaker.note(connection, endpoint, {BKT: outcome}, NOW)


def _paused(engine: Engine, now: datetime = NOW, endpoint: str = UPDATE_BUCKET) -> set[str]:
    return set(breaker.paused(engine, endpoint, now))


def test_pauses_begin_at_the_fourth_failure_and_double_to_a_limit() -> None:
    minutes = [breaker.pause_after(failures) / MINUTE for failures in (1, 3, 4, 5, 6, 7, 1000)]
    assert minutes == [0, 0, 30, 60, 120, 120, 120]


def test_failures_in_a_row_pause_it_and_it_is_asked_again_afterwards(engine: Engine) -> None:
    _note(engine, Outcome.TIMEOUT, Outcome.REFUSED, Outcome.UNREACHABLE)
    assert _paused(engine) == set()
    _note(engine, Outcome.HTTP_ERROR)
    assert _paused(engine) == {BKT}
    assert _paused(engine, NOW + 29 * MINUTE) == {BKT}
    assert _paused(engine, NOW + 30 * MINUTE) == set()
    with pytest.raises(FetchFailed, match=r"failed 4 times in a row, asked again from 2026-03-02 12:30 UTC") as caught:
        breaker.check(breaker.paused(engine, UPDATE_BUCKET, NOW), BKT)
    assert caught.value.outcome == Outcome.PAUSED
    breaker.check(breaker.paused(engine, UPDATE_BUCKET, NOW), "BKT100002")


def test_an_answer_forgets_every_failure_before_it(engine: Engine) -> None:
    _note(engine, *[Outcome.TIMEOUT] * 4, Outcome.OK, *[Outcome.TIMEOUT] * 3)
    assert _paused(engine) == set()


def test_being_paused_or_blocked_counts_neither_way(engine: Engine) -> None:
    _note(engine, *[Outcome.TIMEOUT] * 3, *[Outcome.PAUSED, Outcome.BLOCKED] * 5)
    assert _paused(engine) == set()
    _note(engine, Outcome.TIMEOUT)
    assert _paused(engine) == {BKT}


def test_an_endpoint_that_answers_doesnt_excuse_the_other(engine: Engine) -> None:
    for _ in range(4):
        _note(engine, Outcome.TIMEOUT, endpoint=EXTRACT_LOGS)
        _note(engine, Outcome.OK)
    assert (_paused(engine), _paused(engine, endpoint=EXTRACT_LOGS)) == (set(), {BKT})


def test_an_operator_s_decision_forgets_all(engine: Engine) -> None:
    _note(engine, *[Outcome.TIMEOUT] * 4)
    with engine.begin() as connection:
        breaker.reset(connection, BKT)
    assert _paused(engine) == set()


@pytest.mark.parametrize("outcome", [Outcome.DECOY, Outcome.INVALID])
def test_a_decoy_or_a_broken_contract_turns_http_off(engine: Engine, outcome: Outcome) -> None:
    _note(engine, outcome)
    with engine.connect() as connection:
        allowed = {row.id: row.http_allowed for row in connection.execute(select(rustbuckets))}
    assert allowed == {BKT: False, "BKT100002": True}
