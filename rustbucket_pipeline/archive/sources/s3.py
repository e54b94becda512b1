"""Logs below an S3 prefix, listed and read with boto3 (one hostile key makes obstore's listing raise).

The client comes from outside (boto3's credential chain, its bounded retries). LastModified says nothing and is never
looked at.
"""

import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, ClassVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    NoCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from rustbucket_pipeline.archive.sources.base import HeldOf, Listing, SourceFile
from rustbucket_pipeline.archive.sources.directory import iter_blocks
from rustbucket_pipeline.errors import FileUnavailable, SourceUnavailable
from rustbucket_pipeline.model.text import bounded

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef, ListObjectsV2RequestPaginateTypeDef, ObjectTypeDef

MOST_KEYS = 2_000_000
"""Keys below one prefix that are listed at most: bounds memory."""

TRIES = 3
"""How often a body that breaks off is gone on with."""

_MD5 = re.compile(r'"([0-9a-f]{32})"', re.ASCII)

_DENIED = "access denied; allow s3:ListBucket and s3:GetObject there, and check s3_owner"
_SLOW = "S3 asks to slow down; the next pull tries again"
_REASONS = {
    "AccessDenied": _DENIED,
    "403": _DENIED,
    "NoSuchBucket": "there is no such bucket any more; correct logs_url",
    "NoSuchKey": "it is gone since it was listed",
    "PreconditionFailed": "it was replaced since it was listed; it is tried again",
    "InvalidObjectState": "it lies in an archive tier; restore it there",
    "SlowDown": _SLOW,
    "503": _SLOW,
    "ServiceUnavailable": _SLOW,
}
_WHOLE_SOURCE = frozenset({"NoSuchBucket", "SlowDown", "RequestTimeTooSkewed", "ExpiredToken", "InvalidAccessKeyId"})


class S3Source:
    """Log objects below `s3://bucket/prefix/`."""

    waits: ClassVar[bool] = False

    def __init__(self, client: "S3Client", bucket: str, prefix: str, owner: str | None = None) -> None:
        """The prefix ends where the instance folders begin; S3 refuses the bucket if it isn't the `owner` account's."""
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._owner = owner

    def files(self, held: HeldOf) -> Listing:
        """Every object, all pages of the listing. Raises `SourceUnavailable`."""
        listing, seen = Listing(), 0
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(**self._list_request()):
                for found in page.get("Contents", ()):
                    self._note(listing, found)
                    seen += 1
                if seen > MOST_KEYS:
                    raise SourceUnavailable(f"{self._place()} holds over {MOST_KEYS} objects; narrow its logs_url")
        except (BotoCoreError, ClientError) as error:
            raise SourceUnavailable(f"{self._place()} can't be listed: {_reason(error)}") from error
        return listing

    @contextmanager
    def open(self, file: SourceFile, start: int) -> Generator[Iterator[bytes]]:
        """The object's bytes from `start` on, if it is still the listed one (ETag).

        Raises:
            FileUnavailable: this object can't be read, or is another one by now.
            SourceUnavailable: nothing there can be read.
        """
        blocks = self._blocks(file, start)
        try:
            yield blocks
        finally:
            blocks.close()

    def _blocks(self, file: SourceFile, start: int) -> Generator[bytes]:
        tries = 0
        while start < file.size:
            try:
                answer = self._client.get_object(**self._get_request(file, start))
                with closing(answer["Body"]) as body:
                    for block in iter_blocks(body.read, file.size - start):
                        start += len(block)
                        yield block
            except (ReadTimeoutError, ResponseStreamingError, IncompleteReadError) as error:
                tries += 1
                if tries == TRIES:
                    raise self._unread(file, error) from error
            except (BotoCoreError, ClientError) as error:
                raise self._unread(file, error) from error

    def _list_request(self) -> "ListObjectsV2RequestPaginateTypeDef":
        request: ListObjectsV2RequestPaginateTypeDef = {"Bucket": self._bucket, "Prefix": self._prefix}
        if self._owner:
            request["ExpectedBucketOwner"] = self._owner
        return request

    def _get_request(self, file: SourceFile, start: int) -> "GetObjectRequestTypeDef":
        request: GetObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": self._prefix + file.key,
            "Range": f"bytes={start}-{file.size - 1}",
            "IfMatch": file.etag,
        }
        if self._owner:
            request["ExpectedBucketOwner"] = self._owner
        return request

    def _note(self, listing: Listing, found: "ObjectTypeDef") -> None:
        key, size, etag = found.get("Key", ""), found.get("Size", 0), found.get("ETag", "")
        if not key.startswith(self._prefix):
            listing.refuse(key, "outside of the prefix that was asked for")
        elif size or not key.endswith("/"):  # an empty object so named is a folder of S3's web page
            md5 = _MD5.fullmatch(etag)
            listing.note(key.removeprefix(self._prefix), size, etag, md5[1] if md5 else None)

    def _place(self, key: str = "") -> str:
        return bounded(f"s3://{self._bucket}/{self._prefix}{key}", 300)

    def _unread(self, file: SourceFile, error: BotoCoreError | ClientError) -> SourceUnavailable:
        message = f"{self._place(file.key)} can't be read: {_reason(error)}"
        return FileUnavailable(message) if _of_one_file(error) else SourceUnavailable(message)


def _reason(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, NoCredentialsError):
        return "no credentials; set AWS_PROFILE, AWS_ACCESS_KEY_ID or a role"
    code = _code(error)
    return _REASONS[code] if code in _REASONS else f"{bounded(str(error), 200)}; the next pull tries again"


def _code(error: BotoCoreError | ClientError) -> str:
    if not isinstance(error, ClientError):
        return ""
    code, status = error.response.get("Error", {}).get("Code", ""), _status(error)
    return code if code in _REASONS or code in _WHOLE_SOURCE else str(status)


def _of_one_file(error: BotoCoreError | ClientError) -> bool:
    if not isinstance(error, ClientError):
        return isinstance(error, ReadTimeoutError | ResponseStreamingError | IncompleteReadError)
    return _code(error) not in _WHOLE_SOURCE and 400 <= _status(error) < 500 and _status(error) != 429


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
