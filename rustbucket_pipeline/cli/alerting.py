"""`--alert`, for commands that run something: what fails meanwhile is an alert, and people are told at once."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import typer

from rustbucket_pipeline.cli.output import say

AlertOption = typer.Option(
    False, "--alert", help="Tell the targets of alerts at once what is wrong, even with ALERT_ON_FAILURE off."
)


@contextmanager
def alerting(*, wanted: bool) -> Generator[None]:
    """Run what is inside; if wanted, look afterwards what failed, however it ended, and tell every target.

    Raises:
        ConfigurationError: the targets' settings can't be read.
        DatabaseUnavailable: alerts can't be noted.
    """
    began = datetime.now(UTC)
    try:
        yield
    finally:
        if wanted:
            _tell(began)


def _tell(began: datetime) -> None:
    from rustbucket_pipeline.alerts.telling import tell
    from rustbucket_pipeline.cli.opening import opened
    from rustbucket_pipeline.control.failures import look
    from rustbucket_pipeline.control.instance import dagster_instance

    with opened() as (engine, settings), dagster_instance() as instance:
        now = datetime.now(UTC)
        look(engine, instance, began, settings.first_window(now), now)
        outcome = tell(engine, settings, now, forced=True)
    say(f"alerts: {outcome.messages} messages about {outcome.alerts} alerts")
    for why in outcome.failed.values():
        say(f"alerts: not taken: {why}", style="red")
