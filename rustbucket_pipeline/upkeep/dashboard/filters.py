"""Values as the page writes them: moments, spans, counts, lines of a chart. Pure; the template names them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import HOUR, KEY_FORMAT
from rustbucket_pipeline.upkeep.amounts import changed, counted, lasting, priced
from rustbucket_pipeline.upkeep.dagster_seen import RunSeen
from rustbucket_pipeline.upkeep.dashboard.charts import spark
from rustbucket_pipeline.upkeep.dashboard.facts import RustbucketFact
from rustbucket_pipeline.upkeep.dashboard.fleet import ALIVE
from rustbucket_pipeline.upkeep.dashboard.view import State


def filters() -> Mapping[str, Callable[..., object]]:
    """Each filter by its name in the templates."""
    return {
        "ago": ago,
        "changed": changed,
        "count": counted,
        "cut": bounded,
        "key": key,
        "median_seconds": median_seconds,
        "minute": minute,
        "plural": plural,
        "plus": plus,
        "scaled": scaled,
        "sparkline": sparkline,
        "state": state,
        "total": total,
        "usd": priced,
    }


def ago(moment: datetime, now: datetime) -> str:
    """`3 min ago`."""
    return f"{lasting(now - moment)} ago" if now - moment >= timedelta(minutes=1) else "just now"


def key(moment: datetime) -> str:
    """A window's key."""
    return f"{moment:{KEY_FORMAT}}"


def minute(moment: datetime) -> str:
    """`2026-03-02 04:05`."""
    return f"{moment:%Y-%m-%d %H:%M}"


def plus(since: datetime, hours: int) -> str:
    """So many hours after that: `Mon 04:00`."""
    return f"{since + hours * HOUR:%a %H:%M}"


def plural(count: int, noun: str) -> str:
    """`1 session`, `2 sessions`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def total(counts: Iterable[int | None]) -> int:
    """The sum of those that are known."""
    return sum(count or 0 for count in counts)


def sparkline(values: Sequence[float | None]) -> tuple[str, ...]:
    """The points of a small line."""
    return spark(values, 116, 20)


def scaled(value: float, unit: str) -> str:
    """A value on an axis: `2,000` as `2k`."""
    if unit == "usd":
        return priced(value)
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def median_seconds(runs: Sequence[RunSeen]) -> str:
    """How long runs take, half of them at most: `2.4 s`, `3 min`."""
    known = [run.seconds for run in runs if run.seconds is not None]
    if not known:
        return "–"
    seconds = median(known)
    return f"{seconds:.1f} s" if seconds < 100 else lasting(timedelta(seconds=seconds))


def state(one: RustbucketFact) -> State:
    """How it is: approved, observed, alive, and nothing of it missing."""
    if one.status != "active":
        return State("to be approved", fine=False)
    if one.outcome is None:
        return State("never observed", fine=False)
    if one.outcome not in ALIVE:
        return State(one.outcome.replace("_", " "), fine=False)
    return State("alive", fine=True) if not one.missing else State("alive, hours missing", fine=False)
