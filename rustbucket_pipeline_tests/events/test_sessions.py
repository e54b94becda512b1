"""Sessions: rows joined to connections as surely as the log allows, by hour, and over the hours by the view."""

import re

import pytest
from sqlalchemy import text

from rustbucket_pipeline.events.dialects.structured import TEMPLATES
from rustbucket_pipeline.events.sessions import build_sessions
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.storage.postgres import load_sql

SSH, SHELL, LOOP = "rustbucket::protocols::ssh", "rustbucket::protocols::ssh_shell", "rustbucket::protocols"
ONE, TWO = "192.0.2.1:4001", "[2001:db8::7]:4002"


@pytest.fixture
def tell(json_line):
    """Writes a record as Rustbucket does; without a target, one of the main program's."""

    def write(at, message, target="rustbucket", **fields):
        return json_line(message, at=at if "." in at else f"{at}.000000", target=target, **fields)

    return write


@pytest.fixture
def ssh(tell):
    """An SSH record that names its client, or that of a shell, which doesn't."""

    def write(at, message, client=None, **fields):
        named = {"client_ip": client} if client else {}
        return tell(at, message, SSH if client else SHELL, protocol="SSH", **named, **fields)

    return write


@pytest.fixture
def ftp(tell):
    """An FTP connection's records: it comes, says the commands at their times, and ends after so many seconds."""

    def write(came, *said, ended=None, lasted=0, client="192.0.2.9"):
        yield tell(came, "New connection", protocol="FTP", client_ip=client)
        yield tell(f"{came}.000020", "Handler started", f"{LOOP}::ftp", protocol="FTP")
        yield from (tell(at, "Command received", LOOP, protocol="FTP", command=command) for at, command in said)
        if ended:
            yield tell(ended, "Session ended", LOOP, protocol="FTP", commands_processed=0, duration_secs=lasted)

    return write


def sessions(hour, *lines, hours=1):
    """The view's rows once the lines are archived and that many hours built."""
    hour.log(b"".join(sorted(lines)))
    start = hour.window.start
    for index in range(hours):
        hour.window = Window(start + index * HOUR, HOUR)
        hour.build()
    return hour.rows("select * from sessions order by started_at, confidence, protocol")


def test_an_address_and_port_make_a_session_exact(hour, ssh):
    lines = [
        ssh("00:00:01", "New SSH connection", ONE),
        ssh("00:00:02", "New SSH connection", TWO),
        ssh("00:00:03", "Authentication attempt", ONE, username="root", password="1", auth_method="password"),
        ssh("00:00:04", "Authentication attempt", TWO, username="pi", password="2", auth_method="password"),
        ssh("00:00:05", "Authentication attempt", ONE, username="root", password="3", auth_method="password"),
    ]
    one, two = sessions(hour, *lines)
    assert (one["src_ip"], one["src_port"], one["confidence"], one["events"]) == ("192.0.2.1", 4001, "exact", 3)
    assert (one["logins"], one["credentials"]) == (2, [["root", "1"], ["root", "3"]])
    assert (two["src_ip"], two["credentials"]) == ("2001:db8::7", [["pi", "2"]])
    assert (one["duration_ms"], one["closed"], one["ends_after"]) == (4000, False, False)


def test_a_port_used_again_is_another_session_but_a_second_channel_is_not(hour, ssh):
    lines = [
        ssh("00:00:01", "New SSH connection", ONE),
        *(
            ssh(f"00:00:0{second}", message, ONE)
            for second in (2, 4)
            for message in ("Channel closed", "Session ended")
        ),
        ssh("00:00:03", "Channel opened", ONE),
        ssh("00:20:00", "New SSH connection", ONE),
    ]
    first, again = sessions(hour, *lines)
    assert (first["events"], first["closed"]) == (6, True)
    assert (again["events"], again["closed"], again["opens_before"]) == (1, False, False)


def test_what_is_typed_belongs_to_the_only_shell_that_is_open(hour, ssh):
    lines = [
        ssh("00:00:01", "New SSH connection", ONE),
        ssh("00:00:02", "Shell request", ONE),
        ssh("00:00:03", "New SSH connection", TWO),
        ssh("00:00:04", "Command received", command="id"),
        ssh("00:00:04.1", "Using native response", command="id", response_type="native"),
    ]
    one, two = sessions(hour, *lines)
    assert (one["confidence"], one["events"], one["events_by_order"], one["command_lines"]) == (
        "by_order",
        4,
        2,
        ["id"],
    )
    assert (two["confidence"], two["events"]) == ("exact", 1)


def test_what_is_typed_while_two_shells_are_open_is_nobody_s_and_both_are_named(hour, ssh):
    lines = [line for client in (ONE, TWO) for line in (ssh("00:00:01", "New SSH connection", client),)]
    lines += [ssh("00:00:02", "Shell request", client) for client in (ONE, TWO)]
    lines += [ssh("00:00:04", "Command received", command="id"), ssh("00:00:09", "Channel closed", ONE)]
    lines += [ssh("00:00:10", "Command received", command="whoami")]
    one, two, crowd = sorted(sessions(hour, *lines), key=lambda row: row["started_at"].second)
    assert (crowd["confidence"], crowd["command_lines"], crowd["src_ip"]) == ("ambiguous", ["id"], None)
    assert set(crowd["candidates"]) == {one["session_id"], two["session_id"]}
    assert {row["src_ip"]: row["command_lines"] for row in (one, two)} == {"192.0.2.1": [], "2001:db8::7": ["whoami"]}


def test_a_command_that_one_connection_just_asked_to_run_is_its_own_however_many_are_open(hour, ssh):
    lines = [
        ssh("00:00:01", message, client) for client in (ONE, TWO) for message in ("New SSH connection", "Shell request")
    ]
    lines += [ssh("00:00:02", "Exec request", TWO, command=" uname -a\n")]
    lines += [ssh("00:00:02.1", message, command="uname -a") for message in ("Command received", "Unknown command")]
    commands = {row["src_ip"]: (row["commands"], row["events"], row["confidence"]) for row in sessions(hour, *lines)}
    assert commands == {"192.0.2.1": (0, 2, "exact"), "2001:db8::7": (1, 5, "by_order")}


def test_without_a_key_the_order_tells_while_one_connection_is_open(hour, ftp):
    first = ftp(
        "00:00:01", ("00:00:02", "USER a"), ("00:00:03", "QUIT"), ended="00:00:04", lasted=3, client="192.0.2.1"
    )
    other = ftp("00:00:05", ("00:00:06", "USER b"), ended="00:00:07", lasted=2, client="192.0.2.2")
    one, two = sessions(hour, *first, *other)
    assert (one["src_ip"], one["command_lines"], one["closed"]) == ("192.0.2.1", ["USER a", "QUIT"], True)
    assert (two["src_ip"], two["command_lines"], two["confidence"]) == ("192.0.2.2", ["USER b"], "by_order")


def test_an_end_s_length_tells_which_of_two_connections_is_left(hour, ftp):
    long = ftp("00:00:01", ("00:00:02", "one"), ("00:00:12", "both?"), ("00:00:20", "one again"), client="192.0.2.1")
    short = ftp("00:00:10", ended="00:00:14", lasted=4, client="192.0.2.2")
    one, two, crowd = sessions(hour, *long, *short)
    assert (one["command_lines"], one["closed"]) == (["one", "one again"], False)
    assert (two["command_lines"], two["closed"]) == ([], True)
    assert (crowd["command_lines"], crowd["confidence"]) == (["both?"], "ambiguous")


def test_connections_of_other_protocols_and_rustbuckets_are_no_candidates(hour, ftp, tell):
    hour.log(b"".join(ftp("00:00:01", ("00:00:03", "theirs"))), "BKT100002")
    smtp = tell("00:00:01", "New connection", protocol="SMTP", client_ip="192.0.2.3")
    found = sessions(hour, *ftp("00:00:01", ("00:00:03", "ours")), smtp)
    assert {(row["rustbucket_id"], row["protocol"], tuple(row["command_lines"])) for row in found} == {
        ("BKT100001", "ftp", ("ours",)),
        ("BKT100001", "smtp", ()),
        ("BKT100002", "ftp", ("theirs",)),
    }
    assert {row["confidence"] for row in found} == {"exact", "by_order"}


def test_a_connection_without_an_end_is_gone_after_five_silent_minutes(hour, ftp):
    silent = ftp("00:00:01", ("00:00:02", "one"), client="192.0.2.1")
    later = ftp("00:05:03", ("00:05:04", "two"), client="192.0.2.2")
    soon = ftp("00:10:03", ("00:10:04", "two or three"), client="192.0.2.3")
    lines = {row["src_ip"]: (row["command_lines"], row["confidence"]) for row in sessions(hour, *silent, *later, *soon)}
    assert lines == {
        "192.0.2.1": (["one"], "by_order"),
        "192.0.2.2": (["two"], "by_order"),
        "192.0.2.3": ([], "by_order"),
        None: (["two or three"], "ambiguous"),
    }


def test_a_restart_ends_whatever_was_open(hour, ftp, ssh, tell):
    before = [*ftp("00:00:01", ("00:00:02", "one")), ssh("00:00:01", "New SSH connection", ONE)]
    after = ftp("00:00:05", ("00:00:06", "two"), client="192.0.2.2")
    found = sessions(hour, *before, tell("00:00:04", "Tracing initialized"), *after)
    assert [(row["protocol"], row["closed"], row["confidence"]) for row in found] == [
        ("ftp", True, "by_order"),
        ("ssh", True, "exact"),
        ("ftp", False, "by_order"),
    ]


def test_forged_and_doubted_records_open_close_and_join_nothing(hour):
    head = "2026-03-02T00:00:0{}.000000Z  INFO rustbucket"
    loop = '::protocols: {} event_type="{}" protocol="FTP"'
    log = [
        head.format(1) + ': New connection event_type="connection" protocol="FTP" client_ip=192.0.2.1',
        head.format(2) + loop.format("Command received", "command") + " command=x",
        "1999-01-01T00:00:00.000000Z  INFO rustbucket: New connection of another world",
        "1999-01-01T00:00:00.000000Z  INFO rustbucket"
        + loop.format("Session ended", "session")
        + " commands_processed=1",
        head.format(3) + loop.format("Command received", "command") + " command=y",
    ]
    hour.log("\n".join(log).encode() + b"\n")
    hour.build()
    assert "forgery" in {row["event_type"] for row in hour.rows()}
    (one,) = hour.rows("select * from sessions")
    assert (one["events"], one["commands"], one["closed"]) == (3, 2, False)


def test_counts_are_of_all_rows_and_lists_are_bounded(hour, ssh):
    tries = [
        ssh(
            f"00:00:01.{n:06}",
            "Authentication attempt",
            ONE,
            username="u" * 300,
            password=str(n),
            auth_method="password",
        )
        for n in range(100)
    ]
    commands = [ssh(f"00:00:03.{n:06}", "Command received", command=f"{n:03}" + "x" * 1000) for n in range(200)]
    shell = [ssh("00:00:02", "Shell request", ONE)]
    (one,) = sessions(hour, ssh("00:00:00", "New SSH connection", ONE), *tries, *shell, *commands)
    assert (one["logins"], len(one["credentials"]), len(one["credentials"][0][0])) == (100, 20, 128)
    assert (one["commands"], len(one["command_lines"]), {len(line) for line in one["command_lines"]}) == (
        200,
        50,
        {256},
    )
    assert (one["events"], len(one["event_ids"])) == (302, 50)


def test_a_log_s_own_session_id_makes_it_exact(hour):
    def line(second, event, session, **fields):
        fields = {"eventid": f"cowrie.{event}", "session": session, "src_ip": "192.0.2.1", "protocol": "ssh", **fields}
        body = ", ".join(f'"{name}": "{value}"' for name, value in fields.items())
        return f'{{{body}, "message": "m", "timestamp": "2026-03-02T00:00:{second:02}.000000Z"}}\n'.encode()

    lines = [
        line(1, "session.connect", "aaa"),
        line(2, "session.connect", "bbb"),
        line(3, "login.success", "bbb", username="root", password="x"),
        line(4, "command.input", "aaa", input="id"),
        line(5, "session.closed", "aaa", duration="4"),
        line(6, "command.input", "bbb", input="w"),
    ]
    hour.log(b"".join(lines))
    hour.build()
    found = hour.rows("select * from sessions order by started_at")
    assert [(row["confidence"], row["command_lines"], row["closed"]) for row in found] == [
        ("exact", ["id"], True),
        ("exact", ["w"], False),
    ]


def test_the_view_joins_a_connection_over_the_hour_by_its_key(hour, ssh):
    lines = [ssh("00:30:00", "New SSH connection", ONE), ssh("00:40:00", "New SSH connection", TWO)]
    lines += [ssh("01:30:00", "Exec request", ONE, command="id"), ssh("01:31:00", "Session ended", ONE)]
    one, two = sessions(hour, *lines, hours=2)
    assert (one["parts"], one["events"], one["closed"], one["confidence"]) == (2, 3, True, "exact")
    assert (one["opens_before"], one["duration_ms"]) == (False, 61 * 60 * 1000)
    assert (two["parts"], two["events"]) == (1, 1)


def test_the_view_joins_by_order_where_exactly_one_connection_was_open(hour, ftp, tell):
    lines = ftp("00:59:58", ("00:59:59", "early"), ("01:00:01", "late"), ended="01:00:02", lasted=4)
    done = ftp("00:30:00", ended="00:30:01", lasted=1, client="192.0.2.2")
    short, one = sessions(hour, *lines, *done, hours=2)
    assert (short["parts"], short["events"]) == (1, 3)
    assert (one["parts"], one["command_lines"], one["closed"]) == (2, ["early", "late"], True)
    assert (one["confidence"], one["src_ip"], one["events"]) == ("by_order", "192.0.2.9", 5)


def test_the_view_says_ambiguous_where_two_were_open_at_the_hour_s_end(hour, ftp):
    lines = [*ftp("00:59:57", client="192.0.2.1"), *ftp("00:59:58", client="192.0.2.2")]
    lines += list(ftp("00:59:59", ("01:00:01", "whose?"), client="192.0.2.3"))[-1:]
    one, two, tail = sessions(hour, *lines, hours=2)
    assert [row["parts"] for row in (one, two, tail)] == [1, 1, 1]
    assert (tail["confidence"], tail["opens_before"], tail["command_lines"]) == ("ambiguous", True, ["whose?"])
    assert set(tail["candidates"]) == {one["session_id"], two["session_id"]}


def test_every_message_that_changes_a_connection_is_one_of_the_dialect_s():
    sql = load_sql("rustbucket_pipeline.events", "session_events").text
    roles = re.findall(r"WHEN '(.+?)' THEN", sql.split("CASE message")[1].split(" AS role")[0])
    assert len(roles) == 10
    assert set(roles) <= {message for _, message in TEMPLATES}


def test_an_hour_built_again_has_the_same_parts_and_no_others(hour, ftp, ssh):
    sessions(hour, *ftp("00:00:01", ("00:00:02", "a")), ssh("00:00:01", "New SSH connection", ONE))
    before = hour.rows("select * from session_parts order by hour, rustbucket_id, number")
    with hour.database.begin() as connection:
        sums = build_sessions(connection, hour.window)
    assert hour.rows("select * from session_parts order by hour, rustbucket_id, number") == before
    assert (sums.parts, sums.exact, sums.by_order, sums.events) == (2, 1, 1, 4)
    with hour.database.begin() as connection:
        connection.execute(text("delete from log_events"))
        assert build_sessions(connection, hour.window).parts == 0
    assert hour.rows("select * from session_parts") == []
