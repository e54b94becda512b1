"""Which records of a block need a second look: told for all of them at once, before any is read."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportAttributeAccessIssue=false
# (pyarrow's stubs lack its functions)

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rustbucket_pipeline.events.own import PATHS
from rustbucket_pipeline.events.redact import SECRET_HINTS
from rustbucket_pipeline.framing.words import Integers

_HINTS: Final = "(?i)" + "|".join(re.escape(hint.decode()) for hint in (*SECRET_HINTS, *PATHS))
"""For RE2, which looks for all of them in one pass: nearly every block has none."""


def need_second_look(data: bytes, ends: Integers) -> set[int]:
    """Places of records that may hold a secret of ours or be a visit of ours, or that aren't UTF-8."""
    places = set[int]()
    if pc.match_substring_regex(pa.scalar(data, pa.large_binary()), _HINTS).as_py():
        lower = data.lower()
        for hint in (*SECRET_HINTS, *PATHS):
            places |= records_with(hint, lower, ends)
    if not _is_utf8(data):
        borders = pairwise([0, *ends.tolist()])
        places.update(place for place, (start, end) in enumerate(borders) if not _is_utf8(data[start:end]))
    return places


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
