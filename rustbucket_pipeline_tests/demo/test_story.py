"""The story of the top finding is about what is new, and ends at bytes that are there."""

from pathlib import Path

import zstandard
from sqlalchemy import Engine

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import build_analysis
from rustbucket_pipeline.demo.simulate import Simulation
from rustbucket_pipeline.demo.story import top_story
from rustbucket_pipeline.model.window import FOUR_HOURS, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline_tests.demo.played import END, NOW, played, run_through

NEWEST = Window(END - FOUR_HOURS, FOUR_HOURS)


def source_of(fleet: Simulation, rustbucket_id: str, key: str) -> bytes:
    member = next(member for member in fleet.rustbuckets if member.id == rustbucket_id)
    return (fleet.folder_of(member) / key).read_bytes()


def test_the_new_campaign_is_followed_from_the_report_down_to_bytes_in_archive_and_source(
    tmp_path: Path, database: Engine, settings: Settings, archive: Archive
) -> None:
    fleet = played(tmp_path, rustbuckets=3)
    run_through(fleet, database, settings, archive)
    build_digest(database, NEWEST, NOW, None)
    build_analysis(database, settings, NEWEST, NOW, None)
    with database.connect() as connection:
        story = top_story(connection, END)
    assert story is not None
    assert story.rule == "cryptominer"
    assert "url stratum+tcp://pool.example.org:3333" in story.news
    assert story.completeness.startswith("complete: 3 of 3")
    assert sorted(row.rustbucket_id for row in story.rows) == list(story.rustbuckets), "a row from each"
    for row in story.rows:
        held = zstandard.decompress(archive.get(row.object_key))
        record = held[row.in_object : row.in_object + row.byte_length]
        assert row.text.encode() in record
        source = source_of(fleet, row.rustbucket_id, row.source_key)
        assert source[row.byte_offset : row.byte_offset + row.byte_length] == record


def test_a_window_without_a_report_has_no_story(database: Engine) -> None:
    with database.connect() as connection:
        assert top_story(connection, END) is None
