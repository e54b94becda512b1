"""Rows that are kept for so many days: which tables, which of their rows are old enough, and what is kept all the same.

A row that isn't surely old enough stays: unknown is kept. Nothing of a rustbucket that is held goes, nor a report that
names one. Days of `log_events` and archived objects aren't rows of this kind: `retention_days`, `retention_raw`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text

from rustbucket_pipeline.retention_settings import RetentionSettings

PAGE = 20_000
"""Rows deleted in a transaction."""

_HELD = "(SELECT rustbucket_id FROM holds WHERE released_at IS NULL)"
_OWN = f"row_.rustbucket_id NOT IN {_HELD}"
_NO_LOGIN = """
row_.logins = 0 AND row_.commands = 0 AND NOT EXISTS (
    SELECT FROM session_parts AS other
    WHERE other.rustbucket_id = row_.rustbucket_id
        AND other.connection_key = row_.connection_key
        AND other.hour BETWEEN row_.hour - interval '6 hours' AND row_.hour + interval '6 hours'
        AND (other.logins > 0 OR other.commands > 0)
)
"""
_NAMES_NOBODY_HELD = f"""
NOT EXISTS (
    SELECT FROM findings AS found
    WHERE found.window_start = row_.window_start AND found.rustbuckets && ARRAY{_HELD}
)
"""
_NOT_NEWEST = """
EXISTS (
    SELECT FROM rustbucket_status AS later
    WHERE later.rustbucket_id = row_.rustbucket_id AND later.observed_at > row_.observed_at
)
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of a table whose time (`at`) is longer ago than a setting (`keep`, in days) allows, and that fit `only`."""

    what: str
    table: str
    at: str
    keep: str
    only: str = "true"

    def before(self, settings: RetentionSettings, now: datetime) -> datetime:
        """Until when rows are old enough (UTC)."""
        return now - timedelta(days=int(getattr(settings, self.keep)))

    @property
    def condition(self) -> str:
        """Which rows go, as SQL."""
        return f"row_.{self.at} < :before AND ({self.only})"


RULES = (
    Rule("sessions", "session_parts", "hour", "sessions_keep_days", _OWN),
    Rule("sessions without a login", "session_parts", "hour", "idle_sessions_keep_days", f"{_OWN} AND {_NO_LOGIN}"),
    Rule(
        "quarantine",
        "quarantine",
        "event_ts",
        "quarantine_keep_days",
        f"NOT EXISTS (SELECT FROM segments WHERE segments.id = row_.segment_id AND segments.rustbucket_id IN {_HELD})",
    ),
    Rule("unknown messages", "unknown_templates", "hour", "events_keep_days", _OWN),
    Rule("status of rustbuckets", "rustbucket_status", "observed_at", "status_keep_days", f"{_OWN} AND {_NOT_NEWEST}"),
    Rule("digests", "window_digests", "window_start", "digests_keep_days", _NAMES_NOBODY_HELD),
    Rule("behaviours", "clusters", "window_start", "digests_keep_days", _NAMES_NOBODY_HELD),
    Rule("reports", "log_analyses", "window_start", "digests_keep_days", _NAMES_NOBODY_HELD),
    Rule("findings", "findings", "window_start", "digests_keep_days", _NAMES_NOBODY_HELD),
    Rule("requests to Claude", "claude_calls", "asked_at", "digests_keep_days"),
    Rule("indicators", "indicators", "window_start", "indicators_keep_days", _NAMES_NOBODY_HELD),
    Rule("sightings", "sightings", "window_start", "sightings_keep_days"),
    Rule("windows with sightings", "sighted_windows", "window_start", "sightings_keep_days"),
    Rule("counts of windows", "window_counts", "window_start", "sightings_keep_days"),
    Rule("statistics", "figures", "taken_at", "digests_keep_days"),
    Rule("closed alerts", "alerts", "closed_at", "alerts_keep_days"),
    Rule("messages about alerts", "alert_messages", "sent_at", "alerts_keep_days"),
)
"""In this order: findings are looked at for as long as what they keep."""

_NO_REPORT = """
NOT EXISTS (
    SELECT FROM log_analyses AS report
    WHERE report.window_start = row_.window_start AND report.revision = row_.revision
)
"""
_NO_DIGEST = "NOT EXISTS (SELECT FROM window_digests AS digest WHERE digest.window_start = row_.window_start)"
_NO_BUILD = """
NOT EXISTS (
    SELECT FROM window_builds AS build WHERE build.asset = 'parsed_logs' AND build.window_start = row_.hour
)
"""
_CLOSED = """
EXISTS (
    SELECT FROM closed_days
    WHERE closed_days.day = cast(timezone('UTC', row_.window_start) AS date)
        AND closed_days.state IN ('frozen', 'expired')
)
"""

ORPHANS = (
    ("requests for windows of closed days", "window_requests", _CLOSED),
    ("failed checks of closed days", "failed_checks", _CLOSED),
    ("marks of closed days", "window_marks", _CLOSED),
    ("findings without a report", "findings", _NO_REPORT),
    ("behaviours without a digest", "clusters", _NO_DIGEST),
    ("sums of hours that were never built", "hour_counts", _NO_BUILD),
)
"""Rows whose other half is gone: what they are, their table, and which they are, as SQL."""


@dataclass(frozen=True, slots=True)
class Old:
    """Rows that may go: how many, the oldest's time, and until when they were kept. `why` is for people."""

    what: str
    table: str
    condition: str
    rows: int
    why: str
    before: datetime | None = None


def old_rows(connection: Connection, settings: RetentionSettings, now: datetime) -> Iterator[Old]:
    """The rows that are old enough, by rule."""
    for rule in RULES:
        before = rule.before(settings, now)
        query = f"SELECT count(*) AS rows, min({rule.at}) AS oldest FROM {rule.table} AS row_ WHERE {rule.condition}"  # noqa: S608
        found = connection.execute(text(query), {"before": before}).one()
        if found.rows:
            days = getattr(settings, rule.keep)
            why = f"older than {days} days, since {found.oldest:%Y-%m-%d}"
            yield Old(rule.what, rule.table, rule.condition, found.rows, why, before)


def orphaned_rows(connection: Connection) -> Iterator[Old]:
    """Rows whose other half is gone."""
    for what, table, condition in ORPHANS:
        rows = connection.execute(text(f"SELECT count(*) FROM {table} AS row_ WHERE {condition}")).scalar_one()  # noqa: S608
        if rows:
            yield Old(what, table, condition, rows, "what they belong to is gone")


def delete_rows(engine: Engine, old: Old, say: Callable[[str], None]) -> int:
    """Delete them, a page at a time; how many went. What became young or held meanwhile stays."""
    statement = text(
        f"DELETE FROM {old.table} WHERE ctid = ANY (ARRAY("  # noqa: S608 (names of ours)
        f"SELECT ctid FROM {old.table} AS row_ WHERE {old.condition} LIMIT {PAGE}))"
    )
    gone = 0
    while True:
        with engine.begin() as connection:
            page = connection.execute(statement, {"before": old.before} if old.before else {}).rowcount
        gone += page
        if page < PAGE:
            say(f"{old.what}: {gone:,} rows deleted")
            return gone
