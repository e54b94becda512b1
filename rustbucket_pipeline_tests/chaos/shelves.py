"""Where a rustbucket's log files lie, and how they change: they grow, are rewritten, renamed, copied, packed, cut."""

import gzip
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Protocol

from rustbucket_pipeline_tests.archive.fleet_on_disk import NINE, json_line
from rustbucket_pipeline_tests.archive.s3_front import Bucket
from rustbucket_pipeline_tests.chaos.puller import PREFIX

HOURS = 4
MOST_FILES = 12

FEWEST_BYTES = 150
"""What is cut keeps this much: the words that no other file has, or it could be any file's beginning."""


class Shelf(Protocol):
    """A place for files."""

    def put(self, key: str, data: bytes) -> None: ...

    def append(self, key: str, data: bytes) -> None: ...

    def remove(self, key: str) -> None: ...


class Folder:
    """A directory: files grow in place, and are replaced at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._aside = (root.with_name(f"{root.name}.aside{number}") for number in itertools.count())

    def put(self, key: str, data: bytes) -> None:
        aside, path = next(self._aside), self.root / key
        aside.write_bytes(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.replace(path)

    def append(self, key: str, data: bytes) -> None:
        with (self.root / key).open("ab") as file:
            file.write(data)

    def remove(self, key: str) -> None:
        (self.root / key).unlink()


@dataclass
class Objects:
    """A bucket: there are only whole objects."""

    bucket: Bucket = field(default_factory=Bucket)
    held: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def put(self, key: str, data: bytes) -> None:
        self.held[key] = data
        self.bucket.put(f"{PREFIX}/{key}", data)

    def append(self, key: str, data: bytes) -> None:
        self.put(key, self.held[key] + data)

    def remove(self, key: str) -> None:
        self.bucket.delete(f"{PREFIX}/{key}")


@dataclass
class Logs:
    """What one rustbucket holds: `files` by key, unpacked, and every content there `ever` was.

    `calm` are files that only grow, while something of theirs is missing from the archive; `changes` what happened.
    """

    shelf: Shelf
    rng: Random
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    ever: set[bytes] = field(default_factory=set[bytes])
    calm: set[str] = field(default_factory=set[str])
    changes: list[str] = field(default_factory=list[str])

    def change(self) -> None:
        """Do one thing to one file."""
        deeds: list[Callable[[str], None]] = [self.grow] * 4
        key = self.rng.choice(sorted(self.files)) if self.files else ""
        if key not in self.calm:
            deeds += [self.rewrite, self.rename, self.upload_again, self.remove]
        if not self.calm:
            deeds += [self.copy, self.cut, self.pack]
        if not key or (len(self.files) < MOST_FILES and self.rng.random() < 0.4):
            deeds, key = [self.begin], ""
        deed = self.rng.choice(deeds)
        self.changes.append(f"{deed.__name__} {key}")
        deed(key)

    def replace_all(self) -> None:
        """Every file that isn't calm holds other and more content at once."""
        self.changes.append("replace all")
        for key in [key for key in self.files if key not in self.calm]:
            self._put(key, self._lines(key) + self.files[key] + self._lines(key))

    def begin(self, _: str) -> None:
        """A file of an hour."""
        self._put(self._key(NINE + self.rng.randrange(HOURS) * timedelta(hours=1)), b"")

    def grow(self, key: str) -> None:
        """More lines; the last may be unfinished."""
        more = self._lines(key)
        if key.endswith(".gz"):
            self._put(key, self.files[key] + more)
            return
        self.shelf.append(key, more)
        self._note(key, self.files[key] + more)

    def rewrite(self, key: str) -> None:
        """Other content under the same key."""
        self._put(key, self._lines(key))

    def rename(self, key: str) -> None:
        """The instance's folder has a new random name."""
        self.copy(key)
        self.remove(key)

    def copy(self, key: str) -> None:
        """The same content once more."""
        self._put(f"{self._instance()}/{key.rpartition('/')[2]}", self.files[key])

    def upload_again(self, key: str) -> None:
        """The same content under the same key."""
        self._put(key, self.files[key])

    def cut(self, key: str) -> None:
        """Its beginning only, to a line's end or not."""
        content = self.files[key]
        self._put(key, content[: self.rng.randint(min(FEWEST_BYTES, len(content)), len(content))])

    def pack(self, key: str) -> None:
        """The same content compressed, in its place."""
        if not key.endswith(".gz"):
            self._put(f"{key}.gz", self.files[key])
            self.remove(key)

    def remove(self, key: str) -> None:
        """Gone."""
        self.shelf.remove(key)
        del self.files[key]

    def _put(self, key: str, content: bytes) -> None:
        content = content or self._lines(key)
        self.shelf.put(key, gzip.compress(content) if key.endswith(".gz") else content)
        self._note(key, content)

    def _note(self, key: str, content: bytes) -> None:
        self.files[key] = content
        self.ever.add(content)

    def _key(self, hour: object) -> str:
        return f"{self._instance()}/rustbucket.log.{hour:%Y-%m-%d-%H}"

    def _instance(self) -> str:
        return f"{self.rng.getrandbits(32):08x}"

    def _lines(self, key: str) -> bytes:
        """Lines of the file's hour that no other file has, in no strict order, some of which are no records."""
        hour = NINE.replace(hour=int(key.removesuffix(".gz")[-2:]))
        lines = b""
        for _ in range(self.rng.randrange(1, 9)):
            words = f"{self.rng.getrandbits(64):016x}" * self.rng.randrange(1, 40)
            moment = hour + timedelta(seconds=self.rng.randrange(3600))
            lines += json_line(moment, words) if self.rng.random() < 0.9 else f"{words}\n".encode()
        cut = self.rng.random() < 0.2
        return lines[: self.rng.randint(min(FEWEST_BYTES, len(lines)), len(lines))] if cut else lines
