"""The quick way for what nearly every key=value text record is: a known message, values that can mean one thing only.

A block of them becomes columns at once, by the expressions of `quick_templates`. What those don't take goes the exact
way (`parse`); both give the same rows.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false
# (pyarrow's stubs leave its arrays without parameters)

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from rustbucket_pipeline.events.columns import SCHEMA
from rustbucket_pipeline.events.dialects.kv import MARK
from rustbucket_pipeline.events.normalise import UNTIDY_FROM
from rustbucket_pipeline.events.pieces import PlainText
from rustbucket_pipeline.events.quick_again import Again
from rustbucket_pipeline.events.quick_columns import Known, Meant, PlainRows, Sources
from rustbucket_pipeline.events.quick_look import need_second_look, records_with
from rustbucket_pipeline.events.quick_templates import CLIENT_IP, COMMAND, VARIANTS, Told, Variant
from rustbucket_pipeline.events.uncollected import uncollected
from rustbucket_pipeline.framing.texts import HEAD_BYTES, LEVEL

_MARK: Final = MARK.encode()
_LEVEL, _LEVEL_END = LEVEL.start, LEVEL.stop


class TextValues(NamedTuple):
    """By place: what each record says and what its message stands for; None where it is `odd`, that is not plain."""

    told: list[Told | None]
    known: list[Known | None]
    again: dict[int, Again]
    odd: list[int]
    sources: Sources

    def rows(self, start: int, end: int) -> PlainRows:
        """The records of a stretch of places."""
        known = self.known[start:end]
        places = [place for place, one in enumerate(known, start) if one is not None]
        odd = [place for place in self.odd if start <= place < end]
        told = [one for one in self.told[start:end] if one is not None]
        meant = [one for one in known if one is not None]
        columns = columns_from(Values(*zip(*told, strict=True)), self.sources) if told else {}
        again = {place: one for place, one in self.again.items() if start <= place < end}
        return PlainRows(np.array(places, np.int64), odd, Meant.of(meant), columns, again)

    def tells_of(self, place: int) -> Iterator[str]:
        """Whom and what a plain record tells of."""
        told = self.told[place]
        if told is not None:
            yield from (value.decode() for at in (CLIENT_IP, COMMAND) if (value := told[at]))


@uncollected
def text_values(text: PlainText, is_ours: Callable[[str], bool]) -> TextValues:
    """Read the records that are plain, hold none of our secrets and tell of none of our own visits (`is_ours`)."""
    data = text.data
    second_look = need_second_look(data, text.ends) | records_with(b"\0", data, text.ends)
    values = TextValues([], [], {}, [], Sources(is_ours))
    for place, (start, end) in enumerate(pairwise(text.borders)):
        told = known = None
        mark = data.find(_MARK, start, end) if end - start <= UNTIDY_FROM and place not in second_look else -1
        variants = VARIANTS.get(data[start + HEAD_BYTES : mark]) if mark >= 0 else None
        if variants is not None and (found := _read(data, mark, end - 1, variants)) is not None:
            variant, groups = found
            told = variant.told(groups)
            client_ip = told[CLIENT_IP]
            if client_ip in values.sources.ips or values.sources.takes(client_ip):
                known = variant.meant(data[start + _LEVEL : start + _LEVEL_END].lstrip(), groups)
                if known.again:
                    values.again[place] = variant.again(known, groups)
        if known is None:
            told = None
            values.odd.append(place)
        values.told.append(told)
        values.known.append(known)
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


class Values(NamedTuple):
    """A column each of what many records say, as the log writes it, but `fields`, which is JSON. Bytes are UTF-8."""

    addresses: Sequence[bytes | None]
    usernames: Sequence[bytes | str | None]
    passwords: Sequence[bytes | str | None]
    commands: Sequence[bytes | str | None]
    methods: Sequence[bytes | str | None]
    paths: Sequence[bytes | str | None]
    seconds: Sequence[bytes | None]
    fields: Sequence[bytes | None]


def columns_from(values: Values, sources: Sources) -> "dict[str, pa.Array]":
    """The columns of rows that values are written in."""
    columns = {
        "src_ip": [*map(sources.ips.__getitem__, values.addresses)],
        "src_port": [*map(sources.ports.__getitem__, values.addresses)],
        "username": [*values.usernames],
        "password": [*values.passwords],
        "command": [*values.commands],
        "http_method": [*values.methods],
        "http_path": [*values.paths],
        "duration_ms": [None if value is None else int(value) * 1000.0 for value in values.seconds],
        "fields": [*values.fields],
    }
    return {name: pa.array(values, SCHEMA.field(name).type) for name, values in columns.items()}
