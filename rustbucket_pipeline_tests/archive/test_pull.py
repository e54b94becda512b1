"""Pulls: every byte once, unchanged; nothing twice, whatever the uploader does with names and copies."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update

from rustbucket_pipeline.archive.opening import openers
from rustbucket_pipeline.archive.promises import chains_unbroken, segments_match_store
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.model.window import HALF_HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import segments, source_files
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, hour_of_lines, json_line

HOUR = timedelta(hours=1)
NINE_FILE = "rustbucket.log.2026-03-02-09"
FIRST = Window(NINE, HALF_HOUR)
SECOND = Window(NINE + HALF_HOUR, HALF_HOUR)


@pytest.fixture
def fleet(database: Engine, archive: Archive, tmp_path: Path) -> FleetOnDisk:
    return FleetOnDisk(tmp_path / "sources", database, archive)


def test_a_file_is_archived_byte_for_byte_and_cut_into_half_hours(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NINE_FILE}", hour_of_lines(NINE))
    pulled = fleet.pull()
    assert fleet.archived(f"abc/{NINE_FILE}") == hour_of_lines(NINE)
    assert fleet.windows() == {FIRST.start: 1, SECOND.start: 1}
    assert pulled.windows == {FIRST.start, SECOND.start}
    assert pulled.new_bytes == len(hour_of_lines(NINE))


def test_ten_more_pulls_of_the_same_tree_change_nothing(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NINE_FILE}", hour_of_lines(NINE))
    fleet.pull()
    before, versions = fleet.counts(), fleet.versions()
    for _ in range(10):
        assert fleet.pull(later=HALF_HOUR).new_bytes == 0
    assert (fleet.counts(), fleet.versions()) == (before, versions)


def test_a_grown_file_adds_only_what_is_new(fleet: FleetOnDisk) -> None:
    data = hour_of_lines(NINE)
    fleet.write(f"abc/{NINE_FILE}", data[:2000])
    fleet.pull()
    fleet.write(f"abc/{NINE_FILE}", data)
    assert fleet.pull(later=HOUR).new_bytes == len(data) - 2000
    assert fleet.archived(f"abc/{NINE_FILE}") == data


def test_a_last_line_without_newline_waits_until_the_file_is_settled(fleet: FleetOnDisk) -> None:
    fleet.now = NINE + timedelta(minutes=40)
    data = hour_of_lines(NINE)
    fleet.write(f"abc/{NINE_FILE}", data[:-50])
    fleet.pull()
    assert fleet.archived(f"abc/{NINE_FILE}") == data[: data[:-50].rfind(b"\n") + 1]
    fleet.pull(later=HOUR)
    assert fleet.archived(f"abc/{NINE_FILE}") == data[:-50]


def test_the_same_file_in_another_instance_s_folder_is_the_same_log(fleet: FleetOnDisk) -> None:
    data = hour_of_lines(NINE)
    fleet.write(f"abc/{NINE_FILE}", data)
    fleet.pull()
    rows, _, objects = fleet.counts()
    fleet.write(f"xyz/{NINE_FILE}", data)
    assert fleet.pull().new_bytes == 0
    assert fleet.counts() == (rows, 2, objects)


def test_a_log_that_goes_on_in_another_folder_is_continued_there(fleet: FleetOnDisk) -> None:
    data = hour_of_lines(NINE)
    half = data.find(b"\n", 1500) + 1
    fleet.write(f"abc/{NINE_FILE}", data[:half])
    fleet.pull()
    fleet.write(f"xyz/{NINE_FILE}", data)
    assert fleet.pull().new_bytes == len(data) - half
    assert fleet.archived(f"xyz/{NINE_FILE}") == data
    fleet.write(f"abc/{NINE_FILE}", data)
    assert fleet.pull().new_bytes == 0
    assert fleet.archived(f"abc/{NINE_FILE}") == data


def test_two_copies_that_went_on_differently_are_both_kept_whole(fleet: FleetOnDisk) -> None:
    data = hour_of_lines(NINE)
    one, other = data + json_line(NINE + HOUR, "one"), data + json_line(NINE + HOUR, "other")
    fleet.write(f"abc/{NINE_FILE}", data)
    fleet.pull()
    fleet.write(f"abc/{NINE_FILE}", one)
    fleet.write(f"xyz/{NINE_FILE}", other)
    fleet.pull()
    assert fleet.archived(f"abc/{NINE_FILE}") == one
    assert fleet.archived(f"xyz/{NINE_FILE}") == other


def test_a_rewritten_file_is_a_new_log_and_the_old_bytes_stay(fleet: FleetOnDisk) -> None:
    old, new = hour_of_lines(NINE, words="old"), hour_of_lines(NINE, words="new")
    fleet.write(f"abc/{NINE_FILE}", old)
    fleet.pull()
    fleet.write(f"abc/{NINE_FILE}", new)
    fleet.pull()
    assert fleet.archived(f"abc/{NINE_FILE}") == new
    assert fleet.windows() == {FIRST.start: 2, SECOND.start: 2}


def test_with_every_cursor_forgotten_the_same_segments_result(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NINE_FILE}", hour_of_lines(NINE))
    fleet.write("abc/rustbucket.log.2026-03-02-10", hour_of_lines(NINE + HOUR))
    fleet.pull()
    before, versions = fleet.counts(), fleet.versions()
    with fleet.engine.begin() as connection:
        connection.execute(update(source_files).values(etag="", size=0))
    assert fleet.pull().new_bytes == 0
    assert (fleet.counts(), fleet.versions()) == (before, versions)


def test_late_bytes_change_their_own_window_and_no_other(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NINE_FILE}", hour_of_lines(NINE))
    fleet.pull(FIRST, SECOND)
    before = fleet.versions()
    late = json_line(NINE + timedelta(minutes=59, seconds=59), "late")
    fleet.write("abc/rustbucket.log.2026-03-02-10", late + hour_of_lines(NINE + HOUR))
    assert fleet.pull().windows == {SECOND.start, NINE + HOUR, NINE + HOUR + HALF_HOUR}
    after = fleet.versions()
    assert after[FIRST.start] == before[FIRST.start]
    assert after[SECOND.start] != before[SECOND.start]


def test_an_asked_window_of_which_nothing_came_is_noted_as_built(fleet: FleetOnDisk) -> None:
    fleet.pull(FIRST)
    assert list(fleet.versions()) == [FIRST.start]


def test_names_that_are_no_log_s_and_links_are_left_alone(fleet: FleetOnDisk, tmp_path: Path) -> None:
    fleet.write("abc/notes.txt", b"nothing")
    fleet.write("abc/rustbucket.log.2026-13-45", b"nothing")
    secret = tmp_path / "secret"
    secret.write_bytes(hour_of_lines(NINE))
    (fleet.root / BKT / "abc" / NINE_FILE).symlink_to(secret)
    assert fleet.pull().new_bytes == 0


def test_one_rustbucket_s_failure_stops_no_other_and_its_alert_clears_itself(
    fleet: FleetOnDisk, settings: Settings, tmp_path: Path
) -> None:
    fleet.register("BKT100002")
    fleet.write(f"abc/{NINE_FILE}", hour_of_lines(NINE), "BKT100002")
    working = fleet.openers[BKT]
    (tmp_path / "moved").symlink_to("/etc")
    moved = (tmp_path / "moved").as_uri()
    linked = Rustbucket(BKT, BKT, Status.ACTIVE, None, moved, False, False, None, NINE, NINE, None, None, None)
    fleet.openers |= openers([linked], settings, s3_client=lambda: pytest.fail("no S3 here"), token_of=lambda _: None)
    pulled = fleet.pull()
    assert "leads to /etc" in pulled.failed[BKT]
    assert fleet.archived(f"abc/{NINE_FILE}", "BKT100002") == hour_of_lines(NINE)
    assert open_alerts(fleet) == [("source_failed", BKT)]
    fleet.openers[BKT] = working
    fleet.pull()
    assert open_alerts(fleet) == []


def open_alerts(fleet: FleetOnDisk) -> list[tuple[str, str]]:
    with fleet.engine.connect() as connection:
        rows = connection.execute(select(alerts.c.kind, alerts.c.subject).where(alerts.c.closed_at.is_(None)))
        return [(row.kind, row.subject) for row in rows]


def test_a_lost_object_is_fetched_again_when_its_window_is_asked_for(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NINE_FILE}", hour_of_lines(NINE))
    fleet.pull()
    lost = next(iter(fleet.archive.keys("raw/")))
    fleet.archive.delete(lost)
    assert fleet.pull(FIRST, SECOND).gone == ()
    assert fleet.archived(f"abc/{NINE_FILE}") == hour_of_lines(NINE)


def test_an_object_of_two_logs_is_back_when_one_of_them_still_has_its_bytes(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NINE_FILE}", hour_of_lines(NINE))
    fleet.pull()
    fleet.write(f"abc/{NINE_FILE}", json_line(NINE, "rewritten") + hour_of_lines(NINE))
    fleet.pull(later=HOUR)
    (shared,) = (key for key in fleet.archive.keys("raw/") if f"/{SECOND.start:%H%M}/" in key)
    fleet.archive.delete(shared)
    assert fleet.pull(FIRST, SECOND).gone == ()
    assert open_alerts(fleet) == []


def test_an_object_lost_for_good_is_named_and_alerted(fleet: FleetOnDisk) -> None:
    fleet.write(f"abc/{NINE_FILE}", hour_of_lines(NINE))
    fleet.pull()
    lost = next(iter(fleet.archive.keys("raw/")))
    content = fleet.archive.get(lost)
    fleet.archive.delete(lost)
    (fleet.root / BKT / "abc" / NINE_FILE).unlink()
    assert fleet.pull(FIRST, SECOND).gone == (lost,)
    half = FIRST if f"/{FIRST.start:%H%M}/" in lost else SECOND
    assert open_alerts(fleet) == [("gap_unfillable", f"{BKT} {half.key}")]
    fleet.archive.put_new(lost, content)
    assert fleet.pull(FIRST, SECOND).gone == ()
    assert open_alerts(fleet) == []


def test_the_promises_notice_a_broken_chain_and_a_missing_object(fleet: FleetOnDisk) -> None:
    for hour in range(3):
        fleet.write(f"abc/rustbucket.log.2026-03-02-{9 + hour:02}", hour_of_lines(NINE + hour * HOUR))
    fleet.pull(later=2 * HOUR)
    with fleet.engine.begin() as connection:
        assert chains_unbroken(connection, fleet.since).kept
        assert segments_match_store(connection, fleet.archive).kept
        first = connection.execute(select(segments.c.id).order_by(segments.c.id).limit(1)).scalar_one()
        connection.execute(delete(segments).where(segments.c.id == first))
        assert not chains_unbroken(connection, fleet.since).kept
    fleet.archive.delete(sorted(fleet.archive.keys("raw/"))[-1])
    with fleet.engine.connect() as connection:
        assert not segments_match_store(connection, fleet.archive).kept
