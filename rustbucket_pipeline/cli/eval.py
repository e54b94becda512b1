"""`rustbucket eval`: how good the analysis is, measured anew by the checkout's `benchmarks/evaluation`."""

import subprocess
import sys

import typer

from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.settings import PROJECT_ROOT

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

MEASURES = PROJECT_ROOT / "benchmarks" / "evaluation"


@app.command()
def evaluate(
    measures: list[str] = typer.Argument(None, metavar="[MEASURE]…", help="Which ones. Default: all without a key."),
    windows: int | None = typer.Option(None, min=1, help="Windows of each kind, each with a fresh seed."),
    events: int | None = typer.Option(None, min=1, help="Events of a window's background."),
    full: bool = typer.Option(False, "--full", help="A window of a million events, too: some minutes more."),
    live: bool = typer.Option(False, "--live", help="Ask the model, too: needs a key and costs some cents."),
) -> None:
    """Print how good the analysis is: rules, recall of seeded campaigns, grounding, injections' twins, cost.

    Measured in a home of its own that is thrown away; some minutes. With `--live`, and a key, also what only the model
    can show, with confidence intervals.

    Examples: `rustbucket eval`, `rustbucket eval grounding twins`, `rustbucket eval live`.
    """
    if not MEASURES.is_dir():
        raise UsageError(f"{MEASURES} isn't there: rustbucket eval needs a checkout of the repository")
    counts = {"--windows": windows, "--events": events}
    told = [f"{name}={count}" for name, count in counts.items() if count is not None]
    flags = [name for name, is_set in (("--full", full), ("--live", live)) if is_set]
    command = [sys.executable, "-m", "benchmarks.evaluation", *(measures or ()), *told, *flags]
    raise typer.Exit(subprocess.run(command, cwd=PROJECT_ROOT, check=False).returncode)
