"""The plan: what is due, for whom, and why. What holds for every history of a fleet is in `test_plan_machine.py`."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.control.jobs import PARSE_LOGS
from rustbucket_pipeline.control.plan import (
    DAY,
    PAUSES,
    Asked,
    Facts,
    Planned,
    Stale,
    Standing,
    Taker,
    for_heal,
    for_schedule,
    plan,
    stretches,
)
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, Window
from rustbucket_pipeline_tests.control.ticks import TICKS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def hour(index: int) -> Window:
    return Window(NOON + index * HOUR, HOUR)


def stale(
    window: Window,
    version: str = "v",
    *,
    built: bool = False,
    changed_at: datetime | None = None,
    asked: Asked | None = None,
) -> Stale:
    return Stale(window, version, built, changed_at, asked)


def facts(*rows: Stale, now: datetime, asset: str = "parsed_logs", **more: object) -> Facts:
    return Facts(**{"now": now, "stale": {asset: rows}, "ticks": TICKS, "heard_until": now, **more})  # type: ignore[arg-type]


def only(planned: list[Planned]) -> Planned:
    (item,) = planned
    return item


def standings(planned: Iterable[Planned]) -> dict[tuple[str, Window], Standing]:
    return {(item.job.name, item.window): item.standing for item in planned}


def test_a_window_never_built_is_its_schedule_s_until_its_tick_has_passed() -> None:
    at_tick = only(plan(facts(stale(hour(0)), now=NOON + timedelta(minutes=70))))
    assert (at_tick.standing, at_tick.taker, at_tick.why) == (Standing.DUE, Taker.SCHEDULE, "never built")
    later = only(plan(facts(stale(hour(0)), now=NOON + timedelta(minutes=72))))
    assert later.taker is Taker.HEAL


def test_late_data_is_its_schedule_s_until_two_ticks_have_passed() -> None:
    changed = NOON + timedelta(hours=3, minutes=31)
    rebuilt = stale(hour(0), built=True, changed_at=changed)
    assert only(plan(facts(rebuilt, now=changed))).why == "inputs changed since it was built"
    assert only(plan(facts(rebuilt, now=NOON + timedelta(hours=5, minutes=11)))).taker is Taker.SCHEDULE
    assert only(plan(facts(rebuilt, now=NOON + timedelta(hours=5, minutes=12)))).taker is Taker.HEAL


def test_what_is_older_than_a_day_is_healed_whatever_its_age() -> None:
    for age in (timedelta(hours=24), timedelta(days=1000)):
        now = hour(0).end + age
        assert only(plan(facts(stale(hour(0), built=True, changed_at=now), now=now))).taker is Taker.HEAL


def test_a_schedule_takes_its_own_job_s_windows_oldest_first() -> None:
    now = NOON + timedelta(hours=3, minutes=10)
    late = [stale(hour(index), built=True, changed_at=now) for index in (1, 0)]
    both = Facts(
        now, {"parsed_logs": late, "window_digest": [stale(Window(NOON - FOUR_HOURS, FOUR_HOURS))]}, TICKS, now
    )
    assert [item.window for item in for_schedule(plan(both), PARSE_LOGS)] == [hour(0), hour(1)]


def test_a_window_waits_for_every_part_of_what_it_is_built_from() -> None:
    now = NOON + timedelta(hours=2)
    unasked = Window(NOON + HALF_HOUR, HALF_HOUR)
    planned = plan(
        Facts(now, {"log_archives": [stale(unasked)], "parsed_logs": [stale(hour(0)), stale(hour(1))]}, TICKS, now)
    )
    assert standings(planned) == {
        ("archive_logs", unasked): Standing.DUE,
        ("parse_logs", hour(0)): Standing.WAITING,
        ("parse_logs", hour(1)): Standing.DUE,
    }
    waiting = next(item for item in planned if item.standing is Standing.WAITING)
    assert waiting.detail == "log_archives 2026-03-02-12:30: it is due"


def test_a_window_waits_for_runs_that_build_what_it_is_built_from() -> None:
    half = Window(NOON, HALF_HOUR)
    planned = plan(facts(stale(hour(0)), now=NOON + HOUR, busy=frozenset({("archive_logs", half)})))
    assert only(planned).standing is Standing.WAITING


def test_a_window_waits_for_hours_of_which_nothing_came_while_their_bytes_were_not_asked_for() -> None:
    now, digest = NOON + FOUR_HOURS, Window(NOON, FOUR_HOURS)
    silent = Window(NOON + 2 * HOUR, HALF_HOUR)
    asked_for = {"log_archives": [stale(silent)], "window_digest": [stale(digest)]}
    waiting = {item.job.name: item for item in plan(Facts(now, asked_for, TICKS, now))}["analyse_windows"]
    assert waiting.standing is Standing.WAITING
    assert waiting.detail == "parsed_logs 2026-03-02-14:00: log_archives 2026-03-02-14:00: it is due"
    assert only(plan(facts(stale(digest), now=now, asset="window_digest"))).standing is Standing.DUE


def test_waiting_is_passed_on_down_the_chain() -> None:
    now, digest = NOON + FOUR_HOURS, Window(NOON, FOUR_HOURS)
    planned = plan(
        Facts(
            now,
            {
                "log_archives": [stale(Window(NOON, HALF_HOUR))],
                "parsed_logs": [stale(hour(0))],
                "window_digest": [stale(digest)],
            },
            TICKS,
            now,
        )
    )
    assert standings(planned)["analyse_windows", digest] is Standing.WAITING


def test_nothing_is_made_of_a_window_whose_blocking_check_failed() -> None:
    wrong = {("parsed_logs", hour(1)): "hours_accounted"}
    digests = [stale(Window(NOON, FOUR_HOURS)), stale(Window(NOON - FOUR_HOURS, FOUR_HOURS))]
    planned = plan(facts(*digests, now=NOON + 5 * HOUR, asset="window_digest", wrong=wrong))
    assert [item.standing for item in planned] == [Standing.DUE, Standing.WAITING]
    assert "hours_accounted" in planned[1].detail


def test_an_analysis_waits_for_rustbuckets_that_may_still_send_and_an_hour_doesn_t() -> None:
    digest, now = Window(NOON, FOUR_HOURS), NOON + FOUR_HOURS
    early = now - MINUTE
    assert (
        only(plan(facts(stale(digest), now=now, asset="window_digest", heard_until=early))).standing is Standing.WAITING
    )
    assert only(plan(facts(stale(digest), now=now, asset="window_digest", heard_until=now))).standing is Standing.DUE
    assert only(plan(facts(stale(hour(0)), now=now, heard_until=NOON))).standing is Standing.DUE


def test_no_window_closes_while_clocks_disagree_and_hours_are_built_all_the_same() -> None:
    now = NOON + 8 * HOUR
    window = Window(NOON, FOUR_HOURS)
    analysed = facts(stale(window), now=now, asset="window_digest", clocks_agree=False)
    assert only(plan(analysed)).standing is Standing.WAITING
    assert "clocks differ" in only(plan(analysed)).detail
    assert only(plan(facts(stale(window), now=now, asset="window_digest"))).standing is Standing.DUE
    assert only(plan(facts(stale(hour(0)), now=now, clocks_agree=False))).standing is Standing.DUE


def test_a_report_doesn_t_wait_for_the_digest_that_its_own_run_builds() -> None:
    digest = Window(NOON, FOUR_HOURS)
    rows = {"window_digest": [stale(digest, "a")], "log_analysis": [stale(digest, "b", built=True)]}
    item = only(plan(Facts(NOON + 5 * HOUR, rows, TICKS, NOON + 5 * HOUR)))
    assert (item.standing, item.why) == (Standing.DUE, "never built")


def test_a_window_that_a_run_is_building_is_not_due() -> None:
    planned = plan(facts(stale(hour(0)), now=NOON + HOUR, busy=frozenset({("parse_logs", hour(0))})))
    assert only(planned).standing is Standing.BUILDING


def test_failures_are_tried_again_after_pauses_then_daily_and_given_up_is_said_once_known() -> None:
    asked_at = NOON + 10 * HOUR
    for times, pause in enumerate((*PAUSES, DAY, DAY), 1):
        row = stale(hour(0), asked=Asked("v", times, asked_at))
        early = only(plan(facts(row, now=asked_at + pause - MINUTE)))
        again = only(plan(facts(row, now=asked_at + pause)))
        assert (early.standing, again.standing, again.taker) == (Standing.PAUSED, Standing.DUE, Taker.HEAL)
        assert again.given_up == (times > len(PAUSES))
        assert again.asking(again.window.end) == Asked("v", times + 1, again.window.end)
    just_asked = stale(hour(0), asked=Asked("v", 4, asked_at))
    assert not only(plan(facts(just_asked, now=asked_at + MINUTE))).given_up


def test_new_inputs_start_the_count_again_and_wait_only_until_the_last_request_is_settled() -> None:
    row = stale(hour(0), "new", asked=Asked("old", 9, NOON + HOUR))
    assert only(plan(facts(row, now=NOON + HOUR + MINUTE))).standing is Standing.PAUSED
    later = only(plan(facts(row, now=NOON + HOUR + PAUSES[0])))
    assert (later.standing, later.tries) == (Standing.DUE, 0)


def test_a_job_that_is_switched_off_is_shown_and_not_healed() -> None:
    planned = plan(facts(stale(hour(0)), now=NOON + 10 * HOUR, off=frozenset({"parse_logs"})))
    assert only(planned).standing is Standing.OFF
    assert for_heal(planned) == []


def test_what_failed_runs_alone_so_that_it_delays_only_itself() -> None:
    failed = Asked("v", 1, NOON)
    rows = [stale(hour(index), asked=failed if index == 1 else None) for index in range(4)]
    runs = list(stretches(for_heal(plan(facts(*rows, now=NOON + 30 * HOUR)))))
    assert [[item.window for item in run] for run in runs] == [[hour(0)], [hour(1)], [hour(2), hour(3)]]


def test_half_hours_of_a_pull_that_was_lost_are_pulled_together_again() -> None:
    lost = Asked("v", 1, NOON)
    halves = [Window(NOON + index * HALF_HOUR, HALF_HOUR) for index in range(4)]
    rows = [stale(half, asked=lost) for half in halves]
    planned = plan(facts(*rows, now=NOON + 30 * HOUR, asset="log_archives"))
    assert [[item.window for item in run] for run in stretches(for_heal(planned))] == [halves]


def test_the_newest_day_is_healed_first_upstream_first_and_within_it_the_oldest() -> None:
    now = NOON + timedelta(days=5)
    days = [stale(hour(24 * day + index), f"{day} {index}") for day in range(3) for index in range(2)]
    halves = [stale(Window(NOON + timedelta(days=1, hours=5), HALF_HOUR))]
    planned = plan(Facts(now, {"parsed_logs": days, "log_archives": halves}, TICKS, now))
    assert [(item.job.name, item.window.start.day, item.window.start.hour) for item in planned] == [
        ("parse_logs", 4, 12),
        ("parse_logs", 4, 13),
        ("archive_logs", 3, 17),
        ("parse_logs", 3, 12),
        ("parse_logs", 3, 13),
        ("parse_logs", 2, 12),
        ("parse_logs", 2, 13),
    ]


def test_what_its_source_deletes_soon_comes_before_everything_and_what_it_deleted_doesn_t() -> None:
    now, keep = NOON + timedelta(days=30), timedelta(days=7)
    ages = {"gone": 8, "soon": 6, "sooner": 6.5, "new": 1}
    rows = {name: Window(now - timedelta(days=days), HALF_HOUR) for name, days in ages.items()}
    planned = plan(facts(*map(stale, rows.values()), now=now, asset="log_archives", sources_keep=keep))
    names = {window: name for name, window in rows.items()}
    assert [names[item.window] for item in planned] == ["sooner", "soon", "new", "gone"]


indexes = st.lists(st.integers(0, 60), unique=True)


@given(indexes, indexes, st.integers(0, 80))
def test_stretches_hold_every_window_once_and_only_adjacent_ones_of_a_job_together(
    hours: list[int], tried: list[int], now: int
) -> None:
    rows = [stale(hour(index), asked=Asked("v", 1, NOON) if index in tried else None) for index in sorted(hours)]
    due = for_heal(plan(facts(*rows, now=NOON + timedelta(hours=now + 61))))
    runs = list(stretches(due))
    assert [item for run in runs for item in run] == due
    for run in runs:
        assert len(run) == 1 or not any(item.tries for item in run)
        for one, other in pairwise(run):
            assert one.window.end == other.window.start
            assert one.job is other.job
