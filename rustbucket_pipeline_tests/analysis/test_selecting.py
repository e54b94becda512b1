"""What is shown fits the room, and no flood of one shape crowds out what came once."""

from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.analysis.selecting import Candidate, short_rows, water_filled, whole_rows, within


def candidate(key: str, shape: str, *, severity: int = 0, is_new: bool = True, sessions: int = 1) -> Candidate:
    return Candidate(key, is_new, severity, sessions, (shape,), key.encode())


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.uuids().map(str),
        st.booleans(),
        st.integers(0, 4),
        st.integers(1, 1000),
        st.tuples(st.sampled_from("abcdef"), st.sampled_from("123456789")),
        st.binary(min_size=4, max_size=4),
    ),
    max_size=60,
    unique_by=lambda one: one.key,
)


def test_the_kth_of_a_shape_waits_for_everybody_s_one_before() -> None:
    rows = [candidate(f"flood{number}", "flood") for number in range(100)] + [
        candidate("one", "a"),
        candidate("two", "b"),
    ]
    assert [row.key for row in water_filled(rows)][:4] == ["flood0", "one", "two", "flood1"]


def test_a_row_waits_for_its_network_too() -> None:
    rows = [Candidate(str(number), True, 0, 1, (f"shape {number}", "network"), b"") for number in range(3)]
    assert [row.key for row in water_filled([*rows, candidate("other", "x")])] == ["0", "other", "1", "2"]


@given(CANDIDATES, st.integers(0, 3000))
def test_whole_rows_fit_the_room_and_come_once(candidates: list[Candidate], room: int) -> None:
    chosen = whole_rows(candidates, lambda one: 10 + one.sessions, room)
    assert sum(10 + one.sessions for one in chosen) <= room
    assert len({one.key for one in chosen}) == len(chosen)


@given(CANDIDATES)
def test_short_rows_are_all_rows_with_the_new_and_severe_first(candidates: list[Candidate]) -> None:
    rows = list(short_rows(candidates))
    assert {row.key for row in rows} == {one.key for one in candidates}
    kinds = [(row.is_new and row.severity >= 3, row.is_new, row.severity >= 3) for row in rows]
    assert kinds == sorted(kinds, reverse=True)


def test_a_severe_campaign_of_one_session_is_in_full_above_a_flood_of_severe_ones() -> None:
    flood = [candidate(f"f{number}", "flood", severity=3, sessions=50) for number in range(10_000)]
    chosen = whole_rows([*flood, candidate("campaign", "own", severity=3)], lambda _: 300, 10_000)
    assert "campaign" in {one.key for one in chosen}


def test_what_doesnt_fit_ends_the_list() -> None:
    assert list(within([3, 4, 5, 1], lambda row: row, 8)) == [3, 4]
