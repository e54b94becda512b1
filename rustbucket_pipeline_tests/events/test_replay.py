"""Hours parsed again, and what that would change."""

import pytest
from sqlalchemy import text

from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.events.replay import EXAMPLES, difference_of, held_hours
from rustbucket_pipeline.model.window import HOUR


@pytest.fixture
def built(hour, json_line):
    """An hour of two rustbuckets and three logs, with duplicates, text and garbage in it."""
    lines = [json_line(command=f"c{number}", at=f"00:{number:02}:00.5") for number in range(60)]
    hour.log(b"".join(lines) + b"garbage\n", "BKT100001")
    hour.log(b"".join(lines[:10]), "BKT100001")
    hour.log(b"2026-03-02T00:00:05.000001Z  INFO rustbucket::x: Some new message\nmore\n" + lines[3], "BKT2")
    hour.build()
    return hour


def changed(hour, statement):
    with hour.database.begin() as connection:
        connection.execute(text(statement))


def difference(hour, *rustbuckets):
    with hour.database.connect() as connection:
        return difference_of(connection, hour.archive, hour.window, rustbuckets)


def test_an_hour_that_is_as_built_differs_in_nothing(built):
    found = difference(built)
    rows = built.rows("select (select count(*) from log_events) + (select count(*) from quarantine) as count")
    assert (found.same, found.differs, found.examples) == (rows[0]["count"], False, [])


def test_changed_columns_are_counted_and_shown_before_and_after(built):
    changed(
        built, "update log_events set command = 'old', fields = '{\"a\": 1}', parser_version = 0 where command = 'c7'"
    )
    found = difference(built)
    assert (found.changed, found.added, found.removed) == (1, 0, 0)
    assert found.columns == {"command": 1, "fields": 1}
    [example] = found.examples
    assert example.columns == {"command": ("old", "c7"), "fields": ({"a": 1}, None)}
    assert example.kind == "changed"


def test_rows_on_one_side_only_are_added_or_removed(built):
    changed(built, "delete from log_events where command in ('c5', 'c59')")
    changed(built, "update log_events set byte_offset = byte_offset + 1 where command = 'c9'")
    found = difference(built)
    assert (found.changed, found.added, found.removed) == (0, 3, 1)
    assert [example.kind for example in found.examples] == ["added", "added", "removed", "added"]


def test_bytes_told_otherwise_are_a_change(built):
    changed(built, "update quarantine set reason = 'old'")
    found = difference(built)
    assert found.columns == {"reason": found.changed}
    assert found.changed > 0


def test_an_entry_that_became_an_event_is_told_as_such(built):
    changed(
        built,
        "with gone as (delete from log_events where command = 'c8' returning *) "
        "insert into quarantine select segment_id, byte_offset, byte_length, event_ts, 'no record', '' from gone",
    )
    [example] = difference(built).examples
    assert example.columns["told as"] == ("quarantined", "event")
    assert example.columns["reason"] == ("no record", None)


def test_only_the_rustbuckets_asked_for_are_compared(built):
    changed(built, "update log_events set message = 'old'")
    assert difference(built, "BKT2").changed == len(built.rows("select 1 from log_events where rustbucket_id = 'BKT2'"))
    assert not difference(built, "BKT3").differs


def test_examples_are_few_however_much_changed(built):
    changed(built, "update log_events set message = 'old'")
    found = difference(built)
    assert found.changed > EXAMPLES
    assert len(found.examples) == EXAMPLES


def test_nothing_is_written(built):
    before = built.rows()
    changed(built, "delete from quarantine")
    difference(built)
    assert built.rows() == before
    assert built.rows("select * from quarantine") == []


def test_an_object_that_is_gone_is_an_integrity_error(built):
    for row in built.rows("select object_key from segments"):
        built.archive.delete(row["object_key"])
    with pytest.raises(IntegrityError):
        difference(built)


def test_hours_of_which_there_is_anything_are_listed_with_their_sums(built):
    with built.database.connect() as connection:
        start = built.window.start
        [held] = held_hours(connection, start - 5 * HOUR, start + 5 * HOUR)
        assert held_hours(connection, start + HOUR, start + 5 * HOUR) == []
    assert held.window == built.window
    assert held.events == len(built.rows())
    assert held.version is not None
