"""Which rules speak in a window: a rule and the window's rows → a finding with the ids of its rows. No prose."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row, text

from rustbucket_pipeline.analysis.contents import LONGEST_TEXT
from rustbucket_pipeline.analysis.counting import Most, counted
from rustbucket_pipeline.analysis.hits import PACKAGE, gather_hits
from rustbucket_pipeline.analysis.news import shares_of_news
from rustbucket_pipeline.analysis.rules import Rule, load_rules
from rustbucket_pipeline.analysis.severity import Severity
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import load_sql

MOST = Most(evidence=20, examples=3, longest=LONGEST_TEXT)
"""Event ids kept of a finding, attackers' texts shown with it, and their characters."""

_JOIN_WHOLE, _JOIN_AS_EVER = text("SET LOCAL enable_nestloop = off"), text("SET LOCAL enable_nestloop = default")
"""The newest hour is in no statistics yet: a million rows pass for a few, and would be read again for each text."""


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
    cve: tuple[str, ...] = ()
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
    spoken = [(rules[place], row) for place, row in sorted(spoken_by(connection, rules, window).items())]
    news = shares_of_news(connection, window, [row.event_ids for _, row in spoken])
    order = sorted(range(len(spoken)), key=lambda at: (-spoken[at][0].severity.rank, -news[at], at))
    return tuple(_finding(f"F{number}", *spoken[at]) for number, at in enumerate(order, start=1))


def spoken_by(connection: Connection, rules: Sequence[Rule], window: Window) -> dict[int, Row[Any]]:
    """What each rule that speaks found in the window, by its place in `rules`."""
    connection.execute(_JOIN_WHOLE)
    gather_hits(connection, rules, window)
    found = {row.rule: row for row in connection.execute(load_sql(PACKAGE, "rule_facts"), MOST._asdict())}
    for place, rule in enumerate(rules):
        if rule.counts:
            row = connection.execute(counted(place, rule, window, MOST)).one()
            found |= {place: row} if row.events else {}
    connection.execute(_JOIN_AS_EVER)
    return found


def _finding(identifier: str, rule: Rule, row: Row[Any]) -> Finding:
    numbers = {name: getattr(row, name) for name in ("events", "sources", "groups", "largest")}
    return Finding(
        id=identifier,
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        technique=rule.technique,
        cve=rule.cve,
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
