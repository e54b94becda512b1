"""What every source offers. A new kind of source is one more file beside this one, and a line in `opening.py`.

Which listed names are log files is decided here, once for all of them.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from rustbucket_pipeline.archive.names import oddity, period_of
from rustbucket_pipeline.model.text import bounded

BLOCK_BYTES = 1024 * 1024
"""How much is read at a time. Less costs cutting some speed, more costs memory."""

MOST_ODD_KEYS = 1000
"""How many of a listing's odd keys are named; the others are counted."""

LONGEST_SHOWN_KEY = 200


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A log file as listed: its key below the source, size in bytes, etag, and the UTC period its name vouches for.

    The etag changes whenever the content may have changed. `period` is None for a log served by HTTP, which says
    nothing of its own beginning or end. `md5` is the hex MD5 of its bytes, where the store itself vouches for it.
    """

    key: str
    size: int
    etag: str
    period: tuple[datetime, datetime] | None
    md5: str | None = None


@dataclass(slots=True)
class Listing:
    """What a source holds: log files, and by shown key why others aren't taken for such.

    `complete`: it lists all of a place, so that what isn't in it is gone. `suspicious` counts the keys that nobody
    would make by accident.
    """

    complete: bool = True
    files: list[SourceFile] = field(default_factory=list[SourceFile])
    odd: dict[str, str] = field(default_factory=dict[str, str])
    suspicious: int = 0

    def note(self, key: str, size: int, etag: str, md5: str | None = None) -> None:
        """Take in a file found under that key below the source."""
        period = period_of(key)
        if reason := oddity(key):
            self.refuse(key, reason)
        elif period is None:
            self._name(key, "its name isn't a log file's")
        else:
            self.files.append(SourceFile(key, size, etag, period, md5))

    def refuse(self, key: str, reason: str) -> None:
        """Take in something found under that key that must not be opened."""
        self.suspicious += 1
        self._name(key, reason)

    def _name(self, key: str, reason: str) -> None:
        if len(self.odd) < MOST_ODD_KEYS:
            self.odd[bounded(key, LONGEST_SHOWN_KEY)] = reason


@dataclass(frozen=True, slots=True)
class Held:
    """What the archive holds of the log a key had: its first `length` bytes, read back by `blocks`.

    `etag` and `size` are the file's as it was last listed; `whole`: all of it is held.
    """

    etag: str
    size: int
    length: int
    whole: bool
    blocks: Callable[[], Iterator[bytes]]


HeldOf = Callable[[str], Held | None]
"""What is held of the file with that key; None: nothing yet."""


def nothing_held(key: str) -> Held | None:
    """For a listing that must not rely on what the archive holds."""
    return None


class Source(Protocol):
    """One rustbucket's logs on one road. `waits`: `files` waits for the rustbucket itself, which may take its time."""

    waits: ClassVar[bool]

    def files(self, held: HeldOf) -> Listing:
        """What there is now; complete, or `SourceUnavailable` is raised. `held` only saves asking for it again."""
        ...

    def open(self, file: SourceFile, start: int) -> AbstractContextManager[Iterator[bytes]]:
        """The file's bytes from `start` on, in blocks.

        Raises `FileUnavailable` if it isn't the listed content any more, `SourceUnavailable` if nothing can be read.
        """
        ...
