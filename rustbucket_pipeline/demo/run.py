"""The demo: a simulated fleet through the whole chain, by the jobs the schedules use, compared with what is true.

Here is only the order of the steps. The simulator knows nothing of the pipeline, the comparison nothing of its code.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, ARCHIVE_LOGS, PARSE_LOGS, POLL_FLEET, Job
from rustbucket_pipeline.control.runs import Runner
from rustbucket_pipeline.demo.compare import Check, compare
from rustbucket_pipeline.demo.fleet import register
from rustbucket_pipeline.demo.home import Play, simulation_folder
from rustbucket_pipeline.demo.load import load_truth
from rustbucket_pipeline.demo.serve import serve_fleet
from rustbucket_pipeline.demo.simulate import simulate
from rustbucket_pipeline.demo.story import Story, top_story
from rustbucket_pipeline.demo.summary import Summary, summary_of
from rustbucket_pipeline.model.window import windows_between
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.storage.postgres import open_database

Step = Callable[[str], AbstractContextManager[None]]
"""Shows a person that a step has begun, and when it is over."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo shows: what was brought in, how it compares with the truth, and the story of the top finding."""

    play: Play
    summary: Summary
    checks: Sequence[Check]
    story: Story | None

    @property
    def agrees(self) -> bool:
        """Whether everything is as it truly was."""
        return all(check.ok for check in self.checks)


def run_demo(home: Path, play: Play, now: datetime, step: Step) -> Outcome:
    """Play, run and compare, in this process. The environment is the demo's own (`demo.home.environment`).

    Raises:
        RustbucketError: a step can't be done; the steps before it are kept, and running again goes on from there.
    """
    with shared(home):
        settings = load_settings()
        with step("simulating the fleet"):
            simulation = simulate(simulation_folder(home), play.end, play.hours, play.rustbuckets, play.seed)
        with serve_fleet(simulation) as origin:
            with step("starting PostgreSQL and registering the fleet"):
                engine, archive = open_database(settings), open_archive(settings)
                register(engine, settings, simulation, origin, play.since)
                with engine.begin() as connection:
                    load_truth(connection, simulation)
            with closing(Runner.open()) as runner:
                _run_chain(runner, play, step)
        with step("comparing with the truth"), engine.connect() as connection:
            return Outcome(
                play, summary_of(connection, play), compare(connection, archive), top_story(connection, play.end)
            )


def _run_chain(runner: Runner, play: Play, step: Step) -> None:
    """One range run per asset. The rows of the week before are parsed too: they are what "new" is measured against."""
    chain: tuple[tuple[str, Job, datetime], ...] = (
        ("archiving every log byte", ARCHIVE_LOGS, play.start),
        ("polling the fleet", POLL_FLEET, play.start),
        ("parsing the archive into rows", PARSE_LOGS, play.since),
        ("analysing the windows", ANALYSE_WINDOWS, play.start),
    )
    for words, job, start in chain:
        windows = list(windows_between(start, play.end, job.window)) if job.window else []
        with step(words):
            runner.run(job, windows[0] if windows else None, windows[-1] if windows else None)
