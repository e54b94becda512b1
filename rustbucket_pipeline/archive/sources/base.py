"""What every source offers. A new kind of source is one more file beside this one, and a line in `opening.py`."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

BLOCK_BYTES = 256 * 1024
"""How much is read at a time."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A log file as listed: its key below the source, size in bytes, etag, and the UTC period its name vouches for.

    The etag changes whenever the content may have changed. `period` is None for a log served by HTTP, which says
    nothing of its own beginning or end.
    """

    key: str
    size: int
    etag: str
    period: tuple[datetime, datetime] | None


class Source(Protocol):
    """One rustbucket's logs on one road."""

    def files(self) -> Iterable[SourceFile]:
        """Every log file there is now; complete, or `SourceUnavailable` is raised."""
        ...

    def open(self, file: SourceFile, start: int) -> AbstractContextManager[Iterator[bytes]]:
        """The file's bytes from `start` on, in blocks; `SourceUnavailable` if it isn't the listed content any more."""
        ...
