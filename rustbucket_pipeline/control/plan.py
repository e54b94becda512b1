"""What is due, for whom, and why: a pure function of what was built from what, what is being built, and the time.

No database, no clock, no Dagster: `outlook.py` gathers the facts, schedules and the heal sensor act on the answer.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rustbucket_pipeline.control.jobs import ARCHIVE_LOGS, CHAIN, Job
from rustbucket_pipeline.model.version import version_of
from rustbucket_pipeline.model.window import Window, window_at
from rustbucket_pipeline.storage.builds import UPSTREAM

DAY = timedelta(days=1)

PAUSES = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""How long after each of the first tries the next one comes; after these an alert, and one try a day."""

SETTLED = PAUSES[0]
"""How long after a request its run is surely among Dagster's."""

SOON = timedelta(days=2)
"""Windows whose sources delete them within that time are taken first."""

_PLACE = {job.name: place for place, job in enumerate(CHAIN)}

Place = tuple[str, Window]
"""A job's name or an asset's, and one of its windows."""

Open = dict[str, dict[Window, str]]
"""By asset, the windows that aren't as they should be, and why: what is built from them waits."""

Ticks = Callable[[datetime], datetime]
"""A schedule's first tick at or after a moment."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The last request for a window: for which version of its inputs, how often in a row, and when."""

    version: str
    times: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Stale:
    """A window that is over and not built from what is there now. `version` is that of its inputs now.

    `built`: it was, from other inputs; `changed_at`: when the newest of these was built. A window of which nothing came
    is none of these: silence proves nothing.
    """

    window: Window
    version: str
    built: bool
    changed_at: datetime | None
    asked: Asked | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known, at `now`.

    `stale` by asset; `busy`: windows by job that unfinished runs will build; `wrong`: windows by asset that a blocking
    check found wrong, and which; `heard_until`: rustbuckets may still send what is later; `off`: jobs switched off;
    `sources_keep`: how long sources keep their files, if they delete them; `clocks_agree`: else nothing is over.
    """

    now: datetime
    stale: Mapping[str, Sequence[Stale]]
    ticks: Mapping[str, Ticks]
    heard_until: datetime
    busy: frozenset[Place] = frozenset()
    wrong: Mapping[Place, str] = field(default_factory=dict[Place, str])
    off: frozenset[str] = frozenset()
    sources_keep: timedelta | None = None
    clocks_agree: bool = True


class Standing(StrEnum):
    """What becomes of a window that isn't as it should be."""

    DUE = "due"
    """It can be run now."""
    BUILDING = "building"
    """An unfinished run will build it."""
    WAITING = "waiting"
    """What it is built from isn't there yet, or is wrong."""
    PAUSED = "paused"
    """It was asked for, and is asked for again later."""
    OFF = "off"
    """Its job is switched off."""


class Taker(StrEnum):
    """Who asks for a window's run."""

    SCHEDULE = "schedule"
    HEAL = "heal"


@dataclass(frozen=True, slots=True)
class Planned:
    """A window of a job that isn't as it should be, who takes it, and why, in words for people.

    `tries`: how often it was asked for with these inputs, in vain; `given_up`: so often that it is tried daily only.
    """

    job: Job
    window: Window
    version: str
    why: str
    standing: Standing
    detail: str
    taker: Taker
    tries: int
    given_up: bool
    expires: datetime | None = None

    def asking(self, now: datetime) -> Asked:
        """The request to note when its run is asked for."""
        return Asked(self.version, self.tries + 1, now)


def plan(facts: Facts) -> list[Planned]:
    """Every window that isn't as it should be, in the order in which they are healed.

    What is soon deleted at its source first; then the newest day first, within it upstream first, then the oldest.
    """
    open_: Open = {}
    for (asset, window), check in facts.wrong.items():
        open_.setdefault(asset, {})[window] = f"its check {check} failed"
    planned: list[Planned] = []
    for job in CHAIN:
        items = [_planned(job, window, found, facts, open_) for window, found in _by_window(job, facts).items()]
        for asset in job.assets:
            own = open_.setdefault(asset, {})
            own.update(_passed_on(job, asset, open_))
            own.update((window, "it is being built") for name, window in facts.busy if name == job.name)
            own.update((item.window, f"it is {item.standing}") for item in items)
        planned += items
    return sorted(planned, key=lambda item: _urgency(item, facts.now))


def for_schedule(planned: Iterable[Planned], job: Job) -> list[Planned]:
    """What the job's own tick takes, oldest first."""
    return sorted(_taken(planned, Taker.SCHEDULE, job), key=lambda item: item.window)


def for_heal(planned: Iterable[Planned]) -> list[Planned]:
    """What the heal sensor takes, in the plan's order."""
    return list(_taken(planned, Taker.HEAL))


def stretches(items: Iterable[Planned]) -> Iterator[tuple[Planned, ...]]:
    """Adjacent windows of a job, in order: each is one run.

    What failed before runs alone, so it delays only itself; but a pull is one for all of its windows, or none.
    """
    run: list[Planned] = []
    for item in items:
        if run and not _continues(run[-1], item):
            yield tuple(run)
            run = []
        run.append(item)
    if run:
        yield tuple(run)


def newest(job: Job, window: Window, now: datetime) -> Planned:
    """The newest window of a job that asks its sources at every tick, whatever is built."""
    version = f"tick {now.isoformat()}"
    return Planned(
        job, window, version, "the newest that is over", Standing.DUE, "", Taker.SCHEDULE, tries=0, given_up=False
    )


def _passed_on(job: Job, asset: str, open_: Open) -> dict[Window, str]:
    """Windows that may still change because what they are built from does, whether or not anything of them came yet."""
    upstream = UPSTREAM.get(asset)
    if upstream is None or upstream.asset in job.assets or job.window is None:
        return {}
    return {
        window_at(part.start, job.window): f"{upstream.asset} {part.key}: {reason}"
        for part, reason in open_.get(upstream.asset, {}).items()
    }


def _by_window(job: Job, facts: Facts) -> dict[Window, dict[str, Stale]]:
    """The job's stale windows; one run builds all of its assets, so each is there once."""
    found: dict[Window, dict[str, Stale]] = {}
    for asset in job.assets:
        for stale in facts.stale.get(asset, ()):
            found.setdefault(stale.window, {})[asset] = stale
    return found


def _planned(job: Job, window: Window, found: Mapping[str, Stale], facts: Facts, open_: Open) -> Planned:
    states = list(found.values())
    version = states[0].version if len(states) == 1 else version_of(state.version for state in states)
    asked = states[0].asked
    tries = asked.times if asked and asked.version == version else 0
    standing, detail = _standing(job, window, found, facts, open_, asked, tries)
    keep = facts.sources_keep if job is ARCHIVE_LOGS else None
    return Planned(
        job=job,
        window=window,
        version=version,
        why="inputs changed since it was built" if all(state.built for state in states) else "never built",
        standing=standing,
        detail=detail,
        taker=Taker.HEAL if tries or _missed(job, window, states, facts) else Taker.SCHEDULE,
        tries=tries,
        given_up=tries > len(PAUSES) and asked is not None and asked.at + SETTLED <= facts.now,
        expires=window.end + keep if keep else None,
    )


def _standing(
    job: Job,
    window: Window,
    found: Mapping[str, Stale],
    facts: Facts,
    open_: Open,
    asked: Asked | None,
    tries: int,
) -> tuple[Standing, str]:
    if (job.name, window) in facts.busy:
        return Standing.BUILDING, "a run is building it"
    if hold := _hold(job, window, found, open_) or _unready(job, window, facts):
        return Standing.WAITING, hold
    if asked and (again := asked.at + _pause(tries)) > facts.now:
        return Standing.PAUSED, f"asked for {max(tries, 1)} times; again at {again:%Y-%m-%d %H:%M}"
    if job.name in facts.off:
        return Standing.OFF, f"{job.name} is switched off"
    return Standing.DUE, ""


def _unready(job: Job, window: Window, facts: Facts) -> str:
    """Why more may still come of a window that is only built once; empty when it is ready, or needn't be."""
    if job is not CHAIN[-1]:
        return ""
    if window.end > facts.heard_until:
        return f"rustbuckets were heard until {facts.heard_until:%Y-%m-%d %H:%M} only"
    return "" if facts.clocks_agree else "clocks differ by more than 30 s: none says what is over; `rustbucket doctor`"


def _hold(job: Job, window: Window, found: Iterable[str], open_: Open) -> str:
    """Which of its inputs it waits for, and why; empty when it waits for none."""
    for asset in found:
        upstream = UPSTREAM.get(asset)
        if upstream is None or upstream.asset in job.assets or not (parts := open_.get(upstream.asset)):
            continue
        for part in window.parts(upstream.length):
            if reason := parts.get(part):
                return f"{upstream.asset} {part.key}: {reason}"
    return ""


def _pause(tries: int) -> timedelta:
    """How long after its last request a window isn't asked for again; with new inputs, until that is settled."""
    if not tries:
        return SETTLED
    return PAUSES[tries - 1] if tries <= len(PAUSES) else DAY


def _missed(job: Job, window: Window, states: Iterable[Stale], facts: Facts) -> bool:
    """Whether its schedule won't take it or should have: too old, not built at its own tick, two ticks overdue."""
    if window.end + DAY <= facts.now:
        return True
    tick = facts.ticks[job.name]
    for state in states:
        if not state.built and tick(window.end) + SETTLED <= facts.now:
            return True
        if state.changed_at and tick(tick(state.changed_at) + timedelta(seconds=1)) + SETTLED <= facts.now:
            return True
    return False


def _taken(planned: Iterable[Planned], taker: Taker, job: Job | None = None) -> Iterator[Planned]:
    return (
        item
        for item in planned
        if item.standing is Standing.DUE and item.taker is taker and (job is None or item.job is job)
    )


def _continues(before: Planned, item: Planned) -> bool:
    together = before.job is item.job and before.window.end == item.window.start
    return together and (item.job is ARCHIVE_LOGS or not (before.tries or item.tries))


def _urgency(item: Planned, now: datetime) -> tuple[bool, float, int, datetime]:
    soon = item.expires is not None and now <= item.expires <= now + SOON
    order = item.expires.timestamp() if soon and item.expires else -item.window.start.toordinal()
    return not soon, order, _PLACE[item.job.name], item.window.start
