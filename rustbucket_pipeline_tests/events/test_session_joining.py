"""The joiner on whatever rows there can be: each row in one part at most, parts as the rows say, bounded in memory."""

from datetime import UTC, datetime, timedelta
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.events.session_joining import Joiner
from rustbucket_pipeline.events.session_lane import MOST_OPEN, strangers_of
from rustbucket_pipeline.events.session_part import SILENCE, SessionRow

START = datetime(2026, 3, 2, tzinfo=UTC)
LANES = ("ssh", "ftp", "http", "classic")
NOTHING = SessionRow("BKT1", "", START, "command", None, None, None, None, None, None, False, None, None, None, None)

ROWS = st.builds(
    dict,
    wait=st.integers(0, 400),
    event_type=st.sampled_from(
        ("connection", "session", "command", "response", "llm", "authentication", "operational")
    ),
    lane=st.sampled_from((*LANES, None)),
    key=st.sampled_from((None, None, None, "192.0.2.1:1", "192.0.2.1:2")),
    role=st.sampled_from(
        (None, None, "opens", "starts", "ends", "listens", "runs", "asks", "is told", "is all", "boots")
    ),
    said=st.sampled_from((None, "id", "w")),
    counted=st.booleans(),
    duration_ms=st.sampled_from((None, 0.0, 1000.0, 30000.0, -5.0, 1e300)),
)


def as_rows(drawn):
    """The rows, in order of time."""
    at = START
    for number, values in enumerate(drawn):
        at += timedelta(seconds=values["wait"])
        rest = {name: value for name, value in values.items() if name != "wait"}
        yield NOTHING._replace(event_id=f"e{number:04}", at=at, protocol=values["lane"], **rest)


def joined(rows):
    """The complete parts and how many rows are in none."""
    rows, parts = list(rows), []
    joiner = Joiner(START, strangers_of(rows[:20]), parts.append)
    for row in rows:
        joiner.feed(row)
    joiner.finish()
    return parts, joiner.unjoined


@given(st.lists(ROWS, max_size=60).map(as_rows).map(list))
def test_every_row_is_in_one_part_or_counted_as_in_none(rows):
    parts, unjoined = joined(rows)
    boots = sum(row.role == "boots" and row.key is None for row in rows)
    assert sum(part.events for part in parts) + unjoined + boots == len(rows)
    assert sorted(part.number for part in parts) == list(range(1, len(parts) + 1))


@given(st.lists(ROWS, max_size=60).map(as_rows).map(list))
def test_parts_are_a_function_of_the_rows_and_their_candidates_are_parts_of_one_connection(rows):
    parts, _ = joined(rows)
    end = START + timedelta(hours=9)
    again, _ = joined(rows)
    assert [part.row(START, end) for part in parts] == [part.row(START, end) for part in again]
    certain = {part.first.event_id for part in parts if part.candidates is None}
    for part in parts:
        assert set(part.candidates or ()) <= certain
        assert part.first.at <= part.ended_at


@given(st.lists(st.tuples(st.sampled_from(LANES[1:]), st.integers(0, 5)), max_size=20))
def test_connections_that_never_overlap_are_all_told_whole(visits):
    rows, at = [], START
    row = partial(NOTHING._replace, event_type="connection")
    for lane, said in visits:
        for role in ("opens", *[None] * said, "ends"):
            at += timedelta(seconds=1)
            rows.append(row(event_id=f"e{len(rows)}", at=at, lane=lane, role=role))
    parts, unjoined = joined(rows)
    assert [(part.events, part.closed, part.candidates) for part in parts] == [
        (said + 2, True, None) for _, said in visits
    ]
    assert unjoined == 0


def test_a_flood_of_connections_without_an_end_is_held_in_bounded_memory():
    held = most = 0

    def done(_):
        nonlocal held
        held -= 1

    joiner = Joiner(START, {}, done)
    for number in range(MOST_OPEN * 3):
        at = START + timedelta(milliseconds=number)
        lane, key = ("ssh", f"192.0.2.1:{number}") if number % 2 else ("ftp", None)
        row = {"event_id": f"e{number}", "at": at, "event_type": "connection", "protocol": lane, "lane": lane}
        held += 1
        joiner.feed(NOTHING._replace(**row, role="opens", key=key))
        most = max(most, held)
    joiner.finish()
    assert held == 0
    assert most <= 2 * (MOST_OPEN + 1)


def test_what_ten_thousand_connections_ran_alike_is_listed_once_with_twenty_of_them():
    parts = []
    joiner = Joiner(START, {}, parts.append)
    row = NOTHING._replace(protocol="ssh", lane="ssh", said="id")
    for number in range(10_000):
        joiner.feed(row._replace(event_id=f"e{number}", key=f"192.0.2.1:{number}", role="runs"))
    for number in range(10_000):
        joiner.feed(row._replace(event_id=f"r{number}", counted=True))
    joiner.finish()
    (crowd,) = (part for part in parts if part.candidates is not None)
    assert (crowd.events, crowd.commands, len(crowd.candidates)) == (10_000, 10_000, 20)


def test_silence_is_as_long_in_the_view_as_in_the_joiner():
    from rustbucket_pipeline.storage.migrations import statements

    minutes = SILENCE // timedelta(minutes=1)
    assert statements("session_links").count(f"interval '{minutes} minutes'") == 2
