"""Logs in a directory laid out as Rustbucket's uploader does: `{instance}/rustbucket.log.YYYY-MM-DD[-HH]`.

Links, devices and pipes are never followed or opened. Which directories are allowed at all, the registry decides.
"""

import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import ClassVar

from rustbucket_pipeline.archive.sources.base import BLOCK_BYTES, HeldOf, Listing, SourceFile
from rustbucket_pipeline.errors import FileUnavailable, SourceUnavailable

DEEPEST = 4
"""Folders below the root that are looked into: prefix levels and the instance's own."""


class DirectorySource:
    """Log files below one directory."""

    waits: ClassVar[bool] = False

    def __init__(self, root: Path) -> None:
        """The directory may be missing: then there is nothing yet."""
        self._root = root

    def files(self, held: HeldOf) -> Listing:
        """Every regular file whose name is a log's. Raises `SourceUnavailable` if a folder can't be read."""
        listing = Listing(complete=self._root.is_dir())
        if listing.complete:
            try:
                self._list(listing, self._root, "", 0)
            except OSError as error:
                raise SourceUnavailable(
                    f"{self._root} can't be listed: {error.strerror}; check its permissions"
                ) from error
        return listing

    def _list(self, listing: Listing, folder: Path, prefix: str, depth: int) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                key = prefix + entry.name
                try:
                    if not entry.is_dir(follow_symlinks=False):
                        _note(listing, key, entry)
                    elif depth < DEEPEST:
                        self._list(listing, Path(entry.path), f"{key}/", depth + 1)
                    else:
                        listing.refuse(key, f"more than {DEEPEST} folders deep")
                except FileNotFoundError:
                    continue  # removed since

    @contextmanager
    def open(self, file: SourceFile, start: int) -> Generator[Iterator[bytes]]:
        """The listed bytes from `start` on. Raises `FileUnavailable` if the file was cut or replaced since."""
        try:
            descriptor = os.open(self._root / file.key, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise FileUnavailable(f"{file.key} can't be opened: {error.strerror}; it is tried again") from error
        with os.fdopen(descriptor, "rb", buffering=0) as handle:
            found = os.fstat(descriptor)
            same = file.etag.startswith(f"{found.st_ino:x}-")
            if not stat.S_ISREG(found.st_mode) or not same or found.st_size < file.size:
                raise FileUnavailable(f"{file.key} was replaced while it was read; it is tried again")
            handle.seek(start)
            yield iter_blocks(partial(_read, handle), file.size - start)


def iter_blocks(read: Callable[[int], bytes], length: int) -> Iterator[bytes]:
    """Exactly `length` bytes through `read(n)`, in blocks; `FileUnavailable` if they end early."""
    while length > 0:
        block = read(min(BLOCK_BYTES, length))
        if not block:
            raise FileUnavailable("a log ended before its listed size; it is tried again")
        length -= len(block)
        yield block


def _read(handle: FileIO, size: int) -> bytes:
    try:
        return handle.read(size)
    except OSError as error:
        raise FileUnavailable(f"a log can't be read: {error.strerror}; check its disk") from error


def _note(listing: Listing, key: str, entry: os.DirEntry[str]) -> None:
    if entry.is_file(follow_symlinks=False):
        found = entry.stat(follow_symlinks=False)
        listing.note(key, found.st_size, _etag(found))
    else:
        listing.refuse(key, "a link, a pipe or a device")


def _etag(found: os.stat_result) -> str:
    return f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_ctime_ns:x}-{found.st_size:x}"
