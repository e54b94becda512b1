"""A whole day of sessions, hour by hour, against the day in one piece and against who really wrote each row."""

import sys
from collections import Counter, defaultdict
from functools import partial
from random import Random

import pytest

from rustbucket_pipeline.demo.dialects import DIALECTS
from rustbucket_pipeline.events.sessions import build_sessions
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline_tests.events.session_day import START, played_day

TOLD = (
    "session_id, protocol, src_ip, started_at, ended_at, closed, confidence, events, logins, commands, requests, mails"
)
IN_ONE_PIECE = f"select first_event_id as {TOLD} from session_parts where hour = '{START}'"
PARTS = "select * from session_parts order by hour, rustbucket_id, number"
SURE = ("exact", "by_order")


@pytest.fixture
def play(tmp_path, database, settings, archive):
    """Plays so many hours."""
    return partial(played_day, tmp_path / "logs", database, settings, archive)


def test_sessions_over_the_hours_are_those_of_the_day_in_one_piece_and_of_the_truth(play, capsys):
    day = play(hours=24)
    by_hour = day.rows(f"select {TOLD}, event_ids, parts, rustbucket_id from sessions")
    agreement = _agreement(by_hour, _in_one_piece(day))
    joined = sum(row["parts"] > 1 for row in by_hour)
    rows, wrong, whole, visits = _against_truth(day, by_hour)
    figures = [f"{len(by_hour):,} sessions, {joined} over an hour's end; {agreement:.2%} as in the day in one piece"]
    for number, dialect in enumerate(DIALECTS, 1):
        member = f"BKT{number}"
        told = ", ".join(f"{rows[member, sure]:,} {sure} ({wrong[member, sure]} wrong)" for sure in SURE)
        told += f", {rows[member, 'ambiguous']:,} ambiguous"
        figures.append(f"{dialect}: {whole[member]:,} of {visits[member]:,} visits told whole; counted rows: {told}")
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(figures) + "\n")
    assert joined > 15
    assert agreement > 0.97
    assert sum(whole.values()) > 0.95 * sum(visits.values())
    assert sum(wrong.values()) <= 0.001 * sum(rows.values())


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
    names = TOLD.split(", ")
    seen = {tuple(row[name] for name in names) for row in by_hour}
    return sum(tuple(row.values()) in seen for row in in_one_piece) / len(in_one_piece)


def _against_truth(day, sessions):
    """Counted rows and those in a wrong session, by rustbucket and confidence; visits told by one session, and all."""
    rows, wrong, sessions_of = Counter(), Counter(), defaultdict(set)
    for session in sessions:
        own = day.visit_of[session["session_id"]]
        for event in session["event_ids"]:
            visit = day.visit_of[event]
            sessions_of[visit].add(session["session_id"])
            kind = session["rustbucket_id"], session["confidence"]
            rows[kind] += 1
            wrong[kind] += visit != own and session["confidence"] in SURE
    whole = Counter(member for (member, _), found in sessions_of.items() if len(found) == 1)
    return rows, wrong, whole, Counter(member for member, _ in sessions_of)
