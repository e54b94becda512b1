"""The archive's objects, in a directory or in S3 by one code path (obstore): put once, get, list, make durable.

Keys are made elsewhere (`archive.names`) from our own ids and hashes. Sources are never read with this: a hostile
key makes obstore's listing raise. Put everything, then `settle`, then commit what the ledger says of it.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store

from rustbucket_pipeline.errors import ConfigurationError, IntegrityError, StoreUnavailable
from rustbucket_pipeline.model.text import first_line
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.bucket import open_bucket
from rustbucket_pipeline.storage.home import private_directory

Store = LocalStore | S3Store

Flush = Callable[[Path, set[str]], None]
"""Returns when these keys below the directory, all of them written, survive a power loss."""

_CHUNK = 8 * 1024**2
"""Bytes sent or handed out at a time where objects come in a stream; S3 takes 10,000 such parts, so 80 GB."""

_FORMS = "write file:///directory or s3://bucket/prefix, or unset it for a directory in the home"


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as listed: its key, its size in bytes, and when it was written (UTC), by the store's clock."""

    key: str
    size: int
    modified: datetime


class Archive:
    """An object store, contacted on first use only, so never before a fork.

    Every method raises `StoreUnavailable` when it doesn't answer and `ConfigurationError` when it refuses us.
    """

    def __init__(
        self, url: str, opener: Callable[[], Store], directory: Path | None = None, flush: Flush | None = None
    ) -> None:
        """`directory`: where the objects lie, if not in S3 (None there); `flush` makes them durable in it."""
        self.url = url
        self._opener = opener
        self.directory = directory
        self._flush = flush or flush_files
        self._unsettled: set[str] = set()
        self._settling = Lock()

    def put_new(self, key: str, data: bytes) -> bool:
        """Store it unless it is there already, byte for byte; whether it was new.

        In a directory, an object of that key that differs is a leftover of a power loss and is replaced.

        Raises:
            IntegrityError: S3 holds other bytes under that key.
        """
        with self._unsettling(key):
            try:
                obstore.put(self._store, key, data, mode="create")
            except AlreadyExistsError:
                return self._replace_leftover(key, data)
        return True

    def put_once(self, key: str, data: bytes) -> bool:
        """Store it unless that key is taken, by whatever it is; whether it was stored. Never overwrites."""
        with self._unsettling(key):
            try:
                obstore.put(self._store, key, data, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def replace(self, key: str, data: bytes) -> None:
        """Store it in place of whatever has that key: for what is made anew again and again. Readers see all of one."""
        with self._unsettling(key):
            obstore.put(self._store, key, data, mode="overwrite")

    def get(self, key: str) -> bytes:
        """The object's bytes.

        Raises:
            IntegrityError: there is no such object, though the ledger says so.
        """
        with self._translated(key):
            try:
                return bytes(obstore.get(self._store, key).bytes())
            except FileNotFoundError as error:
                raise IntegrityError(
                    f"{key} is missing from {self.url}; materialize log_archives for its window while the source has it"
                ) from error

    def put_stream(self, key: str, blocks: Iterator[bytes]) -> bool:
        """Store what comes as it comes, unless that key is taken; whether it was stored. Some 16 MB are held.

        What the blocks raise is raised, and nothing is stored then.
        """
        with self._unsettling(key):
            try:
                obstore.put(self._store, key, blocks, mode="create", chunk_size=_CHUNK, max_concurrency=2)
            except AlreadyExistsError:
                return False
        return True

    def stream(self, key: str) -> Iterator[bytes]:
        """The object's bytes, as they come.

        Raises:
            IntegrityError: there is no such object.
        """
        with self._translated(key):
            try:
                yield from map(bytes, obstore.get(self._store, key).stream(_CHUNK))
            except FileNotFoundError as error:
                raise IntegrityError(f"{key} is missing from {self.url}; find out who removed it") from error

    def size(self, key: str) -> int | None:
        """The object's size in bytes, or None when there is none."""
        with self._translated(key):
            try:
                return obstore.head(self._store, key)["size"]
            except FileNotFoundError:
                return None

    def delete(self, key: str) -> None:
        """Remove the object; nothing when there is none."""
        self._unsettled.discard(key)
        with self._translated(key):
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                return

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below the prefix (whole segments: `raw/BKT1` doesn't match `raw/BKT10`), in no order."""
        with self._translated(prefix):
            for batch in obstore.list(self._store, prefix):  # pyright: ignore[reportUnknownMemberType] (pyarrow's)
                yield from (found["path"] for found in batch)

    def stored(self, prefix: str) -> Iterator[Stored]:
        """The same keys, with what the store says of each object."""
        with self._translated(prefix):
            for batch in obstore.list(self._store, prefix):  # pyright: ignore[reportUnknownMemberType] (pyarrow's)
                yield from (Stored(found["path"], found["size"], found["last_modified"]) for found in batch)

    def settle(self) -> None:
        """Return when everything put so far survives a power loss: call it before the ledger's commit."""
        with self._settling:  # who finds nothing left to flush must know that it is flushed, not that it will be
            unsettled = set[str]()
            while self._unsettled:  # emptied, not replaced: other threads are adding to it
                unsettled.add(self._unsettled.pop())
            if self.directory is None or not unsettled:
                return  # S3 answers only when it is durable
            try:
                self._flush(self.directory, unsettled)
            except OSError as error:
                self._unsettled |= unsettled
                reason = f"{self.url} can't be made durable ({error.strerror}); check its disk"
                raise StoreUnavailable(reason) from error

    @cached_property
    def _store(self) -> Store:
        return self._opener()

    def _replace_leftover(self, key: str, data: bytes) -> bool:
        """A key that was taken: by these bytes, or else by what must not be there."""
        if self.size(key) == len(data) and self.get(key) == data:
            return False
        if self.directory is None:
            raise IntegrityError(
                f"{key} in {self.url} holds other bytes than its name says; look who wrote it, then delete it"
            )
        obstore.put(self._store, key, data, mode="overwrite")
        return True

    @contextmanager
    def _unsettling(self, key: str) -> Generator[None]:
        """Noted once it is written: noted before, another thread might flush in between, and nobody after."""
        with self._translated(key):
            yield
        self._unsettled.add(key)

    @contextmanager
    def _translated(self, key: str) -> Generator[None]:
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise ConfigurationError(
                f"{self.url} refuses {key} ({first_line(error)}); correct the rights there"
            ) from error
        except BaseError as error:
            raise StoreUnavailable(
                f"{self.url} can't serve {key} ({first_line(error)}); the next run tries again"
            ) from error


def open_archive(settings: Settings) -> Archive:
    """The archive `RUSTBUCKET_ARCHIVE_URL` names, or `archive/` in the home. Contacts nothing yet.

    Raises:
        ConfigurationError: the URL is neither `file://` nor `s3://`.
    """
    if settings.archive_url is None:
        return _in_directory(settings.home / "archive")
    try:
        url = urlsplit(settings.archive_url)
    except ValueError:
        raise ConfigurationError(f"RUSTBUCKET_ARCHIVE_URL is no URL; {_FORMS}") from None
    if url.scheme == "file" and not url.netloc and url.path.startswith("/"):
        return _in_directory(Path(unquote(url.path)))
    if url.scheme == "s3" and url.netloc and "@" not in url.netloc:
        return _in_s3(url.netloc, unquote(url.path).strip("/"), settings.s3_endpoint)
    raise ConfigurationError(f"RUSTBUCKET_ARCHIVE_URL can't be used; {_FORMS}")


def _in_directory(directory: Path) -> Archive:
    def opener() -> Store:
        return LocalStore(private_directory(directory, "RUSTBUCKET_ARCHIVE_URL"))

    return Archive(directory.as_uri(), opener, directory)


def _in_s3(bucket: str, prefix: str, endpoint: str | None) -> Archive:
    def opener() -> Store:
        from boto3.session import Session  # imported here: 0.2 s that only S3 pays

        return open_bucket(bucket, prefix, endpoint, Session())

    return Archive(f"s3://{bucket}/{prefix}".rstrip("/"), opener)


def flush_files(directory: Path, keys: set[str]) -> None:
    """Make them durable, by the file system's own flush where there is one. Raises OSError."""
    if sys.platform == "linux":
        _sync_file_system(directory)
    else:
        _sync_files(directory, keys)


def _sync_file_system(directory: Path) -> None:
    """One flush for everything: 0.02 ms an object where one fsync each takes 3."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(directory))
    finally:
        os.close(descriptor)


def _sync_files(root: Path, keys: set[str]) -> None:
    """Flush each file, then every directory on the way up to the root."""
    files = {root / key for key in keys}
    folders = {folder for file in files for folder in file.parents if folder.is_relative_to(root)}
    for path in (*files, *folders):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
