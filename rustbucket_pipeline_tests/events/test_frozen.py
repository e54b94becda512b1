"""Days that are frozen: the same rows, found by the same filters; nothing is built there until they are thawed."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import build_analysis
from rustbucket_pipeline.archive.fleet_pull import pull_fleet
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.errors import DatabaseUnavailable, IntegrityError, UsageError, WindowClosed
from rustbucket_pipeline.events.query import Filters, Shelf, columns_named, rows_found
from rustbucket_pipeline.events.replay import difference_of
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, Window
from rustbucket_pipeline.storage.closed_days import frozen_between, note_closed, state_of
from rustbucket_pipeline.storage.freezing import freeze_day, thaw_day
from rustbucket_pipeline.storage.tables import log_events

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
DAY = MIDNIGHT.date()
NOW = MIDNIGHT + timedelta(days=100)
NASTY = "'; DROP TABLE log_events; -- %s :x \\ \u202e\ud7ff\U0001f41d"

FILTERS = [
    {},
    {"start": MIDNIGHT + timedelta(minutes=2), "end": MIDNIGHT + timedelta(minutes=4)},
    {"start": MIDNIGHT + timedelta(days=1)},
    {"end": MIDNIGHT},
    {"rustbuckets": ["BKT100002"]},
    {"event_types": ["authentication"]},
    {"protocols": ["ftp", "http"]},
    {"src_ip": "192.0.2.7"},
    {"src_ip": "192.0.2.0/23"},
    {"src_ip": "2001:db8:0:0::1"},
    {"src_ip": "2001:db8::/32"},
    {"username": "root"},
    {"username": "roo"},
    {"password": NASTY},
    {"command_like": "wget"},
    {"command_like": "100\\%\\_"},
    {"command_like": "l_"},
    {"command_like": "w%/X"},
    {"counted": True},
    {"counted": True, "protocols": ["ssh"], "command_like": "%"},
]


@pytest.fixture
def day(hour, json_line, settings):
    """An hour of a day, built; a later day has rows of its own. Yields what asks for rows."""

    def line(minute, protocol="SSH", message="Command received", **fields):
        return json_line(message, f"00:{minute:02}:00.000000", protocol=protocol, **fields)

    first = [
        line(1, command="wget http://192.0.2.9/x", client_ip="192.0.2.7:22"),
        line(2, command="WGET 100%_", client_ip="2001:db8::1"),
        line(3, message="Authentication attempt", event_type="auth", username="root", password=NASTY),
        line(4, "FTP", command=NASTY),
        b"no record at all\n",
    ]
    hour.log(b"".join(first))
    hour.log(line(5, command="ls", client_ip="192.0.3.7:22"), "BKT100002")
    hour.build()
    with hour.database.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE log_events_2026_03_05 PARTITION OF log_events "
                "FOR VALUES FROM ('2026-03-05 00:00+00') TO ('2026-03-06 00:00+00')"
            )
        )
        names = ", ".join(log_events.c.keys())
        later = names.replace("event_ts,", "event_ts + interval '3 days',", 1)
        connection.execute(text(f"INSERT INTO log_events ({names}) SELECT {later} FROM log_events"))

    def ask(limit=None, columns=(), **filters):
        shelf = Shelf(settings, hour.archive)
        with closing(rows_found(hour.database, Filters(**filters), columns_named(columns), limit, shelf)) as rows:
            return list(rows)

    hour.ask = ask
    return hour


def test_a_frozen_day_answers_every_question_as_it_did_before(day, settings):
    before = [day.ask(**filters) for filters in FILTERS]
    some = [day.ask(limit, ["event_ts", "fields"]) for limit in (1, 5, 6, 9)]
    frozen = freeze_day(day.database, day.archive, settings, DAY, NOW)
    with day.database.connect() as connection:
        rows = connection.execute(select(log_events.c.event_ts)).scalars().all()
        assert state_of(connection, DAY) == "frozen"
    assert {moment.day for moment in rows} == {5}
    assert frozen.rows == len(rows) == 5
    assert [day.ask(**filters) for filters in FILTERS] == before
    assert [day.ask(limit, ["event_ts", "fields"]) for limit in (1, 5, 6, 9)] == some
    assert [len(found) for found in before] == [10, 2, 5, 0, 2, 2, 2, 2, 4, 2, 2, 2, 0, 2, 4, 2, 4, 2, 8, 6]


def test_freezing_twice_changes_nothing_and_a_day_without_rows_is_frozen_too(day, settings):
    first = freeze_day(day.database, day.archive, settings, DAY, NOW)
    assert freeze_day(day.database, day.archive, settings, DAY, NOW) == first
    assert freeze_day(day.database, day.archive, settings, DAY - timedelta(days=1), NOW).rows == 0
    with day.database.connect() as connection:
        assert [one.day.day for one in frozen_between(connection, None, None)] == [2, 1]


def test_a_day_that_somebody_reads_is_frozen_another_night(day, settings):
    with day.database.connect() as reader:
        reader.execute(text("SELECT * FROM log_events_2026_03_02"))
        with pytest.raises(DatabaseUnavailable, match="is being read for longer"):
            freeze_day(day.database, day.archive, settings, DAY, NOW, timedelta(milliseconds=50))
    with day.database.connect() as connection:
        assert state_of(connection, DAY) == "open"
    assert freeze_day(day.database, day.archive, settings, DAY, NOW).rows == 5


def test_nothing_is_built_of_a_frozen_or_expired_day_and_the_way_out_is_named(day, settings):
    freeze_day(day.database, day.archive, settings, DAY, NOW)
    four = Window(MIDNIGHT, FOUR_HOURS)
    context = PullContext(day.database, day.archive, MIDNIGHT, NOW, "run-1")
    attempts = [
        day.build,
        lambda: build_digest(day.database, four, NOW, None),
        lambda: build_analysis(day.database, settings, four, NOW, None),
        lambda: pull_fleet(context, {}, [Window(MIDNIGHT, HALF_HOUR)]),
    ]
    for state in ("frozen", "expired"):
        if state == "expired":
            with day.database.begin() as connection:
                note_closed(connection, DAY, "expired", NOW)
        before = everything(day.database)
        for attempt in attempts:
            with pytest.raises(WindowClosed, match=f"2026-03-02 is {state} .* `rustbucket archive thaw 2026-03-02`"):
                attempt()
        with day.database.connect() as connection, pytest.raises(WindowClosed):
            difference_of(connection, day.archive, day.window)
        assert everything(day.database) == before


def test_a_thawed_day_has_its_rows_back_and_is_built_and_frozen_as_any_other(day, settings):
    before = day.ask()
    freeze_day(day.database, day.archive, settings, DAY, NOW)
    until = NOW + timedelta(days=7)
    assert thaw_day(day.database, day.archive, settings, DAY, until, NOW).rows == 5
    assert day.ask() == before
    assert day.build().loaded == 0
    with day.database.connect() as connection:
        assert frozen_between(connection, None, None) == []
    with pytest.raises(UsageError, match="is open"):
        thaw_day(day.database, day.archive, settings, DAY, until, NOW)
    freeze_day(day.database, day.archive, settings, DAY, NOW)
    assert day.ask() == before


def test_an_object_that_was_altered_is_neither_asked_nor_thawed(day, settings):
    frozen = freeze_day(day.database, day.archive, settings, DAY, NOW)
    path = settings.home / "archive" / frozen.object_key
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="holds other bytes than were frozen"):
        day.ask()
    before = everything(day.database)
    with pytest.raises(IntegrityError, match="holds other bytes"):
        thaw_day(day.database, day.archive, settings, DAY, NOW, NOW)
    assert everything(day.database) == before


def test_an_expired_day_opens_only_while_its_archived_logs_last(day, settings):
    freeze_day(day.database, day.archive, settings, DAY, NOW)
    with day.database.begin() as connection:
        note_closed(connection, DAY, "expired", NOW)
    assert thaw_day(day.database, day.archive, settings, DAY, NOW, NOW).rows == 0
    assert day.build().events == 5
    with day.database.begin() as connection:
        note_closed(connection, DAY, "expired", NOW)
        connection.execute(text("UPDATE segments SET expired_at = now()"))
    with pytest.raises(UsageError, match="nothing is left of it"):
        thaw_day(day.database, day.archive, settings, DAY, NOW, NOW)


def everything(engine):
    """Every row of every table."""
    tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    with engine.connect() as connection:
        rows = {
            table: connection.execute(text(f"SELECT x::text FROM {table} AS x")).scalars().all()
            for table in connection.execute(text(tables)).scalars().all()
        }
    return {table: sorted(held) for table, held in rows.items()}
