"""An hour, from archived segments to rows: replaced as a whole, nothing lost, nothing twice, attacker text verbatim."""

import pytest
import zstandard
from sqlalchemy import text

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.events.promises import bytes_accounted, nothing_twice
from rustbucket_pipeline.storage.builds import build_of

HOUR = "'2026-03-02 00:00+00'"
COUNTS = "select * from hour_counts order by rustbucket_id"


def everything(hour):
    return [hour.rows(f"select * from {table} order by 1, 2") for table in ("log_events", "quarantine", "hour_counts")]


def test_records_become_rows_that_know_their_bytes(hour, json_line):
    first = json_line(
        "New connection", target="rustbucket", event_type="connection", protocol="FTP", client_ip="192.0.2.1"
    )
    log = first + json_line(at="00:40:00.000000", protocol="FTP", event_type="command", command="USER x")
    hour.log(log)
    outcome = hour.build()
    assert (outcome.events, outcome.quarantined, outcome.duplicates, outcome.segments) == (2, 0, 0, 2)
    one, two = hour.rows()
    assert (one["src_ip"], one["event_type"], one["counted"]) == ("192.0.2.1", "connection", True)
    assert (two["command"], two["byte_offset"], two["byte_length"]) == ("USER x", len(first), len(log) - len(first))


def test_a_rebuilt_hour_is_the_same_hour(hour, json_line):
    hour.log(json_line() * 3 + b"garbage\n" + json_line("odd", at="00:45:00.000000"))
    first = hour.build()
    before = everything(hour)
    second = hour.build()
    assert everything(hour) == before
    assert (second.version, second.unchanged, first.unchanged) == (first.version, True, False)


def test_a_build_is_recorded_with_its_rows(hour, json_line):
    hour.log(json_line())
    outcome = hour.build()
    with hour.database.connect() as connection:
        build = build_of(connection, "parsed_logs", hour.window)
    assert build is not None
    assert build.output_version == outcome.version


def test_the_same_record_in_two_files_is_one_event(hour, json_line):
    shared = json_line(command="a") * 2 + json_line(command="b")
    hour.log(shared + json_line(command="only in the first"))
    hour.log(shared + json_line(command="a") + json_line(command="only in the second"))
    outcome = hour.build()
    commands = sorted(row["command"] for row in hour.rows())
    assert commands == ["a", "a", "a", "b", "only in the first", "only in the second"]
    assert outcome.duplicates == 3
    (sums,) = hour.rows(COUNTS)
    assert sums["archived_bytes"] == sums["event_bytes"] + sums["duplicate_bytes"]
    assert sums["duplicate_bytes"] == len(shared)


def test_the_same_record_of_two_rustbuckets_is_two_events(hour, json_line):
    hour.log(json_line(), "BKT100001")
    hour.log(json_line(), "BKT100002")
    assert hour.build().events == 2
    assert [row["events"] for row in hour.rows(COUNTS)] == [1, 1]


def test_a_copy_that_comes_later_changes_no_row(hour, json_line):
    hour.log(json_line() + json_line(command="x"))
    first = hour.build()
    before = hour.rows()
    hour.log(json_line())
    second = hour.build()
    assert hour.rows() == before
    assert second.duplicates == 1
    assert second.version == first.version


def test_a_text_record_that_was_cut_between_two_pulls_is_one_record(hour):
    head = b"2026-03-02T00:00:03.000000Z  INFO rustbucket::handler: Received data: one\n"
    rest = b"two\n\n2026-03-02T00:00:04.000000Z  INFO rustbucket::handler: Connection closed\n"
    hour.log(head + rest, "BKT100001", len(head), len(head) + 4)
    outcome = hour.build()
    assert (outcome.segments, outcome.quarantined) == (3, 0)
    assert [row["message"] for row in hour.rows()] == ["Received data: one\ntwo\n", "Connection closed"]


def test_the_rest_of_a_record_that_is_not_here_is_kept_aside(hour):
    head = b"2026-03-02T00:00:03.000000Z  INFO rustbucket::handler: Received data: one\n"
    hour.log(head + b"rest\n", "BKT100001", len(head))
    with hour.database.begin() as connection:
        connection.execute(text("delete from segments where byte_start = 0"))
    assert hour.build().quarantined == 1
    (entry,) = hour.rows("select * from quarantine")
    assert entry["excerpt"] == b"rest\n"
    assert "not here" in entry["reason"]


@pytest.mark.parametrize("field", ["username", "password", "command", "method", "path", "message"])
def test_sql_in_a_field_is_stored_as_it_was_typed(hour, json_line, field):
    bobby = '\'; DROP TABLE log_events; --\\N\t{"a":1}'
    fields = {} if field == "message" else {field: bobby}
    hour.log(json_line(bobby if field == "message" else "odd", **fields))
    hour.build()
    (row,) = hour.rows()
    column = {"method": "http_method", "path": "http_path"}.get(field, field)
    assert row[column] == bobby


def test_what_postgresql_cannot_hold_is_stored_all_the_same(hour, json_line):
    hour.log(
        json_line(command="nul\0inside", odd={"\0": ["\0"]})
        + b'{"timestamp":"2026-03-02T00:00:02.000000Z","level":"INFO",'
        + b'"fields":{"message":"\xff\\ud800"},"target":"x"}\n'
        + b"2026-03-02T00:00:03.000000Z  INFO rustbucket::handler: Received data: \0\xfe\n"
        + b"\0\0\0garbage\xff\n"
    )
    outcome = hour.build()
    assert (outcome.events, outcome.quarantined) == (3, 0)
    commands = [row["command"] for row in hour.rows()]
    assert commands[0] == "nul\\x00inside"
    assert commands[2].startswith("\\x00\\xfe\n\\x00")


def test_the_sums_agree_with_rows_and_entries(hour, json_line):
    for number in range(3):
        hour.log(json_line() + b"garbage\n" + json_line(at="00:31:00.000000") + b"{cut", f"BKT10000{number}")
    hour.build()
    with hour.database.connect() as connection:
        accounted = bytes_accounted(connection, hour.window.start)
        twice = nothing_twice(connection, hour.window.start)
    assert accounted.kept, accounted.why
    assert twice.kept, twice.why
    assert accounted.numbers["hours"] == 3


def test_a_sum_that_does_not_agree_is_seen(hour, json_line):
    hour.log(json_line() * 2)
    hour.build()
    with hour.database.begin() as connection:
        connection.execute(text("delete from log_events where byte_offset = 0"))
        assert not bytes_accounted(connection, hour.window.start).kept


def test_an_object_that_holds_other_bytes_stops_the_hour_and_changes_nothing(hour, json_line):
    hour.log(json_line())
    hour.build()
    before = everything(hour)
    (segment,) = hour.rows("select object_key from segments")
    hour.archive.delete(segment["object_key"])
    hour.archive.put_new(segment["object_key"], zstandard.compress(json_line(command="other")))
    hour.log(json_line(command="new"))
    with pytest.raises(IntegrityError, match=segment["object_key"]):
        hour.build()
    assert everything(hour) == before


def test_an_object_that_is_no_zstd_stops_the_hour(hour, json_line):
    hour.log(json_line())
    (segment,) = hour.rows("select object_key from segments")
    hour.archive.delete(segment["object_key"])
    hour.archive.put_new(segment["object_key"], b"not zstd at all")
    with pytest.raises(IntegrityError, match="can't be decompressed"):
        hour.build()


def test_an_hour_of_nothing_is_built_too(hour):
    outcome = hour.build()
    assert (outcome.events, outcome.rustbuckets) == (0, 0)
    assert outcome.metadata()["dagster/row_count"] == 0


def test_other_hours_are_left_alone(hour, json_line):
    hour.log(json_line() + json_line(at="01:10:00.000000"))
    assert hour.build().events == 1
    assert len(hour.rows()) == 1


def test_a_row_stays_below_32_kilobytes(hour, json_line):
    big = "\x01é" * 100_000
    hour.log(
        json_line(
            command=big,
            username=big,
            password=big,
            method=big,
            path=big,
            other=big,
            **{f"k{n}": big[:999] for n in range(99)},
        )
    )
    hour.build()
    (size,) = hour.rows("select octet_length(log_events::text) as size from log_events")
    assert size["size"] < 32 * 1024


def test_a_forged_line_that_comes_every_half_hour_is_no_event_twice_but_one_that_is_copied_is(hour):
    head = "2026-03-02T00:{:02}:00.000000Z  INFO rustbucket::handler: Received data: a\n"
    forged = b"1999-01-01T00:00:00.000000Z  INFO rustbucket::handler: Received data: forged\n"
    hour.log(b"".join(head.format(minute).encode() + forged for minute in (5, 35)))
    assert hour.build().events == 4
    ids = "select event_id, count(*) from log_events group by 1 order by 2 desc"
    assert [row["count"] for row in hour.rows(ids)] == [2, 1, 1]

    def is_kept_with(row):
        with hour.database.connect() as connection:
            connection.execute(text(f"create temporary table copied as select * from log_events where {row} limit 1"))
            connection.execute(text("update copied set byte_offset = -1, event_ts = event_ts + interval '1 second'"))
            connection.execute(text("insert into log_events select * from copied"))
            return nothing_twice(connection, hour.window.start).kept

    assert is_kept_with("false")
    assert not is_kept_with("clamped")
    assert not is_kept_with("not clamped")
