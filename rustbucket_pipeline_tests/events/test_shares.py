"""An hour built again loads what isn't as it should be, and nothing else; the result is that of a full build."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rustbucket_pipeline.events.build import forget_hour

TABLES = {
    "log_events": "rustbucket_id, segment_id, byte_offset",
    "quarantine": "segment_id, byte_offset",
    "hour_counts": "rustbucket_id",
    "session_parts": "1, 2, 3",
    "unknown_templates": "rustbucket_id, target, template",
}
GARBAGE = b"garbage\n"
FORGED = (
    b"2026-03-02T00:00:03.000000Z  INFO rustbucket::handler: Received data: a\n1999-01-01T00:00:00.000000Z  INFO x: b\n"
)


def everything(hour):
    return {table: hour.rows(f"select * from {table} order by {order}") for table, order in TABLES.items()}


def act(hour, statement):
    with hour.database.begin() as connection:
        connection.execute(text(statement))


def test_late_data_of_one_rustbucket_loads_that_one_alone(hour, json_line):
    for number in range(1, 4):
        hour.log(json_line(command=f"of {number}"), f"BKT{number}")
    assert hour.build().loaded == 3
    untouched = hour.rows("select *, xmin::text from log_events where rustbucket_id <> 'BKT2' order by event_id")
    hour.log(json_line(command="late", at="00:50:00.000000"), "BKT2")
    outcome = hour.build()
    assert (outcome.loaded, outcome.rustbuckets, outcome.events) == (1, 3, 4)
    assert untouched == hour.rows(
        "select *, xmin::text from log_events where rustbucket_id <> 'BKT2' order by event_id"
    )


def test_nothing_new_loads_nothing(hour, json_line):
    hour.log(json_line() + GARBAGE)
    first = hour.build()
    second = hour.build()
    assert (second.loaded, second.version, second.events, second.quarantined) == (0, first.version, 1, 1)


def test_rows_and_entries_that_went_missing_come_back(hour, json_line):
    hour.log(json_line() + GARBAGE, "BKT1")
    hour.log(json_line() + GARBAGE, "BKT2")
    hour.build()
    whole = everything(hour)
    for loss in (
        "delete from log_events where rustbucket_id = 'BKT1'",
        "delete from quarantine where segment_id = (select min(id) from segments)",
        "delete from hour_counts where rustbucket_id = 'BKT2'",
    ):
        act(hour, loss)
        assert hour.build().loaded == 1
        assert everything(hour) == whole


def test_an_hour_that_is_forgotten_is_loaded_whole(hour, json_line):
    hour.log(json_line(command="as typed"))
    hour.build()
    whole = everything(hour)
    act(hour, "update log_events set command = 'changed by hand'")
    assert hour.build().loaded == 0
    with hour.database.begin() as connection:
        forget_hour(connection, hour.window)
    assert hour.build().loaded == 1
    assert everything(hour) == whole


def test_a_share_whose_segments_are_gone_leaves_nothing(hour, json_line):
    hour.log(json_line(), "BKT1")
    hour.log(json_line() + GARBAGE, "BKT2")
    hour.build()
    act(hour, "update segments set window_start = window_start + interval '5 hours' where rustbucket_id = 'BKT2'")
    outcome = hour.build()
    assert (outcome.loaded, outcome.rustbuckets) == (0, 1)
    assert {row["rustbucket_id"] for row in hour.rows()} == {"BKT1"}
    assert hour.rows("select * from quarantine") == []


PIECES = st.lists(st.sampled_from(["auth", "command", "garbage", "forged", "again"]), min_size=1, max_size=4)
STEPS = st.lists(st.tuples(st.sampled_from(["BKT1", "BKT2", "BKT3"]), PIECES), max_size=6)
SSH = {"target": "rustbucket::protocols::ssh", "event_type": "auth", "protocol": "SSH", "client_ip": "192.0.2.1:5"}


@given(STEPS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_built_step_by_step_or_at_once_it_is_the_same(hour, json_line, steps):
    act(hour, f"truncate segments, source_files, {', '.join(TABLES)} cascade")
    for number, (rustbucket_id, pieces) in enumerate(steps):
        at = f"00:{number * 7:02}:01.000000"
        made = {
            "auth": json_line("Authentication attempt", at, username="root", password=str(number), **SSH),
            "command": json_line(at=at, event_type="command", protocol="FTP", command="LIST"),
            "garbage": GARBAGE,
            "forged": FORGED,
            "again": json_line(command="told by several"),
        }
        hour.log(b"".join(made[piece] for piece in pieces), rustbucket_id)
        hour.build()
    stepwise, version = everything(hour), hour.build().version
    with hour.database.begin() as connection:
        forget_hour(connection, hour.window)
    assert hour.build().version == version
    assert everything(hour) == stepwise
