"""The heads of JSON lines, up to the log's own type and the protocol: few are different, so each is read once.

With its target a head says what a line stands for. What else the line says is `quick_values`' business.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from rustbucket_pipeline.events.dialects.structured import TEMPLATES
from rustbucket_pipeline.events.quick_columns import PROTOCOL_OF, Kind, Known
from rustbucket_pipeline.events.quick_strings import Strings
from rustbucket_pipeline.framing.words import Integers

_TEXT = r'((?:[^"\\]++|\\.)*+)'
_HEAD = re.compile(
    rf'"level":"([A-Z]{{4,5}})","fields":\{{"message":"{_TEXT}","event_type":"{_TEXT}"(?:,"protocol":"{_TEXT}")?+'.encode()
)
_LEVEL_KEY, _STRINGS, _OF_PROTOCOL, _OF_TARGET = 2, 9, 2, 2
_PROTOCOL_KEY: Final = b'"protocol":"'

LEAST_STRINGS: Final = _STRINGS + _OF_TARGET
"""A line's, from its time to its target."""


class Heads(NamedTuple):
    """By line: where its head stands, `[start[k], end[k])`, and which of the strings is the first one behind."""

    start: Integers
    end: Integers
    tail: Integers


def heads_of(data: bytes, strings: Strings) -> Heads:
    """The heads of lines that have at least `LEAST_STRINGS`."""
    tail = strings.first[:-1] + _STRINGS
    size = len(_PROTOCOL_KEY)
    texts = np.ndarray(len(data) - size + 1, f"S{size}", data, strides=(1,))
    named = texts[np.minimum(strings.opening[tail], len(data) - size)] == _PROTOCOL_KEY
    tail += _OF_PROTOCOL * (named & (strings.first[1:] - tail >= _OF_PROTOCOL + _OF_TARGET))
    return Heads(strings.opening[strings.first[:-1] + _LEVEL_KEY], strings.closing[tail - 1] + 1, tail)


@lru_cache(maxsize=1024)
def known_by(head: bytes, target: bytes) -> Known | None:
    """What a line of that head and target stands for; None if it isn't known, or its message has values of Debug."""
    found = _HEAD.fullmatch(head)
    if found is None:
        return None
    level, message, raw_type, protocol = found.groups()
    kind = _KINDS.get((target, message))
    if kind is None or kind.meaning.raw_type != raw_type.decode():
        return None
    return kind.told(level, protocol) if protocol is None or protocol in PROTOCOL_OF else None


def _kinds() -> Iterator[tuple[tuple[bytes, bytes], Kind]]:
    """By target and message."""
    for (target, message), variants in TEMPLATES.items():
        names = frozenset(hole.name for one in variants for hole in one.pattern.holes)
        kind = Kind(target, message, variants[0].meaning, names)
        if kind.plain:
            yield (target.encode(), message.encode()), kind


_KINDS: Final = dict(_kinds())
