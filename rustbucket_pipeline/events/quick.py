"""The quick way for what nearly every JSON line is: a known message, plain values, nothing odd.

A block of lines becomes columns without an object for each line: where strings stand is told for all at once, and what
stands around values is read once for each way to write it. A line is taken whole or not at all, and what isn't taken
goes the exact way (`parse`); both give the same rows. Keys without a column stay in `fields` as they are written.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow's stubs leave its arrays without parameters)

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from rustbucket_pipeline.events.normalise import UNTIDY_FROM
from rustbucket_pipeline.events.pieces import PlainLines
from rustbucket_pipeline.events.quick_again import Again
from rustbucket_pipeline.events.quick_columns import Known, Meant, PlainRows, Sources
from rustbucket_pipeline.events.quick_heads import LEAST_STRINGS, heads_of, known_by
from rustbucket_pipeline.events.quick_keys import CLIENT_IP, COMMAND, OTHER, TARGET_KEY
from rustbucket_pipeline.events.quick_look import longer_than, may_need_second_look, not_utf8, with_hints
from rustbucket_pipeline.events.quick_spans import Spans, bytes_of, coded, taken
from rustbucket_pipeline.events.quick_strings import Strings, strings_of
from rustbucket_pipeline.events.quick_templates import DEBUG
from rustbucket_pipeline.events.quick_values import values_of
from rustbucket_pipeline.events.quick_written import Written, text_of
from rustbucket_pipeline.events.trust import RECENT
from rustbucket_pipeline.framing.words import Integers, Truths

_NEVER_AGAIN: Final = frozenset({"component", "client_ip", "command", "method", "path"})

_texts = msgspec.json.Decoder(dict[str, str]).decode


def plain_rows(lines: PlainLines, is_ours: Callable[[str], bool]) -> PlainRows:
    """Read the lines that are plain, hold none of our secrets and tell of none of our own visits (`is_ours`)."""
    data, ends = lines.data, lines.ends
    wanted = np.ones(len(ends), np.bool_)
    wanted[[*longer_than(UNTIDY_FROM, ends), *not_utf8(data, ends)]] = False
    strings = strings_of(data, ends, wanted, LEAST_STRINGS)
    if not len(strings.lines):
        return PlainRows(strings.lines, [*range(len(ends))], Meant.of([]), {}, {})
    return _Reading(lines, strings).rows(is_ours)


class _Reading:
    """Lines that are read; by line, `_good` are those that are plain as far as was looked."""

    def __init__(self, lines: PlainLines, strings: Strings) -> None:
        self._data, self._ends, self._places = lines.data, lines.ends, strings.lines
        buffer = pa.py_buffer(lines.data)
        heads = heads_of(lines.data, strings)
        values = values_of(lines.data, buffer, strings, heads.tail)
        self._values = values
        targets = values.start[values.last], values.end[values.last]
        self._head_ends, self._braces = heads.end, targets[0] - len(TARGET_KEY)
        every = np.arange(len(heads.start))
        self._heads = coded(Spans(buffer, heads.start, heads.end).cut(), 2 * every)
        self._targets = coded(Spans(buffer, *targets).cut(), 2 * every)
        self._good = values.regular()

    def rows(self, is_ours: Callable[[str], bool]) -> PlainRows:
        """What the plain ones say."""
        known, numbers = self._known()
        addressed = self._of_good(self._values.column == CLIENT_IP)
        addresses, sources = coded(self._values.cut, 2 * addressed + 1), Sources(is_ours)
        familiar = np.array([sources.takes(one) for one in addresses.texts], np.bool_)
        self._good[self._values.line[addressed[~familiar[addresses.numbers]]]] = False
        self._drop_hints()
        again = dict(self._again(known, numbers))
        written = Written(self._data, self._values, self._braces, self._good)
        columns = written.texts() | written.sources(addressed, addresses, sources)
        columns |= {"duration_ms": written.durations(), "fields": written.fields()}
        places = self._places[self._good]
        odd = np.ones(len(self._ends), np.bool_)
        odd[places] = False
        meant = Meant(known, numbers[self._good])
        return PlainRows(places, np.flatnonzero(odd).tolist(), meant, columns, again, self._told())

    def _known(self) -> tuple[list[Known], Integers]:
        """What plain lines stand for, by number."""
        heads, targets = self._heads, self._targets
        pairs = pa.array(heads.numbers.astype(np.int64) * len(targets.texts) + targets.numbers).dictionary_encode()
        head, target = np.divmod(pairs.dictionary.to_numpy(), len(targets.texts))
        different = zip(head.tolist(), target.tolist(), strict=True)
        known = [known_by(heads.texts[head], targets.texts[target]) for head, target in different]
        is_known, numbers = np.array([one is not None for one in known]), pairs.indices.to_numpy()
        self._good &= is_known[numbers]
        return [one for one in known if one is not None], (np.cumsum(is_known) - 1)[numbers]

    def _of_good(self, which: Truths) -> Integers:
        """Those values that are of plain lines; elsewhere nobody knows what is a value."""
        return np.flatnonzero(which & self._good[self._values.line])

    def _drop_hints(self) -> None:
        """Leave out what needs a second look. All that lines may differ in is looked at, the rest once."""
        texts = taken(self._values.cut, 2 * self._of_good(self._values.column <= OTHER) + 1)
        if may_need_second_look(b"\n".join((bytes_of(texts), *self._heads.texts, *self._values.ways))):
            hinted = np.zeros(len(self._ends), np.bool_)
            hinted[[*with_hints(self._data, self._ends)]] = True
            self._good &= ~hinted[self._places]

    def _again(self, known: Sequence[Known], numbers: Integers) -> Iterator[tuple[int, Again]]:
        """By place, the lines that log upper-cased what was typed before; those in which there is more are left out."""
        tells = np.array([*(one.again for one in known), False])
        for line in np.flatnonzero(self._good & tells[numbers]).tolist():
            members = self._data[self._head_ends[line] : self._braces[line]]
            again = _told_again(b"{%b}" % members.removeprefix(b","), known[numbers[line]])
            if again is None:
                self._good[line] = False
            else:
                yield int(self._places[line]), again

    def _told(self) -> list[str]:
        """Whom and what the last ones tell of."""
        values, last = self._values, np.flatnonzero(self._good)[-RECENT:]
        told = np.isin(values.column, (CLIENT_IP, COMMAND)) & self._good[values.line] & (values.end > values.start)
        told[: values.first[last[0]] if len(last) else len(told)] = False
        spans = zip(values.start[told].tolist(), values.end[told].tolist(), strict=True)
        return [text_of(self._data[start:end]) for start, end in spans]


def _told_again(fields: bytes, known: Known) -> Again | None:
    """The values of a line that logs upper-cased what was typed before; None if there is more in it."""
    try:
        values = _texts(fields)
    except msgspec.ValidationError:
        return None
    if not _NEVER_AGAIN.isdisjoint(values) or not all(
        DEBUG.fullmatch(values.get(name, "None")) for name in known.debug
    ):
        return None
    return Again(tuple(values.items()), known.debug)
