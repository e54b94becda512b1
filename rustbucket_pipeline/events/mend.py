"""A damaged line → the records that can still be read in it, each with its own bytes, and the ranges that can't.

A crash leaves half a line, which the next start writes on, or a block of NULs. Only what is truly unreadable is given
up. Linear in the line, whatever it holds. What a record means, and whether it is believed, is decided elsewhere.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from rustbucket_pipeline.events.dialects import recognise
from rustbucket_pipeline.events.record import Parsed, Refused
from rustbucket_pipeline.framing.split import Kind, Splitter

_OBJECT = re.compile(rb'\{(?="(?:timestamp|eventid)": ?")|(?<=\})\{(?="\w{1,64}": ?)')
"""Where an object may begin: never inside a JSON string, for there quotes are escaped."""

_TEXT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z {1,2}(?:TRACE|DEBUG|INFO|WARN|ERROR) ")
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+("?)|[{}]', re.DOTALL)
_SHORTEST_HEAD = 32
_NULS = "a block of NULs, as a crash leaves it"
_UTF_16 = "UTF-16, where UTF-8 belongs"
_NO_RECORD = "bytes that begin no record"
_CUT_JSON = Refused("JSON that is cut, glued or damaged")


class Piece(NamedTuple):
    """Bytes `[start, end)` of a line: a record with its reading and the time it claims, or unreadable for a reason.

    `quoted`: it stands behind the beginning of a string, so an attacker may have written it.
    """

    start: int
    end: int
    reading: Parsed | Refused
    kind: Kind = "bare"
    claimed: int | None = None
    quoted: bool = False


def hopeless(data: bytes) -> Refused | None:
    """Why a line is too short to hold a record, if it is: a million empty lines must cost next to nothing."""
    return _reason(data) if len(data) < _SHORTEST_HEAD and b"{" not in data else None


def pieces_of(data: bytes, likely: str) -> list[Piece]:
    """The pieces of a line that couldn't be read as a whole; they cover it exactly once, in order."""
    borders = [*(found.start() for found in _OBJECT.finditer(data)), len(data)]
    found = list(_without_object(data, 0, borders[0], likely))
    for start, end in pairwise(borders):
        found += _with_object(data, start, end, likely)
    return list(_merged(found))


def glued_pieces(data: bytes, likely: str) -> list[Piece]:
    """The pieces of a text record of unknown message that another record was written on; [] if none was."""
    heads = (_OBJECT.search(data, _SHORTEST_HEAD), _TEXT.search(data, _SHORTEST_HEAD))
    at = min((head.start() for head in heads if head is not None), default=len(data))
    later = [piece._replace(start=piece.start + at, end=piece.end + at) for piece in pieces_of(data[at:], likely)]
    if not any(isinstance(piece.reading, Parsed) and piece.reading.meaning.known for piece in later):
        return []
    return [_readable(data, 0, at, recognise(data[:at], "text", likely)), *later]


def _with_object(data: bytes, start: int, end: int, likely: str) -> Iterator[Piece]:
    closing, quoted = _object_end(data, start, end)
    if closing is None:
        yield from _without_object(data, start, end, likely, _CUT_JSON, quoted=quoted)
        return
    if not data[closing:end].strip(b"\r\n "):
        closing = end
    reading = recognise(data[start:closing], "json", likely)
    if isinstance(reading, Refused):
        yield Piece(start, closing, reading)
    else:
        yield _readable(data, start, closing, reading)
    yield from _without_object(data, closing, end, likely)


def _without_object(
    data: bytes, start: int, end: int, likely: str, lost: Refused | None = None, *, quoted: bool = False
) -> Iterator[Piece]:
    borders = [*(found.start() for found in _TEXT.finditer(data, start, end)), end]
    if start < borders[0]:
        yield Piece(start, borders[0], lost or _reason(data[start : borders[0]]))
    for head, following in pairwise(borders):
        yield _readable(data, head, following, recognise(data[head:following], "text", likely), quoted=quoted)


def _object_end(data: bytes, start: int, end: int) -> tuple[int | None, bool]:
    """Where the object ends, if it does; if it doesn't, whether it stops inside a string that is a value."""
    depth = 0
    for token in _TOKEN.finditer(data, start, end):
        if token[0] == b"{":
            depth += 1
        elif token[0] == b"}":
            depth -= 1
            if depth == 0:
                return token.end(), False
        elif not token[1]:
            return None, data[token.start() - 2 : token.start()].rstrip(b" ").endswith(b":")
    return None, False


def _readable(data: bytes, start: int, end: int, reading: Parsed | Refused, *, quoted: bool = False) -> Piece:
    if isinstance(reading, Parsed):
        reading.awaits = ""  # what it lacks was cut off, so nothing more of it will come
    splitter = Splitter(0)
    (first, *_) = [*splitter.feed(data[start:end]), *splitter.finish(tail=True)]
    return Piece(start, end, reading, first.kind, first.claimed, quoted)


def _reason(lost: bytes) -> Refused:
    if not lost.strip(b"\0\r\n"):
        return Refused(_NULS)
    return Refused(_UTF_16 if lost.startswith((b"\xff\xfe", b"\xfe\xff")) else _NO_RECORD)


def _merged(pieces: list[Piece]) -> Iterator[Piece]:
    """Unreadable ranges that follow each other are one."""
    last: Piece | None = None
    for piece in pieces:
        if last is not None and isinstance(last.reading, Refused) and isinstance(piece.reading, Refused):
            last = last._replace(end=piece.end)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last
