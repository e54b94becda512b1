"""Logs below an S3 prefix, listed and read with boto3 (one hostile key makes obstore's listing raise).

The client comes from outside (boto3's credential chain). LastModified says nothing and is never looked at.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from rustbucket_pipeline.archive.names import period_of
from rustbucket_pipeline.archive.sources.base import SourceFile
from rustbucket_pipeline.archive.sources.directory import iter_blocks
from rustbucket_pipeline.errors import SourceUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Source:
    """Log objects below `s3://bucket/prefix/`."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        """The prefix ends where the instance folders begin, without a final slash."""
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def files(self) -> list[SourceFile]:
        """Every object whose name is a log's, all pages of the listing. Raises `SourceUnavailable`."""
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            return [
                SourceFile(key, found.get("Size", 0), found.get("ETag", ""), period)
                for page in pages
                for found in page.get("Contents", ())
                if (key := found.get("Key", "").removeprefix(self._prefix)) and (period := period_of(key))
            ]
        except (BotoCoreError, ClientError) as error:
            raise SourceUnavailable(f"s3://{self._bucket}/{self._prefix} can't be listed: {error}") from error

    @contextmanager
    def open(self, file: SourceFile, start: int) -> Generator[Iterator[bytes]]:
        """The object's bytes from `start` on, if it is still the listed one (ETag). Raises `SourceUnavailable`."""
        if start >= file.size:
            yield iter(())
            return
        try:
            answer = self._client.get_object(
                Bucket=self._bucket, Key=self._prefix + file.key, Range=f"bytes={start}-", IfMatch=file.etag
            )
            with answer["Body"] as body:
                yield iter_blocks(body.read, file.size - start)
        except (BotoCoreError, ClientError) as error:
            raise SourceUnavailable(f"s3://{self._bucket}/{self._prefix}{file.key} can't be read: {error}") from error
