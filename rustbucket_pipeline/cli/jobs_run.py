"""`rustbucket jobs run`, `backfill` and `kill`: orders, their progress, and how they ended."""

import os
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from io import UnsupportedOperation
from itertools import groupby
from uuid import uuid4

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text
from sqlalchemy import Engine

from rustbucket_pipeline.cli.jobs_logs import following
from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import plain, say
from rustbucket_pipeline.cli.times import moment_named
from rustbucket_pipeline.cli.who import login
from rustbucket_pipeline.control import by_hand, killing
from rustbucket_pipeline.control.arguments import run_config
from rustbucket_pipeline.control.backfills import cancel_backfill, request_backfill
from rustbucket_pipeline.control.by_hand import Order, Stretch, adjacent
from rustbucket_pipeline.control.heartbeat import daemon_runs
from rustbucket_pipeline.control.instance import dagster_instance
from rustbucket_pipeline.control.jobs import JOBS, Job, job_named
from rustbucket_pipeline.control.named import span, windows_from, windows_named
from rustbucket_pipeline.control.ran import Ran, error_of, rows_of
from rustbucket_pipeline.control.starting import Progress as Seen
from rustbucket_pipeline.control.starting import Start, Starter
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    windows: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    arguments: tuple[str, ...] = ()
    force: bool = False
    follow: bool = False


def run_one(name: str | None, asked: Asked) -> None:
    """Run a job; exits with the result."""
    if name is None:
        raise UsageError(
            f"which job? There are {', '.join(job.name for job in JOBS)}; --all-due runs what is due of all"
        )
    job = job_named(name)
    with _shop(asked) as shop:
        succeeded = shop.run(job, shop.windows(job))
    raise SystemExit(0 if succeeded else 1)


def run_all_due(name: str | None, asked: Asked) -> None:
    """Run what is due of every job, each after those it builds on; one that fails doesn't stop the others."""
    if name is not None or asked.windows or asked.since or asked.until or asked.arguments or asked.force:
        raise UsageError("--all-due runs whatever is due of every job; leave out everything but --follow")
    with _shop(asked) as shop:
        failed = [job.name for job in JOBS if not shop.run(job, None)]
    if failed:
        say(f"failed: {', '.join(failed)}", style="bold red")
    raise SystemExit(1 if failed else 0)


def backfill(name: str, since: str | None, until: str | None, *, in_order: bool) -> None:
    """Build every window of a time, by Dagster's own backfill while its daemon runs."""
    job = job_named(name)
    if since is None:
        raise UsageError("since when? Say it with --from, like --from 2026-03-01")
    with _shop(Asked(since=since, until=until)) as shop:
        windows = shop.windows(job) or []
        if in_order:
            succeeded = shop.in_order(job, windows)
        elif daemon_runs(shop.instance, datetime.now(UTC)):
            backfill_id = request_backfill(
                shop.starter.definitions, shop.instance, job, windows, login(), datetime.now(UTC)
            )
            say(f"{name}: {span(windows)} asked for as backfill {backfill_id}; the daemon takes it up within a minute")
            say(f"`rustbucket jobs show {name}` shows its runs, `rustbucket jobs kill {backfill_id}` ends it")
            return
        else:
            succeeded = shop.start_each(job, tuple(adjacent(windows)))
    raise SystemExit(0 if succeeded else 1)


def kill(written: str) -> None:
    """End a run, or a backfill."""
    with opened(), dagster_instance() as instance:
        ended = cancel_backfill(instance, written)
        if ended is not None:
            say(f"backfill {written}: {'the daemon ends it and its runs' if ended else 'had ended already'}")
            return
        run = killing.find_run(instance, written)
        say(f"run {run.id[:8]}: {killing.kill(instance, run)}; what it built stays, the rest is due again")


class _Shop:
    """Where orders are carried out: everything opened once."""

    def __init__(self, engine: Engine, settings: Settings, asked: Asked, stack: ExitStack) -> None:
        self.engine, self.settings, self.asked = engine, settings, asked
        self.instance = stack.enter_context(dagster_instance())
        self._terminal = stack.enter_context(_terminal())

    @cached_property
    def starter(self) -> Starter:
        """Made when something is to run: loading the definitions takes two seconds."""
        return Starter.of(self.instance, lambda: datetime.now(UTC))

    def windows(self, job: Job) -> list[Window] | None:
        """The windows that were named; None: none were."""
        now, asked = datetime.now(UTC), self.asked
        if asked.since is None and asked.until is not None:
            raise UsageError("--to needs --from")
        if asked.since is not None:
            if asked.windows:
                raise UsageError("--window and --from name windows in two ways; use one of them")
            until = moment_named(asked.until, now) if asked.until else None
            return windows_from(self.settings, job, moment_named(asked.since, now), until, now)
        return windows_named(self.settings, job, asked.windows, now) if asked.windows else None

    def run(self, job: Job, windows: Sequence[Window] | None) -> bool:
        """Run what is due of the job or of these windows, or all of them if forced; whether nothing failed."""
        if self.asked.arguments:
            run_config(self.starter.definitions, job, self.asked.arguments)  # before anything is noted as asked for
        order = self._order(job, windows)
        for unasked, why in _together(order.left):
            what = f"{job.name}, {span(unasked)}" if unasked else job.name
            say(f"{what}: not run: {why}; --force runs it all the same")
        if not order.runs and not order.left:
            say(f"{job.name}: nothing is due")
        return self.start_each(job, order.runs)

    def start_each(self, job: Job, stretches: Sequence[Stretch]) -> bool:
        """Run each to its end; one that fails doesn't stop the others. Whether none failed."""
        failed = [stretch for stretch in stretches if not self.start(job, stretch)]
        return not failed

    def in_order(self, job: Job, windows: Sequence[Window]) -> bool:
        """One window after the other, oldest first, up to the first that fails."""
        for number, window in enumerate(windows, 1):
            if not self.start(job, (window, window)):
                say(
                    f"{job.name}: stopped at {window}; {len(windows) - number} windows after it weren't tried",
                    style="red",
                )
                return False
        return True

    def start(self, job: Job, stretch: Stretch) -> bool:
        """Run it to its end, and say how that was; whether it succeeded."""
        config = run_config(self.starter.definitions, job, self.asked.arguments)
        start = Start(str(uuid4()), job, stretch, login(), self.asked.force, config)
        with _Bar(self._terminal, job, stretch) as bar, ExitStack() as stack:
            if self.asked.follow:
                stack.enter_context(following(self.settings, job, start.run_id, bar.print))
            run = self.starter.run(start, bar.show)
        self._say_ended(job, stretch, run)
        return run.status == "SUCCESS"

    def _order(self, job: Job, windows: Sequence[Window] | None) -> Order:
        now = datetime.now(UTC)
        if self.asked.force:
            return by_hand.forced(job, windows, now)
        return by_hand.order(self.engine, self.instance, self.settings, job, windows, now)

    def _say_ended(self, job: Job, stretch: Stretch, run: Ran) -> None:
        what = f"{job.name}, {_words(stretch)}" if stretch else job.name
        took = "" if run.seconds is None else f" in {run.seconds:.1f} s"
        if run.status == "SUCCESS":
            rows = rows_of(self.instance, run.id)
            say(f"{what}: done{took}{'' if rows is None else f', {rows:,} rows'} (run {run.id[:8]})")
            return
        say(f"{what}: {run.status}{took} (run {run.id[:8]})", style="bold red")
        if why := error_of(self.instance, run.id):
            say(plain(why), style="red")


class _Bar:
    """The progress of one run, on a terminal; elsewhere nothing, but what is to be printed is."""

    def __init__(self, terminal: Console, job: Job, stretch: Stretch) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal)
        self._total = _count(stretch)
        self._task = self._bar.add_task(job.name, total=self._total)
        self._name = job.name

    def __enter__(self) -> "_Bar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, seen: Seen) -> None:
        """Take over how far the run is."""
        words = f"{self._name} {seen.status.lower()}"
        self._bar.update(self._task, description=words, completed=min(seen.built, self._total))

    def print(self, text: Text) -> None:
        """A line above the bar."""
        self._bar.console.print(text, soft_wrap=True)


@contextmanager
def _shop(asked: Asked) -> Generator[_Shop]:
    with opened() as (engine, settings), ExitStack() as stack:
        yield _Shop(engine, settings, asked, stack)


@contextmanager
def _terminal() -> Generator[Console]:
    """Standard output as it is now: while a step runs here, what is printed there becomes part of its log."""
    try:
        own = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    except UnsupportedOperation:
        yield Console(file=sys.stdout, highlight=False)
        return
    with own:
        yield Console(file=own, highlight=False)


def _together(left: Mapping[Window | None, str]) -> Iterator[tuple[list[Window], str]]:
    """What isn't run, windows with the same reason together."""
    for why, group in groupby(left.items(), key=lambda item: item[1]):
        yield [window for window, _ in group if window is not None], why


def _words(stretch: tuple[Window, Window]) -> str:
    first, last = stretch
    return str(first) if first == last else f"{first.start:%Y-%m-%d %H:%M} to {last.end:%Y-%m-%d %H:%M} UTC"


def _count(stretch: Stretch) -> int:
    return 1 if stretch is None else (stretch[1].end - stretch[0].start) // stretch[0].length
