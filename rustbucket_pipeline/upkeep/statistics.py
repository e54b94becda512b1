"""How large, how busy, how costly: figures of fleet, archive, events, analysis, alerts, cost and database, and how each
stands against the week before. Which figures there are: `statistics_figures`; how they are drawn: `cli`, `dashboard`.

Sums come from what is counted already (`hour_counts`, digests, reports), so years of data cost no more than two weeks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.model.window import HOUR, window_at
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage import databases
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.statistics_tables import figures as kept_figures
from rustbucket_pipeline.storage.tables import hour_counts
from rustbucket_pipeline.upkeep.amounts import changed
from rustbucket_pipeline.upkeep.statistics_figures import FIGURES, Figure
from rustbucket_pipeline.upkeep.task import Bench, Task, Told

PACKAGE = "rustbucket_pipeline.upkeep"

DAY = timedelta(days=1)
WEEK = 7
SHOWN_DAYS = 2 * WEEK
SETTLED = timedelta(hours=2, minutes=15)
"""Hourly files are there that long after their hour: younger hours would make every week look like a falling one."""

_STATES = ("fleet", "archive", "alerts", "database")
_SUMS = ("days_hours", "days_windows", "days_alerts", "days_cost")


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure now, and a week ago: of a sum, its last 7 days and the 7 before. None: nothing is known of then.

    `days` are the last 14, oldest first: a day's sum, or the state at its end.
    """

    figure: Figure
    value: float
    week_ago: float | None
    days: tuple[float | None, ...]

    @property
    def change(self) -> float | None:
        """By how much it rose since, as a share of what it was (0.1: by a tenth); None where that says nothing."""
        return None if not self.week_ago else self.value / self.week_ago - 1


def measure(connection: Connection, settings: Settings, now: datetime) -> list[Measured]:
    """Every figure as of now (UTC), in the order of `FIGURES`. Sums end at the last hour that is surely complete."""
    until = window_at(now - SETTLED, HOUR).start
    connection.execute(select(func.set_config("rustbucket.now", now.isoformat(), True)))
    span = {"since": until - SHOWN_DAYS * DAY, "until": until}
    day = {"since": until - DAY, "until": until, "history": databases.history_address(settings).database}
    states = _states(connection, day)
    before, sums = _kept(connection, now), _sums(connection, span)
    known = _days_known(connection, until)
    return [
        _summed(figure, sums.get(figure.name, {}), known)
        if figure.summed
        else _state(figure, states[figure.name], before.get(figure.name, {}))
        for figure in FIGURES
    ]


def keep(connection: Connection, measured: Iterable[Measured], now: datetime) -> int:
    """Keep the figures as rows, so that later ones can be held against them; how many. Again at that moment: none."""
    rows = [{"figure": one.figure.name, "taken_at": now, "value": one.value} for one in measured]
    statement = insert(kept_figures).values(rows).on_conflict_do_nothing().returning(kept_figures.c.figure)
    return len(connection.execute(statement).all())


def _states(connection: Connection, asked: Mapping[str, object]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in _STATES:
        row = connection.execute(load_sql(PACKAGE, f"statistics_{name}"), asked).mappings().one()
        found |= {figure: float(value) for figure, value in row.items()}
    return found


def _sums(connection: Connection, span: Mapping[str, object]) -> dict[str, dict[int, float]]:
    """Of each figure that is a sum, its days, by how many days ago they ended."""
    found: dict[str, dict[int, float]] = {}
    for name in _SUMS:
        for row in connection.execute(load_sql(PACKAGE, f"statistics_{name}"), span).mappings():
            for figure, value in row.items():
                if figure != "ago":
                    found.setdefault(figure, {})[row["ago"]] = float(value)
    return found


def _kept(connection: Connection, now: datetime) -> dict[str, dict[int, float]]:
    """Of each figure taken before, the newest of each day, by how many days ago that was."""
    since = {"now": now, "since": now - (SHOWN_DAYS + 1) * DAY}
    found: dict[str, dict[int, float]] = {}
    for row in connection.execute(load_sql(PACKAGE, "statistics_kept"), since):
        found.setdefault(row.figure, {})[row.ago] = row.value
    return found


def _state(figure: Figure, value: float, before: Mapping[int, float]) -> Measured:
    days = (*(before.get(ago) for ago in range(SHOWN_DAYS - 1, 0, -1)), value)
    return Measured(figure, value, before.get(WEEK), days)


def _summed(figure: Figure, by_day: Mapping[int, float], known: int) -> Measured:
    """A day without a row is a day of nothing, but for those before our time."""
    days = [by_day.get(ago, 0.0) if ago < known else None for ago in range(SHOWN_DAYS - 1, -1, -1)]
    earlier = [day for day in days[:WEEK] if day is not None]
    newest = sum(day for day in days[WEEK:] if day is not None)
    return Measured(figure, newest, sum(earlier) if len(earlier) == WEEK else None, tuple(days))


def _days_known(connection: Connection, until: datetime) -> int:
    """Of how many days before then there can be rows, the first of them included as far as it goes."""
    first = connection.execute(select(func.min(hour_counts.c.hour))).scalar_one()
    return 0 if first is None or first >= until else -((first - until) // DAY)


def _run(bench: Bench) -> Told:
    with bench.engine.begin() as connection:
        measured = measure(connection, bench.settings, bench.now)
        kept = keep(connection, measured, bench.now)
    return _told(measured, f"{kept} figures kept")


def _dry_run(bench: Bench) -> Told:
    with bench.engine.connect() as connection:
        measured = measure(connection, bench.settings, bench.now)
    return _told(measured, f"{len(measured)} figures taken, none kept")


def _told(measured: Sequence[Measured], summary: str) -> Told:
    return Told(
        summary=summary,
        figures={one.figure.name: one.figure.rounded(one.value) for one in measured},
        lines=tuple(_line(one) for one in measured if one.change is not None),
    )


def _line(one: Measured) -> str:
    ago = one.figure.written(one.week_ago or 0)
    return f"{one.figure.what}: {one.figure.written(one.value)}, a week ago {ago} ({changed(one.change)})"


STATISTICS = Task(
    name="statistics",
    what="Count fleet, archive, events, findings, cost and databases, hold them against a week ago, and keep them.",
    cron="50 0-18/6 * * *",
    every=timedelta(hours=6),
    run=_run,
    dry_run=_dry_run,
    deps=("fleet_status", "parsed_logs", "log_analysis"),
)
"""The asset `statistics`."""
