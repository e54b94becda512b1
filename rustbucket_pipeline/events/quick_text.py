"""The quick way for what nearly every key=value text record is: a known message, values that can mean one thing only.

A block's records of one message become columns at once, by the expressions of `quick_templates`. What those don't take
goes the exact way (`parse`); both give the same rows.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress, pairwise, repeat
from typing import Final

import numpy as np

from rustbucket_pipeline.events.dialects.kv import MARK
from rustbucket_pipeline.events.normalise import UNTIDY_FROM
from rustbucket_pipeline.events.pieces import PlainText
from rustbucket_pipeline.events.quick_columns import Known
from rustbucket_pipeline.events.quick_look import longer_than, need_second_look, records_with
from rustbucket_pipeline.events.quick_templates import MESSAGES, VARIANTS, Variant
from rustbucket_pipeline.events.quick_text_values import ODD, TextValues
from rustbucket_pipeline.events.uncollected import uncollected
from rustbucket_pipeline.framing.texts import HEAD_BYTES, LEVEL
from rustbucket_pipeline.framing.words import Integers

_MARK: Final = MARK.encode()
_LEVELS: Final = {level[-1]: level for level in (b"DEBUG", b"ERROR", b"INFO", b"TRACE", b"WARN")}
"""By the last letter: that is another in each."""


@uncollected
def text_values(text: PlainText, is_ours: Callable[[str], bool]) -> TextValues:
    """Read the records that are plain, hold none of our secrets and tell of none of our own visits (`is_ours`)."""
    data = text.data
    cut = [data[start + HEAD_BYTES : end - 1].partition(_MARK) for start, end in pairwise(text.borders)]
    written, _, bodies = zip(*cut, strict=True)
    messages = np.fromiter(map(MESSAGES.get, written, repeat(ODD)), np.int16, len(cut))
    second_look = need_second_look(data, text.ends) | records_with(b"\0", data, text.ends)
    messages[[*second_look, *longer_than(UNTIDY_FROM, text.ends)]] = ODD
    reader = _Reader(text, TextValues(len(cut), is_ours))
    for message, places in _by_message(messages):
        for variant in VARIANTS[message] if message != ODD else ():
            places = reader.read(variant, places, [*map(bodies.__getitem__, places.tolist())])
    return reader.values


def _by_message(messages: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> Iterator[tuple[int, Integers]]:
    """The places of each, in order."""
    order = np.argsort(messages, kind="stable")
    changes = np.flatnonzero(np.diff(messages[order])) + 1
    for places in np.split(order, changes):
        yield int(messages[places[0]]), places


class _Reader:
    """Puts what is read into `values`."""

    def __init__(self, text: PlainText, values: TextValues) -> None:
        self.values = values
        self._last_letters = np.frombuffer(text.data, np.uint8)[text.starts + (LEVEL.stop - 1)]
        self._kinds: dict[Known, int] = {}

    def read(self, variant: Variant, places: Integers, bodies: Sequence[bytes]) -> Integers:
        """Records of the variant's message, by what stands behind their marks; those that may be of another variant."""
        found = [*map(variant.match, bodies)]
        others = places[:0]
        if None in found:
            found = [one or variant.match_wide(body) for one, body in zip(found, bodies, strict=True)]
            misses = [one is None for one in found]
            others = places[[miss and not variant.claims(body) for miss, body in zip(misses, bodies, strict=True)]]
            places = places[~np.array(misses)]
        values = [one.groups() for one in found if one is not None]
        if variant.client_ip is not None:
            strange = self._strange({one[variant.client_ip] for one in values})
            if strange:
                familiar = [one[variant.client_ip] not in strange for one in values]
                places, values = places[familiar], [*compress(values, familiar)]
        if values:
            self._put(variant, places, values)
        return others

    def _strange(self, client_ips: set[bytes]) -> set[bytes]:
        """Those that can't be spelled again from their columns, or are ours."""
        sources = self.values.sources
        return {one for one in client_ips if one not in sources.ips and not sources.takes(one)}

    def _put(self, variant: Variant, places: Integers, values: Sequence[tuple[bytes, ...]]) -> None:
        columns = [*zip(*values, strict=True)]
        for name, at in variant.columns:
            self.values.columns[name].put(places, columns[at])
        if variant.rest:
            self.values.columns["fields"].put(places, variant.fields(columns))
        kinds = self._kinds_of(variant, places, None if variant.protocol is None else columns[variant.protocol])
        self.values.kinds[places] = kinds
        if variant.logs_again:
            for place, kind, said in zip(places.tolist(), kinds, values, strict=True):
                self.values.again[place] = variant.again(self.values.known[kind], said)

    def _kinds_of(self, variant: Variant, places: Integers, protocols: Sequence[bytes] | None) -> list[int]:
        """What the message stands for at each record's level and over its protocol."""
        said = [*zip(self._last_letters[places].tolist(), protocols or repeat(None, len(places)), strict=True)]
        kinds = {one: self._kind(variant.known(_LEVELS[one[0]], one[1])) for one in {*said}}
        return [*map(kinds.__getitem__, said)]

    def _kind(self, known: Known) -> int:
        if known not in self._kinds:
            self._kinds[known] = len(self.values.known)
            self.values.known.append(known)
        return self._kinds[known]
