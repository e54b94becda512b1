"""Facts with a text of the tester's in every field that holds text: found by the types, so none is forgotten."""

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from itertools import count, cycle

from rustbucket_pipeline.upkeep.dashboard.facts import Facts, FleetFacts, HourFacts, ProtocolFacts, RustbucketFact
from rustbucket_pipeline.upkeep.dashboard.fleet import BINS
from rustbucket_pipeline.upkeep.statistics import SHOWN_DAYS, Measured
from rustbucket_pipeline.upkeep.statistics_figures import FIGURES

NOW = datetime(2026, 3, 20, 12, 20, tzinfo=UTC)

HOSTILE = (
    "<script>boom()</script>",
    '"><img src=x onerror=boom()>',
    "'-boom()-'",
    "</script><script>boom()</script>",
    "</style><style>@import url(http://198.51.100.7/x.css);</style>",
    "</title></head><body onload=boom()>",
    "<svg/onload=boom()>",
    "<iframe srcdoc='<script>parent.boom()</script>'></iframe>",
    "<meta http-equiv=refresh content='0;url=http://198.51.100.7/'>",
    "<base href='http://198.51.100.7/'>",
    "<a href='javascript:boom()' autofocus onfocus=boom()>x</a>",
    "<link rel=prefetch href='http://198.51.100.7/p'>",
    "<details open ontoggle=boom()>",
    "{{ ''.__class__.__mro__ }}{% for x in y %}",
    "{# comment #}{{ boom() }}",
    "${boom()} `boom()` <%= boom() %>",
    "--><!--<script>boom()</script>",
    "]]><script>boom()</script>",
    "&lt;script&gt;boom()&#60;/script&#62;",
    "\x00\x07\x1b]8;;http://198.51.100.7\x07click\x1b]8;;\x07\x1b[2J",
    "\u202egpj.exe\u2066\u200b\u2028\u2029\ufeff",
    "\ud800\udfff lone",
    "Z\u0351\u036b\u0343\u036a\u0302" * 60,
    "A" * 100_000,
    '=HYPERLINK("http://198.51.100.7")',
    "x' onmouseover='boom()' y='",
    'x" autofocus onfocus="boom()" y="',
    "\r\n\t<plaintext>",
)
"""What attackers write, to be put everywhere."""

HARMLESS = tuple(f"word{number}" for number in range(len(HOSTILE)))

_OURS = {
    (HourFacts, "states"): {"BKT1": "RrsqME.w" * 9, "BKT2": " " * 40 + "q" * 30 + ".."},
    (HourFacts, "hours"): 72,
    (Facts, "figures"): {
        one.name: Measured(one, 3.0, 2.0, (None, *(float(day) for day in range(SHOWN_DAYS - 1)))) for one in FIGURES
    },
    (RustbucketFact, "bins"): tuple(range(BINS)),
    (Facts, "at"): NOW,
}
"""Fields whose values are our own words, whatever attackers do."""


def filled(texts: Sequence[str], *, each: int = 2) -> Facts:
    """Facts with these texts in turn; lists have so many entries, and what may be absent is there."""
    found = _value(Facts, cycle(texts), count(), each)
    assert isinstance(found, Facts)
    starts = tuple(NOW.replace(hour=8, minute=0) - timedelta(hours=4 * ago) for ago in range(84))[::-1]
    series = {name: (None, *range(83)) for name in found.protocols.series}
    return replace(found, protocols=ProtocolFacts(starts, series))


def large(rustbuckets: int) -> Facts:
    """Facts of a fleet of that size, every tenth of it with gaps."""
    facts = filled(HARMLESS, each=12)
    states = {
        f"BKT{number}": "M" * 3 + "Rq" * 34 + "." if number % 10 == 0 else "Rq" * 36 for number in range(rustbuckets)
    }
    rows = tuple(
        RustbucketFact(
            f"BKT{number}", f"edge-{number}", "active", "ok", NOW, NOW, tuple(range(BINS)), 3 * (number % 10 == 0)
        )
        for number in range(rustbuckets)
    )
    return replace(facts, fleet=FleetFacts(rows, rustbuckets, replace(facts.fleet.hours, states=states)))


def empty() -> Facts:
    """Facts of an installation in which nothing happened yet."""
    facts = filled(HARMLESS, each=0)
    nothing = {
        name: replace(one, value=0.0, week_ago=None, days=(None,) * SHOWN_DAYS) for name, one in facts.figures.items()
    }
    fleet = FleetFacts((), 0, replace(facts.fleet.hours, states={}))
    costs = replace(
        filled(HARMLESS).costs,
        days=tuple(replace(day, calls=0, usd=0.0) for day in filled(HARMLESS, each=30).costs.days),
    )
    return replace(facts, day=None, fleet=fleet, figures=nothing, costs=costs)


def _value(kind: object, texts: Iterator[str], numbers: Iterator[int], each: int) -> object:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        return _value(next(one for one in inner if one is not type(None)), texts, numbers, each)
    if origin is tuple:
        return tuple(_value(inner[0], texts, numbers, each) for _ in range(each))
    if origin is Mapping:
        return {next(texts): _value(inner[1], texts, numbers, each) for _ in range(each)}
    if isinstance(kind, type) and is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(
            **{
                field.name: _OURS.get((kind, field.name)) or _value(hints[field.name], texts, numbers, each)
                for field in fields(kind)
            }
        )
    return _plain(kind, texts, numbers)


def _plain(kind: object, texts: Iterator[str], numbers: Iterator[int]) -> object:
    if kind is str:
        return next(texts)
    if kind is bool:
        return True
    if kind is int or kind is float:
        return next(numbers) % 90 + 1
    if kind is datetime:
        return NOW - timedelta(hours=4 * (next(numbers) % 30))
    if kind is date:
        return NOW.date()
    if kind is timedelta:
        return timedelta(hours=1)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    raise TypeError(kind)
