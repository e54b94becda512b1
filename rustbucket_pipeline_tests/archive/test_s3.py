"""Sources and archive on S3, over HTTP: complete listings, ranges, and whatever S3 or an uploader does meanwhile."""

import gzip
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, select

from rustbucket_pipeline.archive.opening import openers
from rustbucket_pipeline.archive.sources.base import nothing_held
from rustbucket_pipeline.archive.sources.s3 import S3Source
from rustbucket_pipeline.defs.resources import S3Sources
from rustbucket_pipeline.errors import FileUnavailable, IntegrityError, SourceUnavailable
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.model.window import HALF_HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.alert_tables import alerts
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.storage.tables import odd_keys, source_files
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, hour_of_lines, json_line
from rustbucket_pipeline_tests.archive.s3_front import Bucket, Front, client_of, front_of

HOUR = timedelta(hours=1)
NAME = "rustbucket.log.2026-03-02-09"
DATA = hour_of_lines(NINE)
FIRST = Window(NINE, HALF_HOUR)
PREFIX = "honeypot-logs/BKT100001"


@pytest.fixture
def front(s3_server: str) -> Iterator[Front]:
    with front_of(s3_server) as front:
        yield front


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def fleet(database: Engine, front: Front, bucket: Bucket, tmp_path: Path) -> FleetOnDisk:
    """A fleet of one, whose files lie in S3, with the archive in S3 too."""
    own = Bucket()
    archive = open_archive(
        Settings(RUSTBUCKET_ARCHIVE_URL=f"s3://{own.name}/archive", RUSTBUCKET_S3_ENDPOINT=front.endpoint)
    )
    fleet = FleetOnDisk(tmp_path, database, archive)
    client = client_of(front.endpoint)
    fleet.openers[BKT] = lambda: [S3Source(client, bucket.name, PREFIX)]
    return fleet


def source(front: Front, bucket: Bucket, owner: str | None = None) -> S3Source:
    return S3Source(client_of(front.endpoint), bucket.name, PREFIX, owner)


def open_alerts(fleet: FleetOnDisk) -> list[str]:
    query = select(alerts.c.kind).where(alerts.c.closed_at.is_(None)).order_by(alerts.c.kind)
    with fleet.engine.connect() as connection:
        return list(connection.execute(query).scalars())


def test_what_lies_in_s3_is_archived_in_s3_byte_for_byte_and_once(fleet: FleetOnDisk, bucket: Bucket) -> None:
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    bucket.put(f"{PREFIX}/abc/rustbucket.log.2026-03-02-10.gz", gzip.compress(hour_of_lines(NINE + HOUR)))
    bucket.put(f"{PREFIX}0/abc/{NAME}", b"another rustbucket's")
    assert fleet.pull().failed == {}
    before = fleet.counts()
    assert fleet.pull().new_bytes == 0
    assert fleet.counts() == before
    assert fleet.archived(f"abc/{NAME}") == DATA
    assert fleet.archived("abc/rustbucket.log.2026-03-02-10.gz") == hour_of_lines(NINE + HOUR)


def test_of_a_grown_object_only_what_is_new_is_fetched(fleet: FleetOnDisk, bucket: Bucket, front: Front) -> None:
    half = DATA.find(b"\n", 3000) + 1
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA[:half])
    fleet.pull()
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    front.requests.clear()
    assert fleet.pull().new_bytes == len(DATA) - half
    assert fleet.archived(f"abc/{NAME}") == DATA
    assert ranges_of(front, bucket) == [f"bytes={half}-{len(DATA) - 1}"]


def ranges_of(front: Front, bucket: Bucket) -> list[str]:
    return [
        asked
        for method, path, asked in front.requests
        if method == "GET" and path.startswith(f"/{bucket.name}/{PREFIX}/")
    ]


def test_bytes_changed_before_what_grew_are_noticed_though_only_the_end_is_new(
    fleet: FleetOnDisk, bucket: Bucket
) -> None:
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    fleet.pull()
    changed = DATA.replace(b"09:10:00", b"09:10:01") + json_line(NINE + HOUR)
    bucket.put(f"{PREFIX}/abc/{NAME}", changed)
    assert fleet.pull().new_bytes == len(changed)
    assert fleet.archived(f"abc/{NAME}") == changed


def test_ten_thousand_keys_are_all_listed_and_odd_ones_stop_nothing(
    fleet: FleetOnDisk, bucket: Bucket, front: Front
) -> None:
    for number in range(10_000):
        bucket.put(f"{PREFIX}/i{number:05}/{NAME}", b"")
    odd = [
        "a//b",
        "..",
        "a/../b",
        "tab\there",
        "esc\x1b[2J",
        "%2e%2e",
        "x" * (1024 - len(PREFIX) - len(NAME) - 2),
        "\ufffd",
    ]
    for folder in odd:
        bucket.put(f"{PREFIX}/{folder}/{NAME}", DATA)
    bucket.put(f"{PREFIX}/notes.txt", DATA)
    bucket.put(f"{PREFIX}/folder/", b"")
    bucket.put(f"{PREFIX}/zzz/{NAME}", DATA)
    listing = source(front, bucket).files(nothing_held)
    assert len(listing.files) == 10_001
    pulled = fleet.pull()
    assert pulled.failed == {}
    assert pulled.new_bytes == len(DATA)
    with fleet.engine.connect() as connection:
        rows = connection.execute(select(odd_keys.c.key, odd_keys.c.reason)).all()
    assert len(rows) == len(odd) + 1
    assert all(key.isprintable() and len(key) <= 200 for key, _ in rows)
    assert open_alerts(fleet) == ["odd_files"]
    for folder in odd:
        bucket.delete(f"{PREFIX}/{folder}/{NAME}")
    fleet.pull(later=HOUR)
    assert open_alerts(fleet) == []


def test_throttling_ends_the_pull_in_bounded_time_and_the_next_one_catches_up(
    fleet: FleetOnDisk, bucket: Bucket, front: Front
) -> None:
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    front.rule = lambda _, path: (503, "SlowDown") if path.startswith(f"/{bucket.name}") else None
    assert "slow down" in fleet.pull().failed[BKT]
    front.rule = lambda _, path: (503, "SlowDown") if f"{bucket.name}/{PREFIX}/abc" in path else None
    assert "slow down" in fleet.pull().failed[BKT]
    assert open_alerts(fleet) == ["source_failed"]
    front.rule = lambda _, __: None
    assert fleet.pull().new_bytes == len(DATA)
    assert open_alerts(fleet) == []


def test_throttling_that_passes_is_not_even_noticed(fleet: FleetOnDisk, bucket: Bucket, front: Front) -> None:
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    seen: set[str] = set()

    def first_time(method: str, path: str) -> tuple[int, str] | None:
        known = f"{method} {path}" in seen or not path.startswith(f"/{bucket.name}")
        seen.add(f"{method} {path}")
        return None if known else (503, "SlowDown")

    front.rule = first_time
    pulled = fleet.pull()
    assert (pulled.failed, pulled.new_bytes) == ({}, len(DATA))


def test_denied_and_vanished_buckets_are_said_in_clear_words(fleet: FleetOnDisk, bucket: Bucket, front: Front) -> None:
    front.rule = lambda _, path: (403, "AccessDenied") if path.startswith(f"/{bucket.name}") else None
    assert "s3:ListBucket" in fleet.pull().failed[BKT]
    front.rule = lambda _, __: None
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    fleet.pull()
    bucket.vanish()
    assert "no such bucket" in fleet.pull().failed[BKT]
    assert fleet.archived(f"abc/{NAME}") == DATA


def test_one_unreadable_object_stops_no_other(fleet: FleetOnDisk, bucket: Bucket, front: Front) -> None:
    for hour in (9, 10):
        bucket.put(f"{PREFIX}/abc/rustbucket.log.2026-03-02-{hour:02}", hour_of_lines(NINE + (hour - 9) * HOUR))
    front.rule = lambda _, path: (403, "InvalidObjectState") if NAME in path else None
    pulled = fleet.pull()
    assert "archive tier" in pulled.failed[BKT]
    assert fleet.archived("abc/rustbucket.log.2026-03-02-10") == hour_of_lines(NINE + HOUR)
    front.rule = lambda _, __: None
    fleet.pull()
    assert fleet.archived(f"abc/{NAME}") == DATA


def test_an_object_replaced_between_list_and_get_is_tried_again(
    fleet: FleetOnDisk, bucket: Bucket, front: Front
) -> None:
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    other = hour_of_lines(NINE, words="other")

    def replace(method: str, path: str) -> None:
        if method == "GET" and NAME in path:
            bucket.put(f"{PREFIX}/abc/{NAME}", other)

    front.rule = replace
    pulled = fleet.pull()
    assert "replaced" in pulled.failed[BKT]
    assert pulled.new_bytes == 0
    front.rule = lambda _, __: None
    fleet.pull()
    assert fleet.archived(f"abc/{NAME}") == other


def test_an_object_that_expired_before_it_was_archived_is_a_gap_with_an_alert(
    fleet: FleetOnDisk, bucket: Bucket, front: Front
) -> None:
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)

    def expire(method: str, path: str) -> None:
        if method == "GET" and NAME in path:
            bucket.delete(f"{PREFIX}/abc/{NAME}")

    front.rule = expire
    assert "gone" in fleet.pull().failed[BKT]
    assert open_alerts(fleet) == ["source_failed"]
    fleet.pull(later=HOUR)
    assert open_alerts(fleet) == ["gap_unfillable"]
    with fleet.engine.connect() as connection:
        row = connection.execute(select(source_files)).one()
    assert (row.expired_at, row.consumed, row.period_start) == (fleet.now, 0, NINE)


def test_a_body_that_breaks_off_is_gone_on_with_by_range(front: Front, bucket: Bucket) -> None:
    data = os.urandom(3_000_000)
    bucket.put(f"{PREFIX}/abc/{NAME}", data)
    own = source(front, bucket)
    file = own.files(nothing_held).files[0]
    front.cut = 700_000
    with own.open(file, 1_000_000) as blocks:
        assert b"".join(blocks) == data[1_000_000:]
    assert front.cut is None
    bucket.put(f"{PREFIX}/abc/{NAME}", data[:10])
    with pytest.raises(FileUnavailable, match="replaced"), own.open(file, 0) as blocks:
        next(blocks)


def test_another_account_s_bucket_is_refused(front: Front, bucket: Bucket) -> None:
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    assert len(source(front, bucket, "123456789012").files(nothing_held).files) == 1
    with pytest.raises(SourceUnavailable, match="s3_owner"):
        source(front, bucket, "999999999999").files(nothing_held)


def test_other_content_under_a_taken_key_is_refused_and_what_is_there_stays(fleet: FleetOnDisk, bucket: Bucket) -> None:
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    fleet.pull()
    key = next(iter(fleet.archive.keys("raw/")))
    before = fleet.archive.get(key)
    with pytest.raises(IntegrityError):
        fleet.archive.put_new(key, b"other")
    assert fleet.archive.get(key) == before


def test_a_lost_object_is_put_back_from_s3(fleet: FleetOnDisk, bucket: Bucket) -> None:
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    fleet.pull()
    for key in list(fleet.archive.keys("raw/")):
        fleet.archive.delete(key)
    assert fleet.pull(FIRST, Window(FIRST.end, HALF_HOUR)).gone == ()
    assert fleet.archived(f"abc/{NAME}") == DATA


def test_the_assets_clients_are_shared_by_region(
    front: Front, bucket: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSTBUCKET_S3_ENDPOINT", front.endpoint)
    client = S3Sources().create_resource(dg.build_init_resource_context())
    assert client("eu-central-1") is client("eu-central-1")
    assert client("eu-central-1").meta.region_name == "eu-central-1"
    bucket.put(f"{PREFIX}/abc/{NAME}", DATA)
    place = f"s3://{bucket.name}/{PREFIX}"
    one = Rustbucket(
        BKT, BKT, Status.ACTIVE, None, place, False, None, NINE, NINE, None, None, None, s3_region="eu-central-1"
    )
    (own,) = openers([one], settings, client, lambda _: None)[BKT]()
    assert [file.key for file in own.files(nothing_held).files] == [f"abc/{NAME}"]
