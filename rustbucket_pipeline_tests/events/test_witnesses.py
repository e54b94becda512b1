"""Whoever is judged in a block has the witnesses that he has one by one."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustbucket_pipeline.events.ahead import Ahead
from rustbucket_pipeline.events.pieces import LogRecord, Part, Piece
from rustbucket_pipeline.events.read import read_run
from rustbucket_pipeline.events.witnesses import WITNESS_BYTES, WITNESSES, Following, with_witnesses
from rustbucket_pipeline_tests.events.reading import OneObject
from rustbucket_pipeline_tests.events.test_bulk import segment_of
from rustbucket_pipeline_tests.events.test_bulk_text import command
from rustbucket_pipeline_tests.events.text_logs import Writer


def pieces_of(data: bytes) -> list[Piece]:
    return [*read_run(OneObject(data), [segment_of(data)])]


def records_of(pieces: Sequence[Piece]) -> Iterator[LogRecord]:
    for piece in pieces:
        if isinstance(piece, LogRecord):
            yield piece
        else:
            yield from piece.records()


def following(ahead: Ahead) -> Following:
    assert ahead.record is not None
    return Following(ahead.parts(ahead.place + 1), WITNESS_BYTES - len(ahead.record.data))


def agree(data: bytes) -> list[int]:
    """How many witnesses each record has, both ways."""
    pieces = pieces_of(data)
    ahead, numbers = Ahead(pieces), list[int]()
    for record, gathered in with_witnesses(records_of(pieces), lambda _: True):
        assert ahead.record == record
        later = following(ahead)
        assert [*later.records()] == [*gathered.records()]
        claims = [one.claimed for one in gathered.records()]
        assert later.claims() == claims
        assert all(claim is None or claim in gathered.claims() for claim in claims)
        assert later.size == sum(len(one.data) for one in gathered.records())
        if record.claimed is not None:
            assert later.mostly_before(record.claimed) == gathered.mostly_before(record.claimed)
        numbers.append(len(claims))
        ahead.go(1)
    assert ahead.record is None
    return numbers


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.01, 0.2]))
@settings(max_examples=20)
def test_whatever_the_log_holds(seed, oddness):
    agree(Writer(seed, oddness).log(120))


def test_as_many_as_an_attacker_cannot_forge():
    numbers = agree(b"".join(command(n / 1000) for n in range(300)))
    assert numbers == [min(WITNESSES, 299 - n) for n in range(300)]


@pytest.mark.parametrize("size", [100_000, 300_000, WITNESS_BYTES])
def test_no_more_than_can_be_held(size):
    numbers = agree(b"".join(command(n, "x" * size) for n in range(20)))
    assert numbers[0] == -(-WITNESS_BYTES // (size + 100)) - 1


def test_a_piece_is_not_read_before_somebody_asks():
    piece, *_ = pieces_of(b"".join(command(n / 1000) for n in range(4)))
    taken = list[Part]()

    def parts() -> Iterator[Part]:
        taken.append(Part(piece, 1, 3))
        yield taken[-1]

    later = Following(parts())
    assert not taken
    assert len(later.claims()) == 2
    assert taken
