"""`rustbucket jobs logs`: a job's log file, for people; and its lines while a run goes on."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event, Thread

import typer
from rich.text import Text

from rustbucket_pipeline.cli.opening import ready_settings
from rustbucket_pipeline.cli.output import console, plain
from rustbucket_pipeline.control.job_log import Line, directory_of
from rustbucket_pipeline.control.job_log_reading import Follower, last_lines
from rustbucket_pipeline.control.jobs import Job, job_named
from rustbucket_pipeline.settings import Settings

_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red"}


def show_logs(name: str, most: int, *, follow: bool, as_json: bool) -> None:
    """The last lines; then, if wanted, whatever comes until Ctrl-C."""
    job, settings = job_named(name), ready_settings()
    directory = directory_of(settings)
    follower = Follower(directory, job.name)
    for line in last_lines(directory, job.name, most):
        _print(line, as_json=as_json)
    if follow:
        for line in follower.lines(lambda: False):
            _print(line, as_json=as_json)


@contextmanager
def following(settings: Settings, job: Job, run_id: str, show: Callable[[Text], None]) -> Generator[None]:
    """Show what that run writes into its job's log meanwhile."""
    over = Event()
    follower = Follower(directory_of(settings), job.name)

    def look_on() -> None:
        for line in follower.lines(over.is_set):
            if line.run == run_id:
                show(text_of(line))

    thread = Thread(target=look_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def text_of(line: Line) -> Text:
    """A line, for people."""
    windows = "" if line.first_window is None else f" {line.first_window}"
    if line.last_window != line.first_window:
        windows += f"…{line.last_window}"
    head = f"{line.time:%Y-%m-%d %H:%M:%S} {line.level:<7} {(line.run or '')[:8]}{windows}  "
    return Text.assemble((plain(head), "dim"), (plain(line.message), _COLOURS.get(line.level, "")))


def _print(line: Line, *, as_json: bool) -> None:
    if as_json:
        typer.echo(line.model_dump_json(exclude_none=True))
    else:
        console.print(text_of(line), soft_wrap=True)
