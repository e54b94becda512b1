"""Where the strings of lines stand is told for many lines as it is for each of them, read letter by letter."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.events.quick_strings import strings_of

LETTER = rb'(?:[^"\\\x00-\x1f]|\\(?:["\\bfnrt]|u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4}))'
STRING = re.compile(rb'%b*"(%b*)"' % (LETTER, LETTER))
LINE = re.compile(rb'(?:%b*"%b*")+\}\n' % (LETTER, LETTER))
PIECES = [
    b'"',
    b'"',
    b"\\",
    b"\\\\",
    b'\\"',
    b"\\n",
    b"\\x",
    b"\\u00e9",
    b"\\u0000",
    b"\\uD83D",
    b"\\u12",
    b"a",
    b":",
    b"\t",
]


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line in which a string begins, and mostly one ends it."""
    pieces = draw(st.lists(st.sampled_from(PIECES), max_size=12))
    return b'{"' + b"".join(pieces) + draw(st.sampled_from([b'"}\n', b'"}\n', b"}\n"]))


@given(st.lists(lines(), min_size=1, max_size=8))
def test_they_are_told_for_all_at_once(written):
    data, ends = b"".join(written), np.cumsum([len(line) for line in written])
    found = strings_of(data, ends, np.ones(len(ends), np.bool_), least=2)
    strings = [data[start + 1 : end] for start, end in zip(found.opening, found.closing, strict=True)]
    told = [strings[first:last] for first, last in zip(found.first[:-1], found.first[1:], strict=True)]
    each = {place: STRING.findall(line) for place, line in enumerate(written) if LINE.fullmatch(line)}
    several = {place: strings for place, strings in each.items() if len(strings) > 1}
    assert dict(zip(found.lines.tolist(), told, strict=True)) == several


def test_lines_that_nobody_wants_are_left_out():
    data, ends = b'{"a":"b"}\n' * 3, np.array([10, 20, 30])
    assert strings_of(data, ends, np.array([True, False, True]), least=2).lines.tolist() == [0, 2]
    assert strings_of(data, ends, np.ones(3, np.bool_), least=3).lines.tolist() == []
