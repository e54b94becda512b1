"""Text records read by the stretch give the rows that the exact way gives, whatever stands between them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustbucket_pipeline.demo.cast import cast_fleet
from rustbucket_pipeline.demo.dialects import DIALECTS
from rustbucket_pipeline.demo.lines import hour_lines
from rustbucket_pipeline.events.lanes import Lanes, Stretch
from rustbucket_pipeline.events.read import PlainLines, read_run
from rustbucket_pipeline.events.trust import Grader
from rustbucket_pipeline.framing.times import microseconds
from rustbucket_pipeline.model.window import HALF_HOUR
from rustbucket_pipeline_tests.events.reading import START
from rustbucket_pipeline_tests.events.test_bulk import OneObject, at_once, one_by_one, segment_of
from rustbucket_pipeline_tests.events.text_logs import Writer


def agree(data: bytes) -> None:
    quick, exact = at_once(data), one_by_one(data)
    assert quick == exact
    assert quick[2].agrees


def read_at_once(data: bytes) -> float:
    """The share of records that are; each stretch is believed, as a parser would."""
    grader = Grader(open=False, last=microseconds(START))
    plain = others = 0
    for some in Lanes(read_run(OneObject(data), [segment_of(data)]), grader, lambda _: False):
        if isinstance(some, Stretch):
            grader.believe_text(some.calm.believed(some.start, some.end))
            plain += len(some.calm.values.rows(some.start, some.end).places)
        else:
            assert not isinstance(some, PlainLines)
            others += sum(1 for _ in some)
    return plain / (plain + others)


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.001, 0.01]), st.sampled_from([50, 300]))
@settings(max_examples=60, deadline=None)
def test_known_messages_with_any_values_give_the_rows_of_the_exact_way(seed, oddness, records):
    agree(Writer(seed, oddness).log(records))


@given(st.integers(0, 2**32), st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=40, deadline=None)
def test_whatever_stands_between_them(seed, oddness):
    agree(Writer(seed, oddness).log(150))


@pytest.mark.parametrize(("dialect", "share"), [("kv", 0.4), ("proto", 0.0), ("classic", 0.0)])
def test_the_quick_way_takes_what_a_rustbucket_writes(dialect, share):
    """Else it would be of no use, and all of these tests would hold."""
    rustbucket = replace(cast_fleet(1, seed=1)[0], dialect=DIALECTS[dialect])
    played = hour_lines(rustbucket, START, "window", 1)
    end = microseconds(START + HALF_HOUR)
    data = b"".join(line.data for line in sorted(played, key=lambda line: line.at) if line.at < end)
    assert read_at_once(data) >= share
    agree(data)


def test_a_record_before_forged_lines_is_read_whole_by_the_exact_way():
    calm = Writer(1, 0.0).log(100)
    last = calm.rstrip(b"\n").rfind(b"\n") + 1
    forged = calm[last:].replace(b"2026-03-02", b"2026-03-01")
    agree(calm + forged + calm.replace(b"T00:00", b"T00:01"))
