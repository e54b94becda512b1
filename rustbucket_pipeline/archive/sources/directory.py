"""Logs in a directory laid out as Rustbucket's uploader does: `{instance}/rustbucket.log.YYYY-MM-DD[-HH]`.

Links, devices and pipes are never followed or opened. Which directories are allowed at all, the registry decides.
"""

import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from rustbucket_pipeline.archive.names import period_of
from rustbucket_pipeline.archive.sources.base import BLOCK_BYTES, SourceFile
from rustbucket_pipeline.errors import SourceUnavailable

DEEPEST = 4
"""Folders below the root that are looked into: prefix levels and the instance's own."""


class DirectorySource:
    """Log files below one directory."""

    def __init__(self, root: Path) -> None:
        """The directory may be missing: then there is nothing yet."""
        self._root = root

    def files(self) -> list[SourceFile]:
        """Every regular file whose name is a log's, by key. Raises `SourceUnavailable` if a folder can't be read."""
        try:
            return sorted(self._below(self._root, 0), key=lambda file: file.key) if self._root.is_dir() else []
        except OSError as error:
            raise SourceUnavailable(f"{self._root} can't be listed: {error.strerror}; check its permissions") from error

    def _below(self, folder: Path, depth: int) -> Iterator[SourceFile]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if depth < DEEPEST:
                        yield from self._below(Path(entry.path), depth + 1)
                elif entry.is_file(follow_symlinks=False) and (period := period_of(entry.name)):
                    found = entry.stat(follow_symlinks=False)
                    key = Path(entry.path).relative_to(self._root).as_posix()
                    yield SourceFile(key, found.st_size, _etag(found), period)

    @contextmanager
    def open(self, file: SourceFile, start: int) -> Generator[Iterator[bytes]]:
        """The listed bytes from `start` on. Raises `SourceUnavailable` if the file was changed or replaced since."""
        try:
            descriptor = os.open(self._root / file.key, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise SourceUnavailable(f"{file.key} can't be opened: {error.strerror}; it is tried again") from error
        with os.fdopen(descriptor, "rb") as handle:
            found = os.fstat(handle.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size < file.size:
                raise SourceUnavailable(f"{file.key} changed while it was read; it is tried again")
            handle.seek(start)
            yield iter_blocks(handle.read, file.size - start)


def iter_blocks(read: Callable[[int], bytes], length: int) -> Iterator[bytes]:
    """Exactly `length` bytes through `read(n)`, in blocks; `SourceUnavailable` if they end early."""
    while length:
        block = read(min(BLOCK_BYTES, length))
        if not block:
            raise SourceUnavailable("a log ended before its listed size; it is tried again")
        length -= len(block)
        yield block


def _etag(found: os.stat_result) -> str:
    return f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"
