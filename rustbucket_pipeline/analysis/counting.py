"""Rules that count: what they count by (a source, a credential …), which of it has rows enough, and what those tell.

Counting is PostgreSQL's work, done where the rows are: in a window of guessed passwords they are nearly all.
"""

from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    cast,
    distinct,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT

from rustbucket_pipeline.analysis.hit_tables import rule_found
from rustbucket_pipeline.analysis.rule_rows import ROW, group_of, suits, told, within
from rustbucket_pipeline.analysis.rules import AtLeast, Rule
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.tables import log_events


class Most(NamedTuple):
    """How much of what it found a rule shows: event ids, texts, and characters of a text."""

    evidence: int
    examples: int
    longest: int


def counted(place: int, rule: Rule, window: Window, most: Most) -> Select[Any]:
    """What the rule's groups that are big enough tell, in one row as `sql/rule_facts.sql` has them.

    The texts that its patterns match are those that `hits` found.
    """
    examples = most.examples if rule.match.wanted else 0
    groups = _groups(_rows(place, rule, window), _rows(place, rule, window), rule.at_least)
    rows = _kept(place, rule, window, groups)  # kept for three questions: reading them once more takes longer
    parts = (
        select(rows.c.src_ip, rows.c.rustbucket_id, func.count().label("events"))
        .add_columns(func.min(rows.c.event_ts).label("first"), func.max(rows.c.event_ts).label("last"))
        .group_by(rows.c.src_ip, rows.c.rustbucket_id)
        .subquery()
    )
    return select(
        cast(func.coalesce(func.sum(parts.c.events), 0), BigInteger).label("events"),
        func.count(distinct(parts.c.src_ip)).label("sources"),
        func.array_agg(distinct(parts.c.rustbucket_id)).label("rustbuckets"),
        func.min(parts.c.first).label("first"),
        func.max(parts.c.last).label("last"),
        select(func.count()).select_from(groups).scalar_subquery().label("groups"),
        select(func.max(groups.c.size)).scalar_subquery().label("largest"),
        _first(rows, most.evidence).label("event_ids"),
        _commonest(rows, examples, most.longest).label("examples"),
    )


def _rows(place: int, rule: Rule, window: Window) -> Subquery:
    """The rows that the rule looks at, and what each is counted by."""
    who, what = group_of(rule.per)
    line = told(rule.match.field)
    columns = (who.label("who"), what.label("what"), line.label("told"))
    rows = select(*columns, ROW.rustbucket_id, ROW.src_ip, ROW.event_ts, ROW.event_id)
    rows = rows.where(within(window), suits(rule), who.is_not(None), what.is_not(None), line.is_not(None))
    if rule.match.wanted:
        found = rule_found.c
        rows = rows.join_from(log_events, rule_found, and_(found.rule == place, found.told == line))
    return rows.subquery()


def _groups(rows: Subquery, again: Subquery, at_least: AtLeast) -> CTE:
    """Who and what has rows, texts and rustbuckets enough. `again`: the same rows.

    Telling values apart takes long, so hashes of few bits say first who surely has enough: only the others are told
    apart.
    """
    size = func.count().label("size")
    sure = and_(true(), *(_at_least_so_many(rows.c[name]) >= least for name, least in _wanted(at_least).items())).label(
        "sure"
    )
    sized = select(rows.c.who, rows.c.what, size, sure).group_by(rows.c.who, rows.c.what)
    big = sized.having(size >= at_least.events).cte("big")
    apart = select(big.c.who, big.c.what, big.c.size).join_from(again, big, and_(_same(again, big), ~big.c.sure))
    apart = apart.group_by(big.c.who, big.c.what, big.c.size)
    for name, least in _wanted(at_least).items():
        apart = apart.having(func.count(distinct(again.c[name])) >= least)
    return select(big.c.who, big.c.what, big.c.size).where(big.c.sure).union_all(apart).cte("groups")


def _wanted(at_least: AtLeast) -> dict[str, int]:
    """How many different values of which columns a group needs, where one isn't enough."""
    asked = {"told": at_least.texts, "rustbucket_id": at_least.rustbuckets}
    return {name: least for name, least in asked.items() if least > 1}


def _at_least_so_many(column: ColumnElement[str]) -> ColumnElement[int]:
    """A lower bound of how many different values there are, at most 64."""
    bit = literal(1, BigInteger).op("<<")(func.hashtext(column).op("&")(63))
    return func.bit_count(cast(func.bit_or(bit), BIT(64)))


def _same(rows: Subquery, groups: CTE) -> ColumnElement[bool]:
    return and_(groups.c.who == rows.c.who, groups.c.what == rows.c.what)


def _kept(place: int, rule: Rule, window: Window, groups: CTE) -> CTE:
    """The rows of the groups that are big enough."""
    rows = _rows(place, rule, window)
    return select(rows).join_from(rows, groups, _same(rows, groups)).cte("kept")


def _first(rows: CTE, most: int) -> ColumnElement[Any]:
    """Ids of the first rows."""
    return _array(select(rows.c.event_id).order_by(rows.c.event_ts, rows.c.event_id).limit(most))


def _commonest(rows: CTE, most: int, longest: int) -> ColumnElement[Any]:
    """The commonest texts, as far as they are shown."""
    line = func.left(rows.c.told, longest).label("line")
    return _array(select(line).group_by(line).order_by(func.count().desc(), line).limit(most))


def _array(column: Select[Any]) -> ColumnElement[Any]:
    return func.array(column.scalar_subquery(), type_=ARRAY(String))
