"""What an hour's sums tell whoever must know: one alert each, closed when it is over; new messages are listed."""

from sqlalchemy import text

from rustbucket_pipeline.events.drift import LONGEST_TEMPLATE, MORE, MOST_TEMPLATES, Drift, template_of
from rustbucket_pipeline.events.promises import little_quarantined, messages_known
from rustbucket_pipeline.events.record import UNKNOWN, Parsed
from rustbucket_pipeline.events.tally import GARBLED_BYTES

TOKEN = "GET /extract_logs HTTP/1.1\r\nAuthorization: Token s3cr3t\r\n\r\n"
HTTP = "rustbucket::protocols::http"
GARBAGE = b"garbage\n" * GARBLED_BYTES


def raised(hour) -> dict[str, tuple[str, str, bool]]:
    rows = hour.rows("select kind, subject, cause, closed_at is null as open from alerts order by kind")
    return {row["kind"]: (row["subject"], row["cause"], row["open"]) for row in rows}


def look(hour, promise):
    with hour.database.connect() as connection:
        return promise(connection, hour.window.start)


def test_an_hour_of_nothing_odd_raises_nothing(hour, json_line):
    hour.log(json_line(event_type="command", command="ls") + b"one cut line")
    hour.build()
    assert raised(hour) == {}
    assert look(hour, little_quarantined).kept
    assert look(hour, messages_known).kept


def test_garbage_raises_one_alert_whatever_its_lines_and_stops_nobody(hour, json_line):
    hour.log(GARBAGE, "BKT100001")
    hour.log(json_line(), "BKT100002")
    hour.build()
    hour.build()
    assert list(raised(hour)) == ["parse_error_rate"]
    subject, cause, is_open = raised(hour)["parse_error_rate"]
    assert (subject, is_open) == ("BKT100001", True)
    assert f"{len(GARBAGE):,} of {len(GARBAGE):,} bytes" in cause
    assert len(hour.rows()) == 1
    rate = look(hour, little_quarantined)
    assert (rate.kept, rate.numbers) == (
        False,
        {"hours": 2, "quarantined_bytes": len(GARBAGE), "garbled_hours": 1},
    )
    assert "most of all BKT100001" in rate.why


def test_an_alert_closes_when_the_newest_hour_is_as_it_should_be(hour, json_line):
    hour.log(GARBAGE + json_line("Tunnel 7", target="rustbucket"))
    hour.build()
    assert set(raised(hour)) == {"new_event_template", "parse_error_rate"}
    with hour.database.begin() as connection:
        connection.execute(text("delete from quarantine"))
        connection.execute(text("delete from segments"))
    hour.log(json_line())
    hour.build()
    assert [is_open for _, _, is_open in raised(hour).values()] == [False, False]


def test_an_older_hour_that_is_well_closes_nothing(hour, json_line):
    hour.log(json_line())
    hour.build()
    with hour.database.begin() as connection:
        connection.execute(
            text(
                "insert into alerts (kind, severity, subject, cause, opened_at, last_seen_at)"
                " values ('forged_records', 'warning', 'BKT100001', 'later', now(), now())"
            )
        )
        connection.execute(
            text(
                "insert into hour_counts (hour, rustbucket_id, archived_bytes, event_bytes, quarantined_bytes,"
                " duplicate_bytes, events, quarantined, duplicates)"
                " values ('2026-03-02 05:00+00', 'BKT100001', 0, 0, 0, 0, 0, 0, 0)"
            )
        )
    hour.build()
    assert raised(hour)["forged_records"][2] is True


def test_forgeries_secrets_and_own_visits_are_told_with_their_numbers(hour, json_line):
    head = "2026-03-02T00:00:0{}.000000Z  INFO rustbucket::protocols: "
    forged = f"{head.format(5)}FTP command received: x\n{head.format(1)}Tracing initialized\n".encode()
    hour.log(json_line("Request received", target=HTTP, event_type="command", request=TOKEN), "BKT100002")
    hour.log(forged)
    outcome = hour.build()
    assert (outcome.suspects, outcome.redacted, outcome.own) == (1, 1, 1)
    alerts = raised(hour)
    assert alerts["forged_records"][:2] == (
        "BKT100001",
        "1 records of hour 2026-03-02-00:00 are taken for forgeries",
    )
    assert alerts["secret_seen"][0] == alerts["self_traffic_seen"][0] == "BKT100002"
    assert "s3cr3t" not in str(alerts)


def test_the_sums_of_an_hour_say_what_its_rows_may_leave_out(hour, json_line):
    blocked = {"event_type": "connection", "component": "rate_limiter", "client_ip": "192.0.2.1", "reason": "banned"}
    hour.log(
        json_line("Connection blocked", target="rustbucket::rate_limiter", **blocked, remaining_secs=5)
        + json_line(
            "Connection rejected", target="rustbucket", event_type="connection", client_ip="192.0.2.1:5", reason="x"
        )
        + json_line("Something new", target="rustbucket")
    )
    hour.build()
    (sums,) = hour.rows("select * from hourly_counts")
    assert (sums["events"], sums["counted"], sums["refused"], sums["unknown_messages"]) == (3, 1, 1, 1)
    counted = hour.rows("select message from log_events where counted")
    assert [row["message"] for row in counted] == ["Connection rejected"]


def test_a_new_message_is_told_once_and_listed_as_long_as_it_comes(hour, json_line):
    hour.log(
        json_line("Tunnel 7 to 192.0.2.9", target="rustbucket") + json_line("Tunnel 8 to ::1", target="rustbucket")
    )
    hour.build()
    hour.build()
    (row,) = hour.rows("select * from message_drift")
    assert (row["target"], row["template"], row["records"], row["rustbuckets"]) == ("rustbucket", "Tunnel * to *", 2, 1)
    assert raised(hour)["new_event_template"] == (
        "rustbucket",
        "1 new in hour 2026-03-02-00:00, like: Tunnel * to *",
        True,
    )
    known = look(hour, messages_known)
    assert (known.kept, known.numbers) == (False, {"templates": 1, "records": 2})
    assert "rustbucket: Tunnel * to * (2)" in known.why


def test_a_message_met_before_raises_nothing_again(hour, json_line):
    with hour.database.begin() as connection:
        connection.execute(
            text("insert into rustbuckets (id, name, status, registered_at) values ('BKT9', 'b', 'active', now())")
        )
        connection.execute(
            text("insert into unknown_templates values ('2026-03-01 00:00+00', 'BKT9', 'rustbucket', 'Tunnel *', 1)")
        )
    hour.log(json_line("Tunnel 7", target="rustbucket"))
    hour.build()
    assert raised(hour) == {}


def parsed(message: str, target: str = "t") -> Parsed:
    return Parsed("json", "INFO", target, message, {}, UNKNOWN)


def test_what_varies_in_a_message_is_blanked():
    for message, template in {
        "port 8080 closed after 1.5s": "port * closed after *s",
        "peer 2001:db8::1 and [::1]:22 and 192.0.2.1:5 left": "peer * and * and * left",
        'user "a\\"b" and \'c\' at deadbeef01': "user * and * at *",
        "plain words stay": "plain words stay",
        "one line\nof two": "one line",
        "esc \x1b[0m \u202e": "esc ·[*m ·",
    }.items():
        assert template_of(parsed(message)).template == template


def test_a_target_that_no_column_takes_fails_no_hour(hour):
    hour.log(
        b'{"timestamp":"2026-03-02T00:00:01.0Z","level":"INFO","fields":{"message":"\\u0000"},"target":"\\u0000\\ud800"}\n'
    )
    hour.build()
    assert [(row["target"], row["template"]) for row in hour.rows("select * from message_drift")] == [("··", "·")]


def test_templates_are_few_and_short_whatever_comes():
    drift = Drift()
    for number in range(1000):
        drift.add(parsed("x" * 10_000, target=f"t{'y' * number}"))
    seen = list(drift.seen())
    assert len(seen) == MOST_TEMPLATES + 1
    assert all(len(template.target) <= LONGEST_TEMPLATE >= len(template.template) for template, _ in seen)
    assert seen[0][0].template == MORE
    assert sum(records for _, records in seen) == 1000
