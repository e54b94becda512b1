"""`rustbucket down`: stops the embedded PostgreSQL. The next command starts it again within a second."""

import typer

from rustbucket_pipeline.cli.output import say
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage import embedded

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def down() -> None:
    """Stop the embedded PostgreSQL of this home; nothing is lost, and the next command starts it again.

    Example: `rustbucket down`.
    """
    home = load_settings().home
    say("PostgreSQL is stopped" if embedded.down(home) else f"no PostgreSQL was running in {home}")
