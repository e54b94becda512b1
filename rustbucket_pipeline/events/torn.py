"""Text records that attackers tore apart with lines of their own, read whole again.

A forged line stands inside the text of the record before it. Both readings stay: the forged line is a row of its own
with its own bytes, and the record before is read as if it went on behind it. No trust is given here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rustbucket_pipeline.events.dialects import recognise
from rustbucket_pipeline.events.graded import Graded, Lost
from rustbucket_pipeline.events.record import Parsed
from rustbucket_pipeline.framing.split import MAX_RECORD_BYTES

_MOST_FORGED = 1000
"""Forged lines held with their record at a time; rows of attackers' making must not fill the memory."""


def made_whole(found: Iterable[Graded | Lost]) -> Iterator[Graded | Lost]:
    """The same, in the same order: records before forged lines read whole, and no line torn off them lost."""
    held: _Held | None = None
    for one in found:
        if held is not None:
            if held.takes(one):
                held.add(one)
                continue
            yield from held.released()
            held = None
        if isinstance(one, Graded) and one.record.kind == "text" and not one.suspect:
            held = _Held(one)
        else:
            yield one
    if held is not None:
        yield from held.released()


@dataclass(slots=True)
class _Part:
    """A record, and bare lines that follow it."""

    one: Graded
    lines: list[bytes] = field(default_factory=list[bytes])

    def joined(self) -> Graded:
        if self.lines:
            record = self.one.record
            self.one.record = record._replace(data=b"".join((record.data, *self.lines)))
        return self.one


class _Held:
    """A text record, and what follows it as long as that may be its own text."""

    def __init__(self, head: Graded) -> None:
        self._parts = [_Part(head)]
        self._size = len(head.record.data)

    def takes(self, one: Graded | Lost) -> bool:
        if self._size + len(one.record.data) > MAX_RECORD_BYTES or len(self._parts) > _MOST_FORGED:
            return False
        if isinstance(one, Graded):
            return one.suspect
        return one.continues and (len(self._parts) > 1 or self._parts[0].one.reading.meaning.opens)

    def add(self, one: Graded | Lost) -> None:
        self._size += len(one.record.data)
        if isinstance(one, Graded):
            self._parts.append(_Part(one))
        else:
            self._parts[-1].lines.append(one.record.data)

    def released(self) -> Iterator[Graded]:
        ones = [part.joined() for part in self._parts]
        if len(ones) > 1 or self._parts[0].lines:
            _read_whole(ones[0], b"".join(one.record.data for one in ones))
        yield from ones


def _read_whole(head: Graded, data: bytes) -> None:
    """Take the reading of the record with all that follows, if it says the same, only more."""
    whole = recognise(data, "text", head.record.likely)
    if not isinstance(whole, Parsed) or not whole.meaning.known or not whole.meaning.opens:
        return
    if (whole.target, whole.meaning.event_type) != (head.reading.target, head.reading.meaning.event_type):
        return
    if len(data) > len(head.record.data):
        whole.notes["_whole"] = len(data)
    head.source, head.reading = data, whole
