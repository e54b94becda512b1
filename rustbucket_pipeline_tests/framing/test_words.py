"""Words: what is told of eight bytes at a time is what is told of each."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.framing.words import Shape, changes, line_ends, number_of, words_of

rows = st.lists(st.lists(st.sampled_from([0, 1, 2**63, 2**64 - 1]), min_size=8, max_size=8), min_size=1, max_size=20)


@given(
    st.lists(st.sampled_from([b"\n", b"\n\n", b"x", b"x" * 7, b"x" * 8, b"x" * 300, b"\x0b"]), min_size=1).map(b"".join)
)
def test_lines_end_behind_each_newline(data):
    assert line_ends(data).tolist() == [at + 1 for at, byte in enumerate(data) if byte == 0x0A]


@given(st.lists(st.integers(0, 10**8 - 1), min_size=1))
def test_eight_digits_are_their_number(numbers):
    digits = np.frombuffer("".join(f"{number:08}" for number in numbers).encode(), "<u8")
    assert number_of(digits).tolist() == numbers


@given(st.lists(st.binary(min_size=8, max_size=8) | st.from_regex(rb"[/0-:]\.[/0-:]{6}", fullmatch=True), min_size=1))
def test_a_shape_is_digits_and_what_stands_between_them(some):
    shape, words = Shape(b"0.000000", 8), np.frombuffer(b"".join(some), "<u8")
    fitting = [(word[:1] + word[2:]).isdigit() and word[1:2] == b"." for word in some]
    assert shape.fits(words).tolist() == fitting
    assert shape.fits_all(words) == all(fitting)


@given(rows)
def test_a_row_s_words_are_compared_with_the_row_before(found):
    told = [list(int(word).to_bytes(8, "little")) for word in changes(np.array(found, np.uint64))]
    assert told[0] == [1] * 8
    pairs = zip(found[1:], found, strict=False)
    assert told[1:] == [[int(one != other) for one, other in zip(*pair, strict=True)] for pair in pairs]


def test_words_are_filled_with_zeros():
    assert words_of(b"\1", 16).tolist() == [1, 0]
