"""A fleet of 2,000 rustbuckets and two weeks of hours: statistics and dashboard take seconds, not minutes."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.upkeep.dashboard.gather import gather
from rustbucket_pipeline.upkeep.dashboard.page import page_of
from rustbucket_pipeline.upkeep.statistics import measure
from rustbucket_pipeline.upkeep.task import Bench
from rustbucket_pipeline_tests.upkeep.dashboard.test_gather import OneJob
from rustbucket_pipeline_tests.upkeep.seeding import NOW

pytestmark = pytest.mark.long

RUSTBUCKETS, DAYS = 2_000, 14
LARGE = """
INSERT INTO rustbuckets (id, name, status, registered_at, approved_at)
SELECT 'BKT' || n, 'edge-' || n, 'active', :since, :since FROM generate_series(1, :rustbuckets) AS n;
INSERT INTO source_files (rustbucket_id, key, size, consumed, prefix_sha256, clock, after_text, first_seen_at,
    last_seen_at)
SELECT id, 'log', 1, 1, '', :now, false, :now, :now FROM rustbuckets;
INSERT INTO segments (log_id, source_file_id, rustbucket_id, window_start, byte_start, byte_end, object_key,
    stored_bytes, sha256, previous_sha256, chain_sha256, records, first_event_ts, last_event_ts, clock, after_text,
    vouched_from, vouched_until, pulled_at)
SELECT f.id, f.id, f.rustbucket_id, hour, row_number() OVER () * 100, row_number() OVER () * 100 + 100, 'raw', 10,
    '', '', '', 10, hour, hour + interval '20 minutes', hour, false, hour, hour, hour
FROM source_files AS f, generate_series(:since, :now - interval '2 hours', interval '1 hour') AS hour;
INSERT INTO hour_counts (hour, rustbucket_id, archived_bytes, event_bytes, quarantined_bytes, duplicate_bytes, events,
    quarantined, duplicates, counted)
SELECT window_start, rustbucket_id, 100, 100, 0, 0, 10, 0, 0, 8 FROM segments;
INSERT INTO rustbucket_status (rustbucket_id, observed_at, outcome)
SELECT id, at, 'arrival' FROM rustbuckets, generate_series(:now - interval '2 days', :now, interval '15 minutes') AS at;
"""


@pytest.fixture
def bench(settings: Settings, database: Engine, archive: Archive) -> Bench:
    values = {
        "since": NOW.replace(minute=0) - timedelta(days=DAYS),
        "now": NOW.replace(minute=0),
        "rustbuckets": RUSTBUCKETS,
    }
    with database.begin() as connection:
        for statement in LARGE.split(";\n")[:-1]:
            connection.execute(text(statement), values)
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return Bench(settings=settings, engine=database, archive=archive, dagster=OneJob(), now=NOW)


def test_a_large_fleet_takes_seconds_and_a_few_megabytes(bench: Bench, tmp_path: Path) -> None:
    began = time.monotonic()
    facts = gather(bench)
    gathered = time.monotonic()
    page = page_of(facts)
    rendered = time.monotonic()
    with bench.engine.connect() as connection:
        figures = {one.figure.name: one for one in measure(connection, bench.settings, NOW)}
    measured = time.monotonic()
    assert (facts.fleet.total, len(facts.fleet.rows)) == (RUSTBUCKETS, RUSTBUCKETS)
    assert figures["events"].value == RUSTBUCKETS * 7 * 24 * 10
    assert len(page) < 3_000_000
    told = (
        f"gathered {gathered - began:.1f} s, written {rendered - gathered:.1f} s, figures {measured - rendered:.1f} s"
    )
    assert measured - began < 60, told
