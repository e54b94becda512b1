"""Which rules speak in a window: a rule and the window's rows → a finding with the ids of its rows. No prose."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row

from rustbucket_pipeline.analysis.contents import LONGEST_TEXT
from rustbucket_pipeline.analysis.hits import PACKAGE, gather_hits
from rustbucket_pipeline.analysis.news import shares_of_news
from rustbucket_pipeline.analysis.rules import Rule, load_rules
from rustbucket_pipeline.analysis.severity import Severity
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import load_sql

EVIDENCE = 20
"""Event ids kept per finding; `events` says how many there are."""

EXAMPLES = 3
"""Attackers' texts shown with a finding."""


class Finding(BaseModel):
    """What one rule found in one window: `F…`, its rows, and why it matters.

    `rows` are event ids (the first ones), `examples` texts as attackers wrote them; all else is ours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    rule: str
    title: str
    severity: Severity
    technique: str | None
    why: str
    advice: str
    events: int
    sources: int
    rustbuckets: tuple[str, ...]
    first: datetime
    last: datetime
    rows: tuple[str, ...]
    examples: tuple[str, ...]


def find(connection: Connection, window: Window) -> tuple[Finding, ...]:
    """The window's findings, worst first, among equals the newest first; at most one per rule."""
    rules = load_rules()
    hit = gather_hits(connection, rules, window)
    found = [(rules[place], _row(connection, place, rules[place])) for place in hit]
    spoken = [(rule, row) for rule, row in found if row.events]
    news = shares_of_news(connection, window, [row.event_ids for _, row in spoken])
    order = sorted(range(len(spoken)), key=lambda at: (-spoken[at][0].severity.rank, -news[at], at))
    return tuple(_finding(f"F{number}", *spoken[at]) for number, at in enumerate(order, start=1))


def evaluate(connection: Connection, rule: Rule, window: Window) -> Row[Any]:
    """What the rule matches in the window, in one row; `events` is 0 where it doesn't speak."""
    gather_hits(connection, [rule], window)
    return _row(connection, 0, rule)


def _row(connection: Connection, place: int, rule: Rule) -> Row[Any]:
    return connection.execute(
        load_sql(PACKAGE, "rule"),
        {
            "rule": place,
            "least_events": rule.at_least.events,
            "least_texts": rule.at_least.texts,
            "least_rustbuckets": rule.at_least.rustbuckets,
            "evidence": EVIDENCE,
            "examples": EXAMPLES if rule.match.wanted else 0,
            "longest": LONGEST_TEXT,
        },
    ).one()


def _finding(identifier: str, rule: Rule, row: Row[Any]) -> Finding:
    numbers = {name: getattr(row, name) for name in ("events", "sources", "groups", "largest")}
    return Finding(
        id=identifier,
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        technique=rule.technique,
        why=rule.why.format(rustbuckets=len(row.rustbuckets), **numbers).strip(),
        advice=rule.advice.strip(),
        events=row.events,
        sources=row.sources,
        rustbuckets=tuple(sorted(row.rustbuckets)),
        first=row.first,
        last=row.last,
        rows=tuple(row.event_ids),
        examples=tuple(row.examples),
    )
