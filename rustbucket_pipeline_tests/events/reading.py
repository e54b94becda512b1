"""Bytes of a log, read as an hour's build reads them, without a database."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import cast

import zstandard

from rustbucket_pipeline.events.dialects import likely_dialect
from rustbucket_pipeline.events.graded import Graded, graded
from rustbucket_pipeline.events.identity import Identities
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.parse import Parser, QuarantineRow
from rustbucket_pipeline.events.pieces import LogRecord
from rustbucket_pipeline.events.read import records_of
from rustbucket_pipeline.events.row import EventRow
from rustbucket_pipeline.events.tally import Tally
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.framing.records import Framer
from rustbucket_pipeline.framing.times import Clock, microseconds
from rustbucket_pipeline.model.segment import Segment
from rustbucket_pipeline.storage.objects import Archive

START = datetime(2026, 3, 2, tzinfo=UTC)
"""The half hour that every log here is of."""

OFFSET = 7
"""Where the bytes begin in their log."""


_NOWHERE = Segment(0, 0, 0, "", START, 0, 0, "", "", START, False, START, START)


class OneObject(Archive):
    """An archive that holds a single object."""

    def __init__(self, data: bytes) -> None:
        """Hold these bytes, compressed."""
        self.data = zstandard.ZstdCompressor().compress(data)

    def get(self, key: str) -> bytes:
        """The object, whatever the key."""
        return self.data


def records(data: bytes) -> Iterator[LogRecord]:
    """The records of a log that holds these bytes."""
    before, after = START - timedelta(minutes=10), START + timedelta(hours=1)
    digest = sha256(data).hexdigest()
    segment = Segment(1, 1, 1, "BKT1", START, OFFSET, OFFSET + len(data), "k", digest, START, False, before, after)
    return records_of(OneObject(data), [segment])


def parsed(data: bytes, collectors: Networks = ()) -> tuple[list[EventRow | QuarantineRow], Tally]:
    """Rows and entries, in order, and their sums."""
    tally = Tally(archived_bytes=len(data))
    parser = Parser(Identities("BKT1", several_logs=False), tally, collectors)
    found = list(parser.parse(records(data), Grader(open=False, last=microseconds(START))))
    assert tally.agrees
    return found, tally


def rows(data: bytes, collectors: Networks = ()) -> list[EventRow]:
    """The rows, of bytes in which nothing is unreadable."""
    found, _ = parsed(data, collectors)
    assert not [entry for entry in found if isinstance(entry, QuarantineRow)]
    return [row for row in found if isinstance(row, EventRow)]


def believed(data: bytes) -> list[Graded]:
    """Each record's reading and trust; the log may be of a whole day."""
    clock = Clock(microseconds(START), False, microseconds(START), microseconds(START + timedelta(days=1)))
    likely, framer = likely_dialect(data), Framer(clock)
    whole: list[LogRecord] = []
    for framed in framer.feed(data) + framer.finish():
        record = LogRecord(_NOWHERE, framed.offset, data[framed.offset :][: framed.length], *framed[2:], likely)
        if framed.kind == "bare" and whole and whole[-1].kind == "text":
            whole[-1] = whole[-1]._replace(data=whole[-1].data + record.data)
        else:
            whole.append(record)
    return [one for one in graded(whole, Grader(open=False, last=clock.at)) if isinstance(one, Graded)]


def fields_of(row: EventRow) -> dict[str, object]:
    """What stands in the row's `fields`."""
    return cast("dict[str, object]", json.loads(row.fields or "{}"))
