"""The plan over any history of a fleet: data comes late, runs fail, are lost or slow, checks fail, ticks are missed.

A model of the pipeline stands in for database and Dagster. After each step no window may be asked for twice at once,
before its inputs, or sooner than its pause; and at the end everything gets built.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, ARCHIVE_LOGS, CHAIN, PARSE_LOGS, Job
from rustbucket_pipeline.control.plan import (
    DAY,
    PAUSES,
    Asked,
    Facts,
    Place,
    Planned,
    Stale,
    for_heal,
    for_schedule,
    plan,
    stretches,
)
from rustbucket_pipeline.model.version import version_of
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, Window, windows_between
from rustbucket_pipeline.storage.builds import UPSTREAM
from rustbucket_pipeline_tests.control.ticks import TICKS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASSETS = {"log_archives": ARCHIVE_LOGS, "parsed_logs": PARSE_LOGS, "window_digest": ANALYSE_WINDOWS}
LENGTHS = {"log_archives": HALF_HOUR, "parsed_logs": HOUR, "window_digest": FOUR_HOURS}
ASSET_OF = {job.name: asset for asset, job in ASSETS.items()}


@dataclass(frozen=True)
class Built:
    inputs: str
    output: str
    at: datetime


@dataclass(frozen=True)
class Run:
    job: Job
    windows: tuple[Window, ...]


class Pipeline(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = NOON + 6 * HOUR
        self.content: dict[Window, int] = {}
        self.built: dict[Place, Built] = {}
        self.asked: dict[Place, Asked] = {}
        self.wrong: dict[Place, str] = {}
        self.runs: list[Run] = []

    # What there is

    def windows(self, asset: str) -> Iterator[Window]:
        length = LENGTHS[asset]
        return (window for window in windows_between(NOON, self.now, length) if window.end <= self.now)

    def inputs(self, asset: str, window: Window) -> str | None:
        """What the window would be built from now; None while nothing of it came."""
        if asset == "log_archives":
            return "asked"
        upstream = UPSTREAM[asset]
        parts = [self.built.get((upstream.asset, part)) for part in window.parts(upstream.length)]
        outputs = [part.output if part else "" for part in parts]
        return version_of(outputs) if any(outputs) else None

    def stale(self, asset: str) -> Iterator[Stale]:
        for window in self.windows(asset):
            inputs, built = self.inputs(asset, window), self.built.get((asset, window))
            if inputs is not None and (built is None or built.inputs != inputs):
                changed = max((part.at for part in self.parts(asset, window)), default=None)
                asked = self.asked.get((ASSETS[asset].name, window))
                yield Stale(window, inputs, built is not None, changed, asked)

    def parts(self, asset: str, window: Window) -> Iterator[Built]:
        if asset in UPSTREAM:
            places = ((UPSTREAM[asset].asset, part) for part in window.parts(UPSTREAM[asset].length))
            yield from (self.built[place] for place in places if place in self.built)

    def planned(self) -> list[Planned]:
        return plan(
            Facts(
                now=self.now,
                stale={asset: list(self.stale(asset)) for asset in ASSETS},
                ticks=TICKS,
                heard_until=self.now - timedelta(hours=2, minutes=15),
                busy=frozenset((run.job.name, window) for run in self.runs for window in run.windows),
                wrong=self.wrong,
            )
        )

    # What is asked

    def ask(self, items: Iterable[Planned]) -> None:
        items = list(items)
        for item in items:
            self.held_to_the_rules(item)
            self.asked[item.job.name, item.window] = item.asking(self.now)
        self.runs += [Run(run[0].job, tuple(item.window for item in run)) for run in stretches(items)]

    def held_to_the_rules(self, item: Planned) -> None:
        place, asset = (item.job.name, item.window), ASSET_OF[item.job.name]
        assert item.window.end <= self.now
        assert not any(run.job is item.job and item.window in run.windows for run in self.runs)
        if (last := self.asked.get(place)) and last.version == item.version:
            pause = PAUSES[last.times - 1] if last.times <= len(PAUSES) else DAY
            assert self.now - last.at >= pause
        self.inputs_are_settled(asset, item.window)

    def inputs_are_settled(self, asset: str, window: Window) -> None:
        """Nothing it is made of, all the way up, waits to be built, is being built, or is wrong."""
        if asset not in UPSTREAM:
            return
        upstream = UPSTREAM[asset]
        job = ASSETS[upstream.asset]
        for part in window.parts(upstream.length):
            inputs, built = self.inputs(upstream.asset, part), self.built.get((upstream.asset, part))
            assert inputs is None or (built is not None and built.inputs == inputs)
            assert (upstream.asset, part) not in self.wrong
            assert not any(run.job is job and part in run.windows for run in self.runs)
            self.inputs_are_settled(upstream.asset, part)

    # What happens

    @rule(minutes=st.sampled_from([1, 2, 5, 30, 60, 300]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(half=st.integers(0, 20))
    def data_comes(self, half: int) -> None:
        window = Window(NOON + half * HALF_HOUR, HALF_HOUR)
        self.content[window] = self.content.get(window, 0) + 1

    @rule(job=st.sampled_from(CHAIN))
    def schedule_ticks(self, job: Job) -> None:
        self.ask(for_schedule(self.planned(), job))

    @rule()
    def heal_ticks(self) -> None:
        self.ask(for_heal(self.planned()))

    @rule(job=st.sampled_from(CHAIN))
    def both_tick_at_once(self, job: Job) -> None:
        self.schedule_ticks(job)
        self.heal_ticks()

    @rule(data=st.data())
    def a_run_succeeds(self, data: st.DataObject) -> None:
        if self.runs:
            self.finish(data.draw(st.sampled_from(self.runs)))

    @rule(data=st.data())
    def a_run_fails_or_is_lost(self, data: st.DataObject) -> None:
        if self.runs:
            run = data.draw(st.sampled_from(self.runs))
            done = data.draw(st.integers(0, len(run.windows)))
            self.finish(run, run.windows[:done])

    @rule(asset=st.sampled_from(["log_archives", "parsed_logs"]), data=st.data())
    def a_check_fails(self, asset: str, data: st.DataObject) -> None:
        if built := [place for place in self.built if place[0] == asset]:
            self.wrong[data.draw(st.sampled_from(built))] = "some_check"

    def finish(self, run: Run, built: Iterable[Window] | None = None) -> None:
        """End the run; it built what it says, all of it by default. A pull brings what is new of every window."""
        asset = ASSET_OF[run.job.name]
        self.runs.remove(run)
        done = list(run.windows if built is None else built)
        if asset == "log_archives" and done:
            done += [window for window in self.content if window.end <= self.now]
        for window in done:
            inputs = self.inputs(asset, window)
            content = str(self.content.get(window, "")) if asset == "log_archives" else f"{asset} of {inputs}"
            before = self.built.get((asset, window))
            at = before.at if before and before.output == content else self.now
            self.built[asset, window] = Built(inputs or "", content, at)
            self.wrong.pop((asset, window), None)

    # What must hold

    @invariant()
    def no_window_is_in_two_runs(self) -> None:
        places = [(run.job.name, window) for run in self.runs for window in run.windows]
        assert len(places) == len(set(places))

    def teardown(self) -> None:
        """Nothing fails any more, and the heal sensor ticks on, alone: everything gets built."""
        self.wrong.clear()
        until = self.now + DAY + timedelta(hours=8)
        ends = NOON + 24 * HOUR
        while self.now < until:
            for run in list(self.runs):
                self.finish(run)
            self.heal_ticks()
            self.now += timedelta(minutes=20)
        left = [item for item in self.planned() if item.window.end <= min(ends, until - timedelta(hours=8))]
        assert left == []


TestPipeline = Pipeline.TestCase
TestPipeline.settings = settings(max_examples=40, stateful_step_count=40)
