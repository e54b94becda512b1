"""A share's archived bytes → its rows as binary COPY has them, and what it came to. No database, no network."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from rustbucket_pipeline.events.bulk import BulkParser
from rustbucket_pipeline.events.drift import Drift
from rustbucket_pipeline.events.load import Written, encoded
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.parse import QuarantineRow
from rustbucket_pipeline.events.read import Objects, read_run, runs_of
from rustbucket_pipeline.events.tally import Tally
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.events.version import PARSER_VERSION
from rustbucket_pipeline.framing.times import microseconds
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.storage.builds import version_of


class Source(NamedTuple):
    """Of what a share is read: one rustbucket's segments of one hour, by log and byte; `collectors` are our own."""

    rustbucket_id: str
    segments: Sequence[Segment]
    collectors: Networks

    @property
    def size(self) -> int:
        """Bytes of log."""
        return sum(segment.byte_end - segment.byte_start for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Came:
    """What a share came to: `version` is that of its rows and entries, `drift` the unknown templates it has."""

    version: str
    tally: Tally
    refused: Sequence[QuarantineRow]
    drift: Drift


def read_share(source: Source, objects: Objects, done: Callable[[Came], None]) -> Iterator[bytes]:
    """The share's rows, some at a time; `done` is told at the end.

    Raises:
        IntegrityError: an object isn't what its segment says.
    """
    tally, written = Tally(archived_bytes=source.size), Written()
    several = len({segment.log_id for segment in source.segments}) > 1
    parser = BulkParser(source.rustbucket_id, several_logs=several, tally=tally, collectors=source.collectors)
    for run in runs_of(source.segments):
        grader = Grader(open=run[0].after_text, last=microseconds(run[0].clock))
        yield from encoded(parser.parse(read_run(objects, run), grader), written)
    version = version_of([str(PARSER_VERSION), written.version(), _hash_of(parser.refused)])
    done(Came(version, tally, parser.refused, parser.drift))


def _hash_of(entries: Sequence[QuarantineRow]) -> str:
    seen = sha256()
    for entry in entries:
        seen.update(f"{entry.event_ts} {entry.byte_length} {entry.reason}\n".encode())
    return seen.hexdigest()
