"""The quick way for what nearly every key=value text record is: a known message, values that can mean one thing only.

A block of them becomes columns at once, by the expressions of `quick_templates`. What those don't take goes the exact
way (`parse`); both give the same rows.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from rustbucket_pipeline.events.dialects.kv import MARK
from rustbucket_pipeline.events.normalise import UNTIDY_FROM
from rustbucket_pipeline.events.pieces import PlainText
from rustbucket_pipeline.events.quick_again import Again
from rustbucket_pipeline.events.quick_columns import Known, PlainRows, Values, columns_from, shunned, source_of
from rustbucket_pipeline.events.quick_templates import CLIENT_IP, COMMAND, VARIANTS, Told, Variant
from rustbucket_pipeline.framing.texts import HEAD_BYTES, LEVEL

_MARK: Final = MARK.encode()
_LEVEL, _LEVEL_END = LEVEL.start, LEVEL.stop


class TextValues(NamedTuple):
    """By place: what each record says and what its message stands for; None where it is `odd`, that is not plain."""

    told: list[Told | None]
    known: list[Known | None]
    again: dict[int, Again]
    odd: list[int]

    def rows(self, start: int, end: int) -> PlainRows:
        """The records of a stretch of places."""
        known = self.known[start:end]
        places = [place for place, one in enumerate(known, start) if one is not None]
        odd = [place for place in self.odd if start <= place < end]
        told = [one for one in self.told[start:end] if one is not None]
        meant = [one for one in known if one is not None]
        columns = columns_from(Values(*zip(*told, strict=True)), meant) if told else {}
        again = {place: one for place, one in self.again.items() if start <= place < end}
        return PlainRows(places, odd, meant, columns, again)

    def tells_of(self, place: int) -> Iterator[str]:
        """Whom and what a plain record tells of."""
        told = self.told[place]
        if told is not None:
            yield from (value.decode() for at in (CLIENT_IP, COMMAND) if (value := told[at]))


def text_values(text: PlainText, is_ours: Callable[[str], bool]) -> TextValues:
    """Read the records that are plain, hold none of our secrets and tell of none of our own visits (`is_ours`)."""
    data = text.data
    second_look = shunned(data, text.ends, [b"\0"])
    values = TextValues([], [], {}, [])
    start = 0
    for place, end in enumerate(text.ends):
        told = known = None
        mark = data.find(_MARK, start, end) if end - start <= UNTIDY_FROM and place not in second_look else -1
        variants = VARIANTS.get(data[start + HEAD_BYTES : mark]) if mark >= 0 else None
        if variants is not None and (found := _read(data, mark, end - 1, variants)) is not None:
            variant, groups = found
            told = variant.told(data[start + _LEVEL : start + _LEVEL_END].lstrip(), groups)
            client_ip = told[CLIENT_IP]
            if client_ip is None or not (source_of(client_ip) is None or is_ours(client_ip.decode())):
                known = variant.known
                if variant.again:
                    values.again[place] = variant.told_again(groups)
        if known is None:
            told = None
            values.odd.append(place)
        values.told.append(told)
        values.known.append(known)
        start = end
    return values


def _read(data: bytes, mark: int, end: int, variants: tuple[Variant, ...]) -> tuple[Variant, Told] | None:
    """The variant that is written there, and its values."""
    for variant in variants:
        found = variant.match(data, mark, end)
        if found is not None:
            return variant, found.groups()
        if all(data.find(literal, mark, end) >= 0 for literal in variant.literals):
            return None
    return None
