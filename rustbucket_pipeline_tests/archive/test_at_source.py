"""Whether a source still holds what was archived of it."""

import gzip
from hashlib import sha256
from pathlib import Path

import boto3
import pytest

from rustbucket_pipeline.archive.at_source import still_holds
from rustbucket_pipeline.archive.sources.base import Source, SourceFile, nothing_held
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.archive.sources.s3 import S3Source

LOG = b"one\ntwo\nthree\n"
WANTED = (4, 4, sha256(b"two\n").hexdigest())
KEY = "rustbucket-a/rustbucket.log.2026-03-02-00"


class Directory:
    """A directory with one log, as it was listed."""

    def __init__(self, root: Path, key: str = KEY, data: bytes = LOG) -> None:
        self.path = root / key
        self.path.parent.mkdir()
        self.path.write_bytes(data)
        self.source = DirectorySource(root)
        [self.listed] = self.source.files(nothing_held).files

    def asked(self) -> str:
        return still_holds(self.source, self.listed, *WANTED)


def test_the_same_bytes_are_found_also_where_the_file_grew(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    assert directory.asked() == ""
    with directory.path.open("ab") as file:
        file.write(b"four\n")
    assert directory.asked() == ""


def test_they_are_found_in_a_packed_file(tmp_path: Path) -> None:
    assert Directory(tmp_path, f"{KEY}.gz", gzip.compress(b"one\n") + gzip.compress(b"two\nthree\n")).asked() == ""


@pytest.mark.parametrize("data", [b"one\nTWO\nthree\n", b"one\ntw"])
def test_other_bytes_and_a_shorter_file_are_told(tmp_path: Path, data: bytes) -> None:
    directory = Directory(tmp_path)
    directory.path.write_bytes(data)
    assert KEY in directory.asked()


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    directory.path.unlink()
    assert "can't be opened" in directory.asked()


def test_a_link_put_in_its_place_is_not_followed(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    directory.path.rename(tmp_path / "elsewhere")
    directory.path.symlink_to(tmp_path / "elsewhere")
    assert "can't be opened" in directory.asked()


def test_an_object_of_s3_is_asked_for_its_range_alone_and_only_as_it_was(s3_server: str) -> None:
    client = boto3.client("s3", endpoint_url=s3_server)
    client.create_bucket(Bucket="at-source")
    put = client.put_object(Bucket="at-source", Key=f"logs/{KEY}", Body=LOG)
    source: Source = S3Source(client, "at-source", "logs")
    listed = SourceFile(KEY, len(LOG), put["ETag"], None)
    assert still_holds(source, listed, *WANTED) == ""
    client.put_object(Bucket="at-source", Key=f"logs/{KEY}", Body=LOG + b"four\n")
    assert "replaced" in still_holds(source, listed, *WANTED)
    client.delete_object(Bucket="at-source", Key=f"logs/{KEY}")
    assert "gone" in still_holds(source, listed, *WANTED)
