"""Which figures there are: what each counts, in which unit, and whether it is a state or a sum of days.

A new one is an entry here and a column of that name in its query, `sql/statistics_*.sql`; then
`python -m docs.statistics`.
"""

from dataclasses import dataclass
from enum import StrEnum

from rustbucket_pipeline.upkeep.amounts import counted, priced, sized


class Unit(StrEnum):
    """What a figure counts."""

    COUNT = "count"
    BYTES = "bytes"
    USD = "usd"


class Group(StrEnum):
    """What a figure is about; each has its queries."""

    FLEET = "fleet"
    ARCHIVE = "archive"
    EVENTS = "events"
    ANALYSIS = "analysis"
    ALERTS = "alerts"
    COST = "cost"
    DATABASE = "database"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure by its name, the column of its query. `summed`: it is a sum of days, else the state at one moment."""

    name: str
    group: Group
    what: str
    unit: Unit = Unit.COUNT
    summed: bool = False

    def written(self, value: float) -> str:
        """One of its values, for people."""
        return _WRITTEN[self.unit](value)

    def rounded(self, value: float) -> int | float:
        """One of its values, whole where it counts things."""
        return round(value, 4) if self.unit is Unit.USD else round(value)


_WRITTEN = {Unit.COUNT: counted, Unit.BYTES: sized, Unit.USD: priced}

FIGURES = (
    Figure("rustbuckets_active", Group.FLEET, "active rustbuckets"),
    Figure("rustbuckets_alive", Group.FLEET, "of these, alive"),
    Figure("rustbuckets_review", Group.FLEET, "waiting for approval"),
    Figure("hours_expected", Group.FLEET, "hours due of the last day"),
    Figure("hours_missing", Group.FLEET, "of these, missing"),
    Figure("source_bytes", Group.ARCHIVE, "log bytes kept", Unit.BYTES),
    Figure("stored_bytes", Group.ARCHIVE, "compressed", Unit.BYTES),
    Figure("segments", Group.ARCHIVE, "segments"),
    Figure("archived_bytes", Group.ARCHIVE, "new log bytes", Unit.BYTES, summed=True),
    Figure("events", Group.EVENTS, "events", summed=True),
    Figure("events_counted", Group.EVENTS, "of these, counted", summed=True),
    Figure("quarantined", Group.EVENTS, "quarantined records", summed=True),
    Figure("duplicates", Group.EVENTS, "duplicates", summed=True),
    Figure("suspects", Group.EVENTS, "suspected forgeries", summed=True),
    Figure("refused", Group.EVENTS, "refused connections", summed=True),
    Figure("windows_reported", Group.ANALYSIS, "windows reported", summed=True),
    Figure("windows_severe", Group.ANALYSIS, "of these, high or critical", summed=True),
    Figure("findings", Group.ANALYSIS, "findings", summed=True),
    Figure("sessions", Group.ANALYSIS, "sessions", summed=True),
    Figure("behaviours_new", Group.ANALYSIS, "new behaviours", summed=True),
    Figure("indicators_new", Group.ANALYSIS, "new indicators", summed=True),
    Figure("alerts_open", Group.ALERTS, "open alerts"),
    Figure("alerts_open_severe", Group.ALERTS, "of these, error or critical"),
    Figure("alerts_opened", Group.ALERTS, "alerts opened", summed=True),
    Figure("claude_calls", Group.COST, "requests to Claude", summed=True),
    Figure("claude_usd", Group.COST, "their cost", Unit.USD, summed=True),
    Figure("database_bytes", Group.DATABASE, "our database", Unit.BYTES),
    Figure("history_bytes", Group.DATABASE, "Dagster's database", Unit.BYTES),
    Figure("event_rows", Group.DATABASE, "rows of events, about"),
)
