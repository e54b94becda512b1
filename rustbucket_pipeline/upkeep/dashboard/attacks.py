"""What attackers did, for the dashboard: reports, protocols over time, what was used most and what is new.

From reports, digests and the counts beside them; rows of events are never read, so it costs the same for any fleet.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection, func, select

from rustbucket_pipeline.model.window import FOUR_HOURS, window_at, windows_between
from rustbucket_pipeline.storage.analysis_tables import window_digests
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.upkeep.dashboard.facts import (
    BehaviourFact,
    DayFacts,
    FindingFact,
    IndicatorFact,
    ProtocolFacts,
    UsedFact,
    WindowFact,
)

PACKAGE = "rustbucket_pipeline.upkeep.dashboard"

REPORTS_SPAN = timedelta(days=7)
PROTOCOLS_SPAN = timedelta(days=14)
DAY = timedelta(days=1)

MOST_WITH_FINDINGS = 6
MOST_FINDINGS = 5
MOST_PROTOCOLS = 5
MOST_USED, MOST_NEW = 8, 4
MOST_BEHAVIOURS = 5
MOST_INDICATORS = 16

KINDS = ("sources", "credentials", "commands", "paths")
OTHER = "other"
UNNAMED = "not stated"

_PREFIX = "protocol "


def windows_reported(connection: Connection, now: datetime) -> tuple[WindowFact, ...]:
    """The reports of the last week, newest first; the newest with their first findings."""
    rows = connection.execute(load_sql(PACKAGE, "windows"), {"since": now - REPORTS_SPAN}).all()
    shown = _findings(connection, [row.window_start for row in rows[:MOST_WITH_FINDINGS]])
    return tuple(
        WindowFact(
            window_start=row.window_start,
            severity=row.severity,
            status=row.status,
            completeness=row.completeness,
            headline=row.headline or "",
            summary=row.summary,
            recommendations=tuple(row.recommendations),
            findings=row.findings,
            events=row.events,
            sessions=row.sessions,
            shown=shown.get(row.window_start, ()),
        )
        for row in rows
    )


def protocols_over_time(connection: Connection, now: datetime) -> ProtocolFacts:
    """Two weeks of windows; the busiest protocols by name, the rest together."""
    newest = window_at(now, FOUR_HOURS)
    starts = tuple(window.start for window in windows_between(newest.end - PROTOCOLS_SPAN, newest.end, FOUR_HOURS))
    rows = connection.execute(load_sql(PACKAGE, "protocols"), {"since": starts[0]})
    counts: dict[datetime, Counter[str]] = {}
    for start, of_window in groupby(rows, key=lambda row: row.window_start):
        counts[start] = _by_protocol({row.what: row.events for row in of_window})
    totals = sum(counts.values(), Counter[str]())
    names = [name for name, _ in totals.most_common() if name != UNNAMED][:MOST_PROTOCOLS]
    rest = [name for name in totals if name not in names]
    series = {name: tuple(counts[at][name] if at in counts else None for at in starts) for name in names}
    if rest:
        series[OTHER if rest != [UNNAMED] else UNNAMED] = tuple(
            sum(counts[at][name] for name in rest) if at in counts else None for at in starts
        )
    return ProtocolFacts(starts, series)


def last_day(connection: Connection) -> DayFacts | None:
    """The 24 hours up to the end of the newest digest; None when there is none."""
    newest = connection.execute(select(func.max(window_digests.c.window_start))).scalar_one()
    if newest is None:
        return None
    until = newest + FOUR_HOURS
    span = {"since": until - DAY, "until": until}
    news = connection.execute(load_sql(PACKAGE, "news"), span).one()
    behaviours = connection.execute(load_sql(PACKAGE, "behaviours"), {**span, "most": MOST_BEHAVIOURS})
    indicators = connection.execute(load_sql(PACKAGE, "indicators"), {**span, "most": MOST_INDICATORS})
    return DayFacts(
        since=until - DAY,
        until=until,
        tops=_tops(connection, span),
        behaviours=tuple(
            BehaviourFact(
                window_start=row.window_start,
                protocol=row.protocol,
                steps=tuple(row.steps),
                severity=row.severity,
                sessions=row.sessions,
                sources=row.sources,
                rustbuckets=row.rustbuckets,
            )
            for row in behaviours
        ),
        behaviours_new=news.behaviours,
        indicators=tuple(IndicatorFact(*row) for row in indicators),
        indicators_new=news.indicators,
    )


def _findings(connection: Connection, windows: Sequence[datetime]) -> dict[datetime, tuple[FindingFact, ...]]:
    rows = connection.execute(load_sql(PACKAGE, "findings"), {"windows": list(windows), "most": MOST_FINDINGS})
    return {
        start: tuple(FindingFact(*row[1:]) for row in of_window)
        for start, of_window in groupby(rows, key=lambda row: row.window_start)
    }


def _by_protocol(counts: Mapping[str, int]) -> Counter[str]:
    named = Counter({what.removeprefix(_PREFIX): count for what, count in counts.items() if what.startswith(_PREFIX)})
    unnamed = counts.get("events", 0) - named.total()
    return named + Counter({UNNAMED: unnamed})


def _tops(connection: Connection, span: Mapping[str, datetime]) -> dict[str, tuple[UsedFact, ...]]:
    rows = connection.execute(load_sql(PACKAGE, "top"), {**span, "most": MOST_USED, "most_new": MOST_NEW})
    found = {
        kind: tuple(UsedFact(row.value, row.second, int(row.events), *row[4:]) for row in of_kind)
        for kind, of_kind in groupby(rows, key=lambda row: row.kind)
    }
    return {kind: found.get(kind, ()) for kind in KINDS}
