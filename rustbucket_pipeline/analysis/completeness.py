"""Which rustbuckets a window can speak for: those whose records reach its end. Silence alone proves nothing."""

from sqlalchemy import Connection

from rustbucket_pipeline.analysis.contents import Completeness, Missing
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import load_sql

_LISTED = 10
"""Rustbuckets named in a line before the rest becomes a number."""


def completeness_of(connection: Connection, window: Window) -> Completeness:
    """The rustbuckets active in the window: who is missing, who was quiet (heard of later), who is silent (unknown)."""
    rows = connection.execute(
        load_sql("rustbucket_pipeline.analysis", "expected"), {"start": window.start, "end": window.end}
    ).all()
    late = [row for row in rows if row.watermark is None or row.watermark < window.end]
    return Completeness(
        expected=len(rows),
        missing=tuple(Missing(rustbucket=row.id, since=row.watermark) for row in late),
        quiet=tuple(row.id for row in rows if not row.events and row not in late),
        silent=tuple(row.id for row in late if not row.events),
    )


def completeness_line(completeness: Completeness, window: Window) -> str:
    """The line every report ends with: `complete: 5 of 6 rustbuckets; missing BKT100006 since 03:00`."""
    if not completeness.expected:
        return "complete: unknown; no rustbucket was active in this window"
    known = completeness.expected - len(completeness.missing)
    line = f"complete: {known} of {completeness.expected} rustbuckets"
    named = [_named(late, window) for late in completeness.missing[:_LISTED]]
    more = len(completeness.missing) - len(named)
    if more:
        named.append(f"{more} more")
    return f"{line}; missing {', '.join(named)}" if named else line


def _named(late: Missing, window: Window) -> str:
    if late.since is None:
        return f"{late.rustbucket} (nothing ever came)"
    form = "%H:%M" if window.start <= late.since < window.end else "%Y-%m-%d %H:%M"
    return f"{late.rustbucket} since {late.since:{form}}"
