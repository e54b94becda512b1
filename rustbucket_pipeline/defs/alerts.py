"""The sensor that tells people: each tick, every target what it still has to be told. Stages only raise and clear."""

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.alerts.telling import Outcome, tell
from rustbucket_pipeline.defs.resources import Clock
from rustbucket_pipeline.settings import Settings

EVERY_SECONDS = 30


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends alerts to Sentry and to whatever services `RUSTBUCKET_NOTIFY_URLS` names, and makes those that "
    "last worse. `ALERT_ON_FAILURE=0` keeps it silent; `docs/alerts.md` says what is sent.",
)
def alerts(
    database: dg.ResourceParam[Engine], settings: dg.ResourceParam[Settings], clock: dg.ResourceParam[Clock]
) -> dg.SkipReason:
    """Tell every target what is due, and say how that went."""
    return dg.SkipReason(_said(tell(database, settings, clock())))


def _said(outcome: Outcome) -> str:
    failed = "".join(f"; not taken: {why}" for why in outcome.failed.values())
    return f"{outcome.messages} messages about {outcome.alerts} alerts{failed}"
