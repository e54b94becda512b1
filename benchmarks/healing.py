"""How an outage of six hours is healed: `python -m benchmarks.healing [rustbuckets]` (5).

Measured: the demo's simulated fleet on disk; all but its last six hours is archived, parsed and analysed. Then these
land, and `rustbucket up` is started: seconds from its first answer until nothing of them is open in any layer, how long
of that at least one step was at work, and in how many runs.
"""

import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from benchmarks.running import Timed, load, own_home, runs, until, up
from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, ARCHIVE_LOGS, CHAIN, PARSE_LOGS
from rustbucket_pipeline.control.plan import SETTLED
from rustbucket_pipeline.control.runs import Runner
from rustbucket_pipeline.control.states import stale_windows
from rustbucket_pipeline.control.timetable import load_timetable
from rustbucket_pipeline.demo.fleet import register
from rustbucket_pipeline.demo.home import simulation_folder
from rustbucket_pipeline.demo.simulate import HOUR, Simulation, simulate
from rustbucket_pipeline.demo.truth import TrueFile
from rustbucket_pipeline.model.window import FOUR_HOURS, Window, window_at, windows_between
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.postgres import open_database

OUTAGE = timedelta(hours=6)
PLAYED_HOURS = 28
SEED = 7
GOAL_SECONDS = 60.0

OTHERS = 4
"""Of the demo's first six rustbuckets, those without hourly files: they aren't part of this."""


def hourly(simulation: Simulation) -> Simulation:
    """Of this fleet, those that upload a file each hour."""
    members = tuple(one for one in simulation.rustbuckets if one.road == "files" and one.dialect.hourly_files)
    ids = {member.id for member in members}
    files = tuple(file for file in simulation.files if file.rustbucket_id in ids)
    return replace(simulation, rustbuckets=members, files=files)


def hold_back(simulation: Simulation, since: datetime) -> dict[TrueFile, bytes]:
    """Take away the hourly files of what is later, as if they weren't uploaded yet; what they hold."""
    held: dict[TrueFile, bytes] = {}
    for file in simulation.files:
        path = simulation.root / "sources" / file.rustbucket_id / file.key
        if path.name.rpartition("log.")[2] >= f"{since:%Y-%m-%d-%H}" and path.exists():
            held[file] = path.read_bytes()
            path.unlink()
    return held


def land(simulation: Simulation, held: dict[TrueFile, bytes], until_hour: datetime) -> None:
    """Put back those of the hours before."""
    for file, data in held.items():
        path = simulation.root / "sources" / file.rustbucket_id / file.key
        if path.name.rpartition("log.")[2] < f"{until_hour:%Y-%m-%d-%H}":
            path.write_bytes(data)


def build_before(since: datetime, outage: datetime) -> None:
    """Everything up to the outage, by hand, as range runs."""
    with closing(Runner.open()) as runner:
        for job, end in (
            (ARCHIVE_LOGS, outage),
            (PARSE_LOGS, outage),
            (ANALYSE_WINDOWS, window_at(outage, FOUR_HOURS).start),
        ):
            windows = [*windows_between(since, end, job.window or HOUR)]
            runner.run(job, windows[0], windows[-1])


def open_windows(settings: Settings, since: datetime, now: datetime) -> list[Window]:
    """What is over, past its own tick, and not built from what is there."""
    engine, timetable = open_database(settings), load_timetable(settings)
    try:
        with engine.connect() as connection:
            return [
                one.window
                for job in CHAIN
                for asset in job.assets
                for one in stale_windows(connection, asset, since, now)
                if timetable[job.name].tick(one.window.end) + SETTLED <= now
            ]
    finally:
        engine.dispose()


def at_work(found: list[Timed], since: float) -> float:
    """Seconds during which at least one step was at work."""
    total, end = 0.0, since
    for begun, ended in sorted(step for run in found for step in run.steps):
        total += max(0.0, ended - max(begun, end))
        end = max(end, ended)
    return total


def main() -> None:
    """Measure in a home of its own."""
    rustbuckets = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    now = datetime.now(UTC)
    newest = (now - timedelta(minutes=13)).replace(minute=0, second=0, microsecond=0)
    since = (newest - timedelta(hours=24)).replace(hour=0)
    with own_home(RUSTBUCKET_SINCE=since.isoformat()) as home, shared(home):
        settings = load_settings()
        end = window_at(now, FOUR_HOURS).end
        played = hourly(simulate(simulation_folder(home), end, PLAYED_HOURS, rustbuckets + OTHERS, SEED))
        engine = open_database(settings)
        register(engine, settings, played, "http://127.0.0.1:1", since)
        engine.dispose()
        held = hold_back(played, newest - OUTAGE)
        build_before(since, newest - OUTAGE)
        land(played, held, newest)
        with up(home) as port:
            begun = datetime.now(UTC)
            until(lambda: not open_windows(settings, since, begun))
            took = (datetime.now(UTC) - begun).total_seconds()
            found = [run for run in runs(port) if run.created >= begun.timestamp() - 60]
            work = at_work(found, begun.timestamp())
    print(
        f"6 hours of {rustbuckets} rustbuckets: healed {took:.0f} s after the web server answers, in {len(found)} runs"
    )
    goal = f"goal {GOAL_SECONDS:.0f} s {'met' if took - work <= GOAL_SECONDS else 'MISSED'}"
    print(f"at work {work:.0f} s, besides {took - work:.0f} s, {goal}; {load()}")


if __name__ == "__main__":
    main()
