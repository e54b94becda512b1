"""Charts: nothing lies outside, what isn't known isn't drawn as zero, and axes end at round numbers."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rustbucket_pipeline.upkeep.dashboard.charts import Run, ceiling, columns, midnights, runs, spark, together

counts = st.lists(st.none() | st.floats(0, 1e12), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.03, 0.04), (0.9, 1), (1, 1), (3, 4), (7, 10), (4_200, 5_000), (10_000, 10_000)]
)
def test_an_axis_ends_at_the_next_round_number(value: float, top: float) -> None:
    assert ceiling(value) == pytest.approx(top)


@given(st.floats(0, 1e12) | st.integers(-12, 12).map(lambda power: 10.0**power))
@example(5e-324)
def test_no_value_is_above_its_axis(value: float) -> None:
    assert value <= ceiling(value)


@given(counts, counts)
@example([None], [5e-324])
def test_columns_stay_inside_and_stand_on_each_other(first: list[float | None], second: list[float | None]) -> None:
    size = min(len(first), len(second))
    chart = columns([first[:size], second[:size]], 600, 100)
    for bar in chart.bars:
        assert 0 <= bar.x <= 600
        assert bar.y >= -0.1
        assert bar.y + bar.height <= 100.1
    unknown = sum(None in pair for pair in zip(first[:size], second[:size], strict=True))
    assert len(chart.unknown) == unknown


def test_a_column_is_as_tall_as_its_share_of_the_axis() -> None:
    chart = columns([[5, 10], [5, 0]], 100, 100, gap=0)
    assert [(bar.x, bar.y, bar.height, bar.series) for bar in chart.bars] == [
        (0, 50, 50, 0),
        (0, 0, 50, 1),
        (50, 0, 100, 0),
    ]
    assert [line.value for line in chart.lines] == [0, 5, 10]


def test_a_line_breaks_where_nothing_is_known_and_a_lone_value_is_a_dot() -> None:
    assert spark([0, 10, None, 5], 30, 20) == ("0,20 10,0", "30,10 30,10")
    assert spark([None, None], 30, 20) == ()
    assert spark([0, 0], 30, 20) == ("0,20 30,20",)


def test_hours_of_one_state_are_one_run_and_hours_before_approval_none() -> None:
    assert runs("  RRMq") == (Run(2, 2, "R"), Run(4, 1, "M"), Run(5, 1, "q"))
    assert runs("") == ()


def test_the_fleet_s_hours_count_who_is_known_who_is_missing_and_who_may_still_come() -> None:
    first, second, third = together({"a": "RM.", "b": "q .", "c": "EE "}, 3, gaps="ME", pending=".")
    assert (first.due, first.known, first.missing, first.pending) == (3, 2, 1, 0)
    assert (second.due, second.missing) == (2, 2)
    assert (third.due, third.known, third.pending) == (2, 0, 2)


def test_days_begin_at_midnight_utc() -> None:
    since = datetime(2026, 3, 1, 22, tzinfo=UTC)
    assert [at for at, _ in midnights(since, 30)] == [2, 26]
