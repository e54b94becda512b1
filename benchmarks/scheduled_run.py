"""What one scheduled run costs besides its work: `python -m benchmarks.scheduled_run [times]` (5).

Measured: `rustbucket up` in a home of its own with an empty fleet, `poll_fleet` ticking each minute and nothing else;
from the tick's minute to each of the run's moments, as Dagster noted them. The work of an empty fleet is its step.
"""

import sys
from datetime import UTC, datetime
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.running import Timed, load, own_home, runs, until, up
from rustbucket_pipeline.control.jobs import JOBS, POLL_FLEET
from rustbucket_pipeline.control.timetable import Change, reschedule
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage.home import prepare_home

MINUTE = 60.0
MOMENTS = ("tick to run asked for", "to its process started", "to its step", "its step (work)", "to its end", "all")


def spans(run: Timed) -> tuple[float, ...]:
    """The seconds of each of the moments, in their order."""
    if run.started is None or run.ended is None or not run.steps:
        raise ValueError(f"{run} isn't over")
    begun, done = run.steps[0]
    tick = run.created // MINUTE * MINUTE
    return (
        run.created - tick,
        run.started - run.created,
        begun - run.started,
        done - begun,
        run.ended - done,
        run.ended - tick,
    )


def main() -> None:
    """Measure, and print fastest and median of each."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with own_home() as home:
        settings = load_settings()
        prepare_home(settings, datetime.now(UTC))
        for job in JOBS:
            mine = job is POLL_FLEET
            change = Change(
                job=job.name, by="benchmark", at=datetime.now(UTC), on=mine, cron="* * * * *" if mine else None
            )
            reschedule(settings, change)
        with up(home) as port:
            until(lambda: sum(run.ended is not None for run in runs(port)) > times)
            rows = [spans(run) for run in runs(port)[1:] if run.ended is not None]
    table = Table("seconds", "fastest", "median", box=None, pad_edge=False, caption=load(), caption_justify="left")
    for name, column in zip(MOMENTS, zip(*rows, strict=True), strict=True):
        table.add_row(name, f"{min(column):.2f}", f"{median(column):.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
