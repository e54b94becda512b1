"""What the template needs beside the facts: the tiles' words, and where the charts' pieces lie. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import FOUR_HOURS
from rustbucket_pipeline.upkeep.amounts import counted, lasting
from rustbucket_pipeline.upkeep.dashboard.charts import (
    Columns,
    Run,
    Together,
    columns,
    days_of,
    midnights,
    runs,
    together,
)
from rustbucket_pipeline.upkeep.dashboard.facts import Facts, FleetFacts, WindowFact
from rustbucket_pipeline.upkeep.dashboard.fleet import GAPS
from rustbucket_pipeline.upkeep.statistics import Measured

SEVERITIES = ("critical", "high", "medium", "low", "info")
ALERT_SEVERITIES = ("critical", "error", "warning", "info")
SEVERE = ("critical", "high")
HOUR_WORDS = {
    "R": "received",
    "r": "received, no rows yet",
    "s": "received, rows to be built again",
    "q": "quiet, proved by later records",
    ".": "may still come",
    "M": "missing",
    "E": "expired at the source",
    "w": "waived",
}

MOST_ROWS = 40
"""Rustbuckets on the map of hours; those with gaps come first."""

REPORT_DUE = timedelta(hours=8)
"""A window's report is there that long after its end, or something holds it up."""

_DAYS, _CELL, _DAY_WIDTH = 7, 24, 154
_ROW_HEIGHT, _ROWS_FROM = 18, 46
_LABEL = 27


@dataclass(frozen=True, slots=True)
class Cell:
    """A window of the week's strip."""

    x: int
    colour: str
    title: str
    letter: str = ""


@dataclass(frozen=True, slots=True)
class WeekDay:
    """A day of that strip."""

    x: int
    date: date
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A rustbucket's hours."""

    label: str
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Heat:
    """The map of hours; `hidden` rustbuckets aren't on it, and `hidden_gaps`: some of them have gaps."""

    since: datetime
    rows: tuple[HeatRow, ...]
    together: tuple[Together, ...]
    days: tuple[tuple[int, datetime], ...]
    height: int
    hidden: int
    hidden_gaps: bool
    words: str


@dataclass(frozen=True, slots=True)
class State:
    """How a rustbucket is, in words; `fine` only if it is known to be."""

    words: str
    fine: bool


@dataclass(frozen=True, slots=True)
class View:
    """All of it."""

    title: str
    alerts_colour: str
    alerts_words: str
    alert_kinds: tuple[str, ...]
    newest: WindowFact | None
    newest_words: str
    newest_is_late: bool
    known_share: str
    known_words: str
    missing_day: bool
    week: tuple[WeekDay, ...]
    protocols: Columns
    protocol_names: tuple[str, ...]
    protocol_days: tuple[tuple[float, datetime], ...]
    sessions: Columns
    session_starts: tuple[datetime, ...]
    heat: Heat
    figures: tuple[tuple[Measured, ...], ...]
    costs: Columns


def view_of(facts: Facts) -> View:
    """The facts, measured out."""
    newest = facts.windows[0] if facts.windows else None
    worst = next((one for one in ALERT_SEVERITIES if facts.alerts.by_severity.get(one)), None)
    late = newest is not None and facts.at - (newest.window_start + FOUR_HOURS) > REPORT_DUE
    expected, missing = (facts.figures[name].value for name in ("hours_expected", "hours_missing"))
    names = tuple(facts.protocols.series)
    protocols = columns([facts.protocols.series[name] for name in names], 1060, 176)
    figures = list(facts.figures.values())
    starts = facts.protocols.starts[-_DAYS * 6 :]
    counts = {window.window_start: window.sessions for window in facts.windows}
    half = (len(figures) + 1) // 2
    return View(
        title=f"{counted(facts.alerts.total)} alerts, {newest.severity if newest else 'no report yet'}",
        alerts_colour=worst or "ok",
        alerts_words=_alerts_words(facts),
        alert_kinds=tuple(sorted({alert.kind for alert in facts.alerts.shown})),
        newest=newest,
        newest_words=_newest_words(newest, facts.at, late=late),
        newest_is_late=late,
        known_share=f"{_floored((expected - missing) / expected)}%" if expected else "–",
        known_words=_known_words(expected, missing),
        missing_day=missing > 0,
        week=_week(facts.windows, facts.at),
        protocols=protocols,
        protocol_names=names,
        protocol_days=tuple(day for at, day in enumerate(days_of(facts.protocols.starts, protocols.step)) if at % 2),
        sessions=columns([[counts.get(start) for start in starts]], 1060, 72),
        session_starts=starts,
        heat=_heat(facts.fleet),
        figures=(tuple(figures[:half]), tuple(figures[half:])),
        costs=columns([[day.usd for day in facts.costs.days]], 1060, 96, gap=3, least=facts.costs.budget_usd / 10),
    )


def _alerts_words(facts: Facts) -> str:
    counts = facts.alerts.by_severity
    named = [f"{one}: {counts[one]:,}" for one in ALERT_SEVERITIES if counts.get(one)]
    return ", ".join(named) or "nothing is wrong, as far as is known"


def _newest_words(newest: WindowFact | None, now: datetime, *, late: bool) -> str:
    if newest is None:
        return "no window has been reported yet"
    end = newest.window_start + FOUR_HOURS
    span = f"{newest.window_start:%a %H:%M}–{end:%H:%M}"
    return f"{span}, ended {lasting(now - end)} ago" if late else f"{span}, findings: {newest.findings:,}"


def _known_words(expected: float, missing: float) -> str:
    if not expected:
        return "nothing was due yet"
    return (
        f"missing: {counted(missing)} of {counted(expected)}" if missing else f"all {counted(expected)} that were due"
    )


def _floored(share: float) -> str:
    """A share in per cent that says 100 only if it is all."""
    tenths = int(share * 1000)
    return f"{tenths // 10}" if tenths % 10 == 0 else f"{tenths / 10:.1f}"


def _week(windows: Sequence[WindowFact], now: datetime) -> tuple[WeekDay, ...]:
    reported = {window.window_start: window for window in windows}
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[WeekDay] = []
    for place in range(_DAYS):
        day = midnight - timedelta(days=_DAYS - 1 - place)
        starts = [day + number * FOUR_HOURS for number in range(6)]
        cells = [
            _cell(place * _DAY_WIDTH + number * _CELL, start, reported.get(start))
            for number, start in enumerate(starts)
            if start <= now
        ]
        found.append(WeekDay(place * _DAY_WIDTH, day.date(), tuple(cells)))
    return tuple(found)


def _cell(x: int, start: datetime, window: WindowFact | None) -> Cell:
    span = f"{start:%a %d %H:%M}–{start + FOUR_HOURS:%H:%M}"
    if window is None:
        return Cell(x, "unknown", f"{span}: no report")
    severity = window.severity if window.severity in SEVERITIES else "info"
    letter = severity[0].upper() if severity in SEVERE else ""
    return Cell(x, f"f{severity}", f"{span}: {severity}, findings: {window.findings:,}", letter)


def _heat(fleet: FleetFacts) -> Heat:
    names = {one.id: one.name for one in fleet.rows}
    hours = fleet.hours
    ranked = sorted(hours.states.items(), key=lambda item: (-_gaps(item[1]), item[0]))
    shown, hidden = ranked[:MOST_ROWS], ranked[MOST_ROWS:]
    rows = tuple(HeatRow(bounded(f"{one} {names.get(one, '')}".rstrip(), _LABEL), runs(found)) for one, found in shown)
    missing = sum(_gaps(found) for found in hours.states.values())
    return Heat(
        since=hours.since,
        rows=rows,
        together=together(hours.states, hours.hours, GAPS, "."),
        days=midnights(hours.since, hours.hours),
        height=_ROWS_FROM + _ROW_HEIGHT * len(rows),
        hidden=len(hidden),
        hidden_gaps=any(_gaps(found) for _, found in hidden),
        words=f"Hours of {len(hours.states):,} rustbuckets in three days: {missing:,} missing or expired",
    )


def _gaps(states: str) -> int:
    return sum(states.count(letter) for letter in GAPS)
