"""Rows asked for: by every filter, newest first; as they are, and as a frame."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.events import frame
from rustbucket_pipeline.events.query import COLUMNS, Filters, columns_named, rows_found

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
NASTY = "'; DROP TABLE log_events; -- %s :x"


@pytest.fixture
def asked(hour, json_line):
    """Asks for rows of an hour; gives back their times, in minutes."""

    def line(minute, protocol="SSH", message="Command received", **fields):
        return json_line(message, f"00:{minute:02}:00.000000", protocol=protocol, **fields)

    first = [
        line(1, command="wget http://192.0.2.9/x", client_ip="192.0.2.7:22"),
        line(2, command="WGET 100%_", client_ip="2001:db8::1"),
        line(3, message="Authentication attempt", event_type="auth", username="root", password=NASTY),
        line(4, "FTP", command=NASTY),
    ]
    hour.log(b"".join(first))
    hour.log(line(5, command="ls", client_ip="192.0.3.7:22"), "BKT100002")
    hour.build()

    def ask(limit=None, **filters):
        found = rows_found(hour.database, Filters(**filters), columns_named(["event_ts"]), limit)
        return [row[0].minute for row in found]

    return ask


def test_rows_come_newest_first_and_no_more_than_asked_for(asked):
    assert asked() == [5, 4, 3, 2, 1]
    assert asked(limit=2) == [5, 4]


@pytest.mark.parametrize(
    ("filters", "minutes"),
    [
        ({"start": MIDNIGHT + timedelta(minutes=2), "end": MIDNIGHT + timedelta(minutes=4)}, [3, 2]),
        ({"rustbuckets": ["BKT100002"]}, [5]),
        ({"rustbuckets": ["BKT100001", "BKT100002"], "protocols": ["ftp"]}, [4]),
        ({"event_types": ["authentication"]}, [3]),
        ({"protocols": ["ftp", "http"]}, [4]),
        ({"src_ip": "192.0.2.7"}, [1]),
        ({"src_ip": "192.0.2.0/23"}, [5, 1]),
        ({"src_ip": "2001:db8:0:0::1"}, [2]),
        ({"src_ip": "2001:db8::/32"}, [2]),
        ({"username": "root"}, [3]),
        ({"username": "roo"}, []),
        ({"password": NASTY}, [3]),
        ({"command_like": "wget"}, [2, 1]),
        ({"command_like": "wget%192"}, [1]),
        ({"command_like": NASTY}, [4]),
        ({"counted": True}, [5, 4, 2, 1]),
    ],
)
def test_only_rows_that_fit_all_of_it_come(asked, filters, minutes):
    assert asked(**filters) == minutes


@pytest.mark.parametrize("wrong", ["192.0.2.7/8", "example.org", "' OR 1=1"])
def test_what_is_no_address_is_a_mistake(asked, wrong):
    with pytest.raises(UsageError, match="neither an address nor a network"):
        asked(src_ip=wrong)


def test_a_column_that_is_none_is_a_mistake_and_one_named_twice_comes_once():
    with pytest.raises(UsageError, match="no column 'token'"):
        columns_named(["token"])
    assert [column.name for column in columns_named(["message", "trust", "message"])] == ["message", "trust"]
    assert [column.name for column in columns_named([])] == list(COLUMNS)


@pytest.fixture
def notebook(asked, settings, monkeypatch):
    """The environment of a notebook."""
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", settings.database_url.get_secret_value())


def test_a_frame_has_the_types_that_analysts_expect(notebook):
    found = frame("2026-03-02", datetime(2026, 3, 3))  # noqa: DTZ001 (times without a zone are UTC)
    assert len(found) == 5
    assert list(found.columns) == list(COLUMNS)
    types = {name: str(found[name].dtype) for name in COLUMNS}
    assert {types[name] for name in ("event_ts", "claimed_ts")} == {"datetime64[us, UTC]"}
    assert {types[name] for name in ("src_port", "byte_offset", "parser_version")} == {"Int64"}
    assert {types[name] for name in ("event_id", "command", "src_ip")} == {"str"}
    assert (types["counted"], types["trust"]) == ("bool", "float64")
    assert found["src_port"].tolist() == [22, pd.NA, pd.NA, pd.NA, 22]
    assert found["event_ts"].iloc[-1] == pd.Timestamp("2026-03-02T00:01:00Z")


def test_a_frame_takes_the_filters_and_gives_fields_as_dictionaries(notebook):
    found = frame("2026-03-02", command_like="wget", columns=["command", "fields"], limit=1)
    assert found.to_dict("records") == [{"command": "WGET 100%_", "fields": None}]
    [fields] = frame("2026-03-02", event_types=["authentication"], columns=["fields"])["fields"]
    assert fields is None or isinstance(fields, dict)


def test_an_empty_frame_has_the_same_types(notebook):
    nothing, some = frame("2036-01-01"), frame("2026-03-02")
    assert len(nothing) == 0
    assert nothing.dtypes.drop("fields").equals(some.dtypes.drop("fields"))


def test_a_frame_of_no_time_is_a_mistake(notebook):
    with pytest.raises(UsageError, match="is no time"):
        frame("yesterday")
