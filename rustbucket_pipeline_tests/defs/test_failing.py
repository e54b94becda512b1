"""Transient and permanent failures told apart, in real runs: the first are tried again, the pool free meanwhile."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from rustbucket_pipeline.control.failed import CAUSES
from rustbucket_pipeline.control.runs import QUIET
from rustbucket_pipeline.defs.failing import MOST_RETRIES, as_failure, each_window, pause_before
from rustbucket_pipeline.errors import IntegrityError, StoreUnavailable
from rustbucket_pipeline.model.window import HOUR, Window, window_of_key

FIRST, SECOND, THIRD = (window_of_key(f"2026-03-02-0{hour}:00", HOUR) for hour in range(3))
HOURS = dg.HourlyPartitionsDefinition("2026-03-02-00:00", end_offset=0)

Build = Callable[[Window], None]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test({"concurrency": {"pools": {"default_limit": 1, "granularity": "op"}}}) as instance:
        yield instance


class Asset:
    """An asset of three hours that are built as told, and what became of each."""

    def __init__(self, build: Build, first_pause: float = 0.01) -> None:
        self.build, self.tried = build, list[str]()

        @dg.asset(
            partitions_def=HOURS,
            backfill_policy=dg.BackfillPolicy.single_run(),
            output_required=False,
            pool="one",
        )
        def hours(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization]:
            with as_failure(context, first_pause):
                yield from each_window(context, [FIRST, SECOND, THIRD], self._window)

        self.asset = hours

    def _window(self, window: Window) -> Iterator[dg.AssetMaterialization]:
        self.tried.append(window.key[-5:])
        self.build(window)
        yield dg.AssetMaterialization("hours", partition=window.key)

    def run(self, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
        tags = {
            "dagster/asset_partition_range_start": FIRST.key,
            "dagster/asset_partition_range_end": THIRD.key,
        }
        return dg.materialize([self.asset], instance=instance, tags=tags, raise_on_error=False, run_config=QUIET)


def failure_of(result: dg.ExecuteInProcessResult) -> tuple[str, object]:
    (event,) = result.get_step_failure_events()
    failure = event.step_failure_data.user_failure_data
    assert failure
    return failure.description or "", failure.metadata[CAUSES].value


def test_what_may_pass_by_itself_is_tried_again_and_only_that(instance: dg.DagsterInstance) -> None:
    times = iter(range(10))

    def build(window: Window) -> None:
        if window == SECOND and next(times) < 2:
            raise StoreUnavailable("the store doesn't answer; wait")

    asset = Asset(build)
    assert asset.run(instance).success
    assert asset.tried == ["00:00", "01:00", "02:00", "01:00", "01:00"]


def test_it_is_given_up_after_three_more_tries_and_says_why(instance: dg.DagsterInstance) -> None:
    def build(window: Window) -> None:
        if window == SECOND:
            raise StoreUnavailable("the store doesn't answer; wait")

    asset = Asset(build)
    result = asset.run(instance)
    assert not result.success
    assert asset.tried.count("01:00") == 1 + MOST_RETRIES
    assert failure_of(result) == (
        f"1 windows failed: {SECOND.key}: the store doesn't answer; wait",
        {SECOND.key: ["StoreUnavailable", "the store doesn't answer; wait"]},
    )


def test_what_stays_wrong_is_tried_once(instance: dg.DagsterInstance) -> None:
    def build(window: Window) -> None:
        if window == SECOND:
            raise IntegrityError("a hash differs; look")

    asset = Asset(build)
    assert not asset.run(instance).success
    assert asset.tried == ["00:00", "01:00", "02:00"]


def test_a_bug_that_one_window_meets_stops_no_other_and_its_message_isn_t_told(instance: dg.DagsterInstance) -> None:
    def build(window: Window) -> None:
        if window == FIRST:
            raise KeyError("hunter2")

    asset = Asset(build)
    result = asset.run(instance)
    assert asset.tried == ["00:00", "01:00", "02:00"]
    description, causes = failure_of(result)
    place = "KeyError in defs/failing.py, each_window"
    why = f"unexpected: {place}; the run's log has more"
    assert (description, causes) == (f"1 windows failed: {FIRST.key}: {why}", {FIRST.key: [place, why]})
    assert {event.partition for event in result.asset_materializations_for_node("hours")} == {SECOND.key, THIRD.key}


def test_the_pool_is_free_while_a_run_waits_for_its_next_try(instance: dg.DagsterInstance) -> None:
    def slots() -> int:
        return len(instance.event_log_storage.get_concurrency_info("one").claimed_slots)

    def seen_free() -> bool:
        return any(slots() == 0 or over.wait(0.05) for _ in range(200)) and not over.is_set()

    claimed: list[int] = []
    over = Event()

    def build(window: Window) -> None:
        claimed.append(slots())
        if len(claimed) == 1:
            watched.append(watcher.submit(seen_free))
            raise StoreUnavailable("wait")

    with ThreadPoolExecutor(1) as watcher:
        watched: list[Future[bool]] = []
        assert Asset(build, first_pause=2.0).run(instance).success
        over.set()
        assert watched[0].result()
    assert claimed == [1, 1, 1, 1]


@pytest.mark.parametrize(("retries", "least", "most"), [(0, 1, 3), (1, 2, 6), (2, 4, 12)])
def test_pauses_double_and_differ_by_chance(retries: int, least: float, most: float) -> None:
    assert (pause_before(retries, 2, 0.0), pause_before(retries, 2, 1.0)) == (least, most)


def test_a_run_that_a_person_cancels_isn_t_tried_again(instance: dg.DagsterInstance) -> None:
    def build(_: Window) -> None:
        raise DagsterExecutionInterruptedError

    asset = Asset(build)
    assert not asset.run(instance).success
    assert asset.tried == ["00:00"]
