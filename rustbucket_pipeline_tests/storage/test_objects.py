"""The archive's objects, in a directory and in S3: the same promises by the same code."""

import itertools
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from obstore.store import LocalStore

from rustbucket_pipeline.errors import ConfigurationError, IntegrityError, StoreUnavailable
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import objects
from rustbucket_pipeline.storage.objects import Archive, open_archive

KEY = "raw/BKT1/2026/03/02/0030/abc.log.zst"
buckets = (f"bucket{number}" for number in itertools.count(1))


def in_directory(directory: Path) -> Archive:
    return open_archive(Settings(RUSTBUCKET_ARCHIVE_URL=directory.as_uri()))


def in_bucket(endpoint: str, region: str = "us-east-1") -> Archive:
    bucket, where = next(buckets), {} if region == "us-east-1" else {"LocationConstraint": region}
    client = boto3.client("s3", endpoint_url=endpoint, region_name=region)
    client.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))
    client.close()
    return open_archive(Settings(RUSTBUCKET_ARCHIVE_URL=f"s3://{bucket}/a prefix", RUSTBUCKET_S3_ENDPOINT=endpoint))


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    if request.param == "directory":
        return in_directory(tmp_path / "an archive%, é#1")
    return in_bucket(request.getfixturevalue("s3_server"))


def test_an_object_is_stored_once_and_comes_back_as_it_was(store: Archive) -> None:
    data = os.urandom(100_000)
    assert store.put_new(KEY, data)
    assert not store.put_new(KEY, data)
    store.settle()
    assert store.get(KEY) == data
    assert store.size(KEY) == len(data)


def test_an_object_that_is_made_anew_replaces_the_one_before(store: Archive) -> None:
    for data in (b"first", b"second, longer"):
        store.replace(KEY, data)
        store.settle()
        assert store.get(KEY) == data


def test_a_stream_is_stored_once_and_comes_back_as_one_and_one_that_breaks_is_not_stored(store: Archive) -> None:
    blocks = [bytes([number]) * 1024**2 for number in range(20)]
    assert [store.put_stream(KEY, iter(blocks)), store.put_stream(KEY, iter(blocks[:1]))] == [True, False]
    store.settle()
    assert b"".join(store.stream(KEY)) == b"".join(blocks)

    def broken() -> Iterator[bytes]:
        yield from blocks
        raise ConfigurationError("no more")

    with pytest.raises(ConfigurationError, match="no more"):
        store.put_stream(f"{KEY}2", broken())
    assert store.size(f"{KEY}2") is None
    with pytest.raises(IntegrityError, match="is missing"):
        list(store.stream(f"{KEY}2"))


def test_a_large_object_is_stored_once_too(store: Archive) -> None:
    data = bytes(12 * 1024**2)
    assert [store.put_new(KEY, data), store.put_new(KEY, data)] == [True, False]
    assert store.get(KEY) == data


def test_one_of_many_writers_of_an_object_made_it(store: Archive) -> None:
    results: list[bool] = []
    writers = [threading.Thread(target=lambda: results.append(store.put_new(KEY, b"same"))) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(results) == [False] * 7 + [True]


def test_what_is_not_there_has_no_size_and_cannot_be_read(store: Archive) -> None:
    assert store.size(KEY) is None
    with pytest.raises(IntegrityError, match="materialize log_archives"):
        store.get(KEY)


def test_a_deleted_object_is_gone_and_deleting_twice_is_no_error(store: Archive) -> None:
    store.put_new(KEY, b"x")
    store.delete(KEY)
    store.delete(KEY)
    assert store.size(KEY) is None
    assert store.put_new(KEY, b"x")


def test_keys_are_listed_below_whole_segments_of_a_prefix(store: Archive) -> None:
    for key in ("raw/BKT1/a", "raw/BKT1/b/c", "raw/BKT10/d"):
        store.put_new(key, b"x")
    assert sorted(store.keys("raw/BKT1")) == ["raw/BKT1/a", "raw/BKT1/b/c"]
    assert list(store.keys("raw/BKT2")) == []


@pytest.mark.parametrize("leftover", [b"", b"data", b"date"], ids=["empty", "cut short", "other"])
def test_what_a_power_loss_left_of_an_object_is_replaced(tmp_path: Path, leftover: bytes) -> None:
    (tmp_path / KEY).parent.mkdir(parents=True)
    (tmp_path / KEY).write_bytes(leftover)
    archive = in_directory(tmp_path)
    assert archive.put_new(KEY, b"data!") is True
    assert archive.get(KEY) == b"data!"


def test_other_bytes_under_a_taken_key_in_s3_are_never_overwritten(s3_server: str) -> None:
    archive = in_bucket(s3_server)
    archive.put_new(KEY, b"evidence")
    with pytest.raises(IntegrityError, match="other bytes"):
        archive.put_new(KEY, b"forgery!")
    assert archive.get(KEY) == b"evidence"


def test_a_bucket_in_another_region_is_found(s3_server: str) -> None:
    archive = in_bucket(s3_server, "eu-central-1")
    assert archive.put_new(KEY, b"x")


def test_a_directory_archive_is_closed_to_others_and_lies_in_the_home_by_default(tmp_path: Path) -> None:
    open_archive(Settings(RUSTBUCKET_HOME=tmp_path)).put_new(KEY, b"x")
    assert (tmp_path / "archive" / KEY).read_bytes() == b"x"
    assert stat.S_IMODE((tmp_path / "archive").stat().st_mode) == 0o700


def test_opening_contacts_nothing(tmp_path: Path) -> None:
    open_archive(Settings(RUSTBUCKET_HOME=tmp_path / "home"))
    open_archive(Settings(RUSTBUCKET_ARCHIVE_URL="s3://b/p", RUSTBUCKET_S3_ENDPOINT="http://127.0.0.1:1"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "file://host/x", "file:relative", "s3://", "s3://key:hush@b/p", "x", "s3://[b"]
)
def test_a_url_that_is_no_archive_s_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ConfigurationError, match="RUSTBUCKET_ARCHIVE_URL") as error:
        open_archive(Settings(RUSTBUCKET_ARCHIVE_URL=url))
    assert "hush" not in str(error.value)


def test_a_bucket_that_does_not_exist_is_a_setting_to_correct(s3_server: str) -> None:
    archive = open_archive(Settings(RUSTBUCKET_ARCHIVE_URL="s3://nowhere/p", RUSTBUCKET_S3_ENDPOINT=s3_server))
    with pytest.raises(ConfigurationError, match="check its name"):
        archive.size(KEY)


def test_missing_credentials_are_a_setting_to_correct(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    archive = open_archive(Settings(RUSTBUCKET_ARCHIVE_URL="s3://nowhere/p", RUSTBUCKET_S3_ENDPOINT=s3_server))
    with pytest.raises(ConfigurationError, match="no credentials"):
        archive.size(KEY)


def test_a_store_that_is_down_may_come_back(s3_server: str) -> None:
    archive = open_archive(Settings(RUSTBUCKET_ARCHIVE_URL="s3://b/p", RUSTBUCKET_S3_ENDPOINT="http://127.0.0.1:1"))
    with pytest.raises(StoreUnavailable, match="next run"):
        archive.size(KEY)


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="RUSTBUCKET_ARCHIVE_URL") as error:
        in_directory(tmp_path / "file" / "archive").put_new(KEY, b"x")
    assert "\n" not in str(error.value)


def test_where_a_whole_file_system_cannot_be_flushed_each_file_is(tmp_path: Path) -> None:
    archive = in_directory(tmp_path)
    archive.put_new(KEY, b"x")
    objects._sync_files(tmp_path, {KEY})
    with pytest.raises(FileNotFoundError):
        objects._sync_files(tmp_path, {"raw/missing"})


def test_settling_a_directory_that_is_gone_fails_and_may_be_tried_again(tmp_path: Path) -> None:
    archive = in_directory(tmp_path / "archive")
    archive.put_new(KEY, b"x")
    (tmp_path / "archive").rename(tmp_path / "away")
    with pytest.raises(StoreUnavailable, match="durable"):
        archive.settle()
    (tmp_path / "away").rename(tmp_path / "archive")
    archive.settle()


def test_settling_waits_for_what_another_thread_is_flushing(tmp_path: Path) -> None:
    begun, go_on, flushed = threading.Event(), threading.Event(), list[set[str]]()

    def flush(_: Path, keys: set[str]) -> None:
        begun.set()
        assert go_on.wait(10)
        flushed.append(keys)

    archive = Archive("file:///", lambda: LocalStore(tmp_path), tmp_path, flush)
    archive.put_new(KEY, b"one thread's")
    first, second = threading.Thread(target=archive.settle), threading.Thread(target=archive.settle)
    first.start()
    assert begun.wait(10)
    second.start()
    second.join(0.2)
    assert second.is_alive()
    go_on.set()
    first.join(10)
    second.join(10)
    assert flushed == [{KEY}]


def test_what_is_put_during_a_flush_is_flushed_by_the_next(tmp_path: Path) -> None:
    other, flushed = "raw/BKT1/2026/03/02/0030/other.log.zst", list[set[str]]()

    def flush(_: Path, keys: set[str]) -> None:
        if not flushed:
            archive.put_new(other, b"another thread's")
        flushed.append(keys)

    archive = Archive("file:///", lambda: LocalStore(tmp_path), tmp_path, flush)
    archive.put_new(KEY, b"one thread's")
    archive.settle()
    archive.settle()
    assert flushed == [{KEY}, {other}]
