"""The plan: what is due, and why; a pure function, so properties rather than examples where they say more."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.control.plan import Due, WindowState, due, ranges, without
from rustbucket_pipeline.model.window import HOUR, Window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = NOON + timedelta(hours=12)


def hour(index: int) -> Window:
    return Window(NOON + index * HOUR, HOUR)


versions = st.one_of(st.none(), st.sampled_from(["a", "b"]))
states = st.lists(
    st.builds(WindowState, st.integers(0, 14).map(hour), versions, versions, st.booleans()),
    unique_by=lambda state: state.window,
)


def planned(*states: WindowState, grace: timedelta = timedelta(0)) -> list[tuple[Window, str]]:
    return [(item.window, item.why) for item in due(states, NOW, grace=grace)]


def test_a_window_is_due_when_it_was_never_built_or_its_inputs_changed() -> None:
    assert planned(WindowState(hour(0), "a", None, ready=True)) == [(hour(0), "never built")]
    assert planned(WindowState(hour(0), "b", "a", ready=True)) == [(hour(0), "inputs changed since it was built")]


def test_a_window_built_from_what_is_there_now_is_not_due() -> None:
    assert planned(WindowState(hour(0), "a", "a", ready=True)) == []


def test_a_window_of_which_nothing_came_yet_is_not_due() -> None:
    assert planned(WindowState(hour(0), None, None, ready=True)) == []


def test_a_window_for_which_more_is_expected_waits() -> None:
    assert planned(WindowState(hour(0), "a", None, ready=False)) == []


def test_a_window_of_which_two_assets_are_due_is_asked_for_once() -> None:
    both = [WindowState(hour(1), "a", None, ready=True), WindowState(hour(0), "b", "a", ready=True)]
    assert [window for window, _ in planned(*both, *both)] == [hour(0), hour(1)]


@given(states, st.integers(0, 5).map(lambda hours: timedelta(hours=hours)))
def test_nothing_is_due_before_it_is_over_and_its_grace_has_passed(states: list[WindowState], grace: timedelta) -> None:
    for item in due(states, NOW, grace=grace):
        assert item.window.end + grace <= NOW


@given(states, st.lists(st.integers(0, 14).map(hour)))
def test_no_window_is_asked_for_while_a_run_is_building_it(states: list[WindowState], busy: list[Window]) -> None:
    left = without(due(states, NOW, grace=timedelta(0)), busy)
    assert not {item.window for item in left} & set(busy)


@given(st.lists(st.integers(0, 30), unique=True).map(sorted))
def test_ranges_hold_every_due_window_once_and_only_adjacent_ones_together(indexes: list[int]) -> None:
    dues = [Due(hour(index), "never built", "v") for index in indexes]
    groups = list(ranges(dues))
    assert [item for group in groups for item in group] == dues
    for group in groups:
        for one, other in pairwise(group):
            assert one.window.end == other.window.start
    for one, other in pairwise(groups):
        assert one[-1].window.end < other[0].window.start
