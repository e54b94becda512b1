"""Which records of a block need a second look: told for all of them at once, before any is read."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# (google-re2 comes without type stubs)

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import re2

from rustbucket_pipeline.events.own import PATHS
from rustbucket_pipeline.events.redact import SECRET_HINTS
from rustbucket_pipeline.framing.words import Integers

_HINTS: Final = re2.compile(b"(?i)" + b"|".join(map(re.escape, (*SECRET_HINTS, *PATHS))))
"""All of them in one pass: nearly every block has none."""


def need_second_look(data: bytes, ends: Integers) -> set[int]:
    """Places of records that may hold a secret of ours or be a visit of ours, or that aren't UTF-8."""
    return not_utf8(data, ends) | (with_hints(data, ends) if may_need_second_look(data) else set())


def may_need_second_look(data: bytes) -> bool:
    """Whether something of a secret of ours or a visit of ours stands anywhere in the bytes."""
    return _HINTS.search(data) is not None


def with_hints(data: bytes, ends: Integers) -> set[int]:
    """Places of records that may hold a secret of ours or be a visit of ours."""
    lower = data.lower()
    return set[int]().union(*(records_with(hint, lower, ends) for hint in (*SECRET_HINTS, *PATHS)))


def not_utf8(data: bytes, ends: Integers) -> set[int]:
    """Places of records that aren't UTF-8."""
    if data.isascii():
        return set()
    places = np.unique(np.searchsorted(ends, np.flatnonzero(np.frombuffer(data, np.int8) < 0), side="right"))
    borders = zip(np.concatenate(([0], ends))[places].tolist(), ends[places].tolist(), strict=True)
    return {
        place for place, (start, end) in zip(places.tolist(), borders, strict=True) if not _is_utf8(data[start:end])
    }


def records_with(part: bytes, data: bytes, ends: Integers) -> set[int]:
    """Places of records that hold it, those that end at `ends`."""
    return set(np.searchsorted(ends, [*_places_of(part, data)], side="right").tolist())


def longer_than(size: int, ends: Integers) -> set[int]:
    """Places of records of more bytes."""
    return set(np.flatnonzero(np.diff(ends, prepend=0) > size).tolist())


def _places_of(part: bytes, data: bytes) -> Iterator[int]:
    at = data.find(part)
    while at >= 0:
        yield at
        at = data.find(part, at + 1)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
