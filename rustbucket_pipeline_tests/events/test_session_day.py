"""A whole day of sessions, hour by hour, against the day in one piece and against who really wrote each row."""

import sys
from collections import Counter, defaultdict
from functools import partial
from random import Random

import pytest

from rustbucket_pipeline.events.sessions import build_sessions
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline_tests.events.session_day import START, played_day

TOLD = (
    "session_id, protocol, src_ip, started_at, ended_at, closed, confidence, events, logins, commands, requests, mails"
)
IN_ONE_PIECE = f"select first_event_id as {TOLD} from session_parts where hour = '{START}'"
PARTS = "select * from session_parts order by hour, rustbucket_id, number"


@pytest.fixture
def play(tmp_path, database, settings, archive):
    """Plays so many hours."""
    return partial(played_day, tmp_path / "logs", database, settings, archive)


def test_sessions_over_the_hours_are_those_of_the_day_in_one_piece_and_of_the_truth(play, capsys):
    day = play(hours=24)
    by_hour = day.rows(f"select {TOLD}, event_ids, parts from sessions")
    agreement = _agreement(by_hour, _in_one_piece(day))
    wrong, whole = _against_truth(day, by_hour)
    confidence = Counter(row["confidence"] for row in by_hour)
    joined = sum(row["parts"] > 1 for row in by_hour)
    figures = (
        f"{len(by_hour):,} sessions, {joined} of them over an hour's end: {dict(confidence)}",
        f"of the day in one piece, the same by hour: {agreement:.2%}",
        f"counted rows in another visit's session: {wrong}; visits told whole: {whole}",
    )
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(figures) + "\n")
    assert joined > 15
    assert agreement > 0.97
    for sure in ("exact", "by_order"):
        assert wrong[sure][0] <= 0.002 * wrong[sure][1]


def test_an_hour_s_parts_are_a_function_of_its_rows(play):
    day = play(hours=4)
    before = day.rows(PARTS)
    with day.database.begin() as connection:
        for hour in Random(3).sample(day.hours, len(day.hours)):
            build_sessions(connection, hour)
    assert day.rows(PARTS) == before


def _in_one_piece(day):
    with day.database.connect() as connection:
        build_sessions(connection, Window(START, len(day.hours) * HOUR))
        rows = connection.exec_driver_sql(IN_ONE_PIECE).mappings().all()
        connection.rollback()
    return rows


def _agreement(by_hour, in_one_piece):
    """The share of the day's sessions that the view tells exactly alike."""
    seen = {tuple(row.values())[:-2] for row in by_hour}
    return sum(tuple(row.values()) in seen for row in in_one_piece) / len(in_one_piece)


def _against_truth(day, sessions):
    """By confidence, counted rows in a session of another visit, of how many; how many visits one session tells."""
    wrong, parts_of = defaultdict(lambda: [0, 0]), defaultdict(set)
    for session in sessions:
        visits = [day.visit_of[event] for event in session["event_ids"] if event in day.visit_of]
        own = day.visit_of.get(session["session_id"])
        for visit in visits:
            parts_of[visit].add(session["session_id"])
        if session["confidence"] != "ambiguous":
            wrong[session["confidence"]][0] += sum(visit != own for visit in visits)
            wrong[session["confidence"]][1] += len(visits)
    whole = sum(len(parts) == 1 for parts in parts_of.values())
    return dict(wrong), f"{whole} of {len(parts_of)}"
