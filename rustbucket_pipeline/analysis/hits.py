"""Which rows of a window each rule matches: gathered in the temporary table `rule_hits`, one row per rule and event.

Attackers repeat themselves, so patterns see each distinct text once, here, not in the database; rows come by joining.
Whether a rule's rows are enough to speak is for `findings`.
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    String,
    and_,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy import case as choice
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import ARRAY

from rustbucket_pipeline.analysis.hit_tables import rule_found, rule_hits, rule_texts
from rustbucket_pipeline.analysis.matching import LONGEST_MATCHED, matcher_of
from rustbucket_pipeline.analysis.rules import FieldName, Per, Rule
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import copy_rows, load_sql
from rustbucket_pipeline.storage.tables import log_events

PACKAGE = "rustbucket_pipeline.analysis"

_AT_ONCE = 10_000
_E = log_events.c
_OWN_KEYS = ["request", "session", "rcpt_to", "uuid", "sensor", "message"]
"""Keys of `fields` that other texts hold, or that differ from row to row and say nothing."""

_Text = ColumnElement[Any]

_TEXTS: Mapping[str, _Text] = {
    FieldName.COMMAND: _E.command,
    FieldName.PATH: _E.http_path,
    FieldName.REQUEST: func.coalesce(_E.fields["request"].astext, _E.http_path),
    FieldName.USERNAME: _E.username,
    FieldName.PASSWORD: _E.password,
    FieldName.CREDENTIAL: _E.username.concat(":").concat(_E.password),
    FieldName.RECIPIENT: _E.fields["rcpt_to"].astext,
    FieldName.MESSAGE: _E.message,
    FieldName.ANY: as_type(_E.fields.op("-")(as_type(_OWN_KEYS, ARRAY(String))), String),
}
"""Where each text stands in a row; for `any`, what no other text holds."""

_ANYWHERE = frozenset(FieldName) - {FieldName.CREDENTIAL}
"""The texts that a rule for `any` looks at."""


def gather_hits(connection: Connection, rules: Sequence[Rule], window: Window) -> list[int]:
    """Fill `rule_hits` for this transaction; which rules have rows there. A rule is known by its place in `rules`."""
    connection.execute(load_sql(PACKAGE, "rule_tables"))
    for name, here in _rules_by_text(rules).items():
        _gather_texts(connection, name, [rules[place] for place in here], window)
        if _match_texts(connection, name, rules, here):
            connection.execute(load_sql(PACKAGE, "rule_found"))
            connection.execute(_insert_hits(name, window))
    for place, rule in enumerate(rules):
        if not rule.match.wanted:
            connection.execute(_insert_all(place, rule, window))
    anywhere = [place for place, rule in enumerate(rules) if rule.match.field is FieldName.ANY]
    connection.execute(load_sql(PACKAGE, "rule_hits_indexed"))
    if anywhere:
        connection.execute(load_sql(PACKAGE, "rule_hits_once"), {"anywhere": anywhere})
    return list(connection.scalars(select(rule_hits.c.rule).distinct().order_by(rule_hits.c.rule)))


def _rules_by_text(rules: Sequence[Rule]) -> dict[str, list[int]]:
    """Which rules have patterns for each text."""
    found: dict[str, list[int]] = {}
    for place, rule in enumerate(rules):
        if rule.match.wanted:
            for name in _ANYWHERE if rule.match.field is FieldName.ANY else {rule.match.field}:
                found.setdefault(name, []).append(place)
    return dict(sorted(found.items()))


def _gather_texts(connection: Connection, name: str, rules: Sequence[Rule], window: Window) -> None:
    """Each distinct text once; those gathered before are forgotten."""
    kinds = {kind for rule in rules for kind in rule.match.event_types}
    told = _told(name)
    distinct = select(told).where(_within(window), _E.event_type.in_(sorted(kinds)), told.is_not(None)).distinct()
    connection.execute(text("TRUNCATE rule_texts, rule_matches, rule_terms"))
    connection.execute(rule_texts.insert().from_select(["told"], distinct))


def _match_texts(connection: Connection, name: str, rules: Sequence[Rule], here: Sequence[int]) -> bool:
    """Note which rules match which text, and what they ask of a row besides; whether any does."""
    matcher = matcher_of(tuple(rules[place] for place in here))
    texts, matched = array("q"), array("h")
    query = select(rule_texts.c.id, rule_texts.c.told).execution_options(yield_per=_AT_ONCE)
    with connection.execute(query) as rows:
        for identifier, told in rows:
            for place in matcher.matching(told):
                texts.append(identifier)
                matched.append(here[place])
    copy_rows(connection, "rule_matches", ["text_id", "rule"], zip(texts, matched, strict=True))
    terms = [(place, *_terms(rules[place])) for place in here]
    copy_rows(connection, "rule_terms", ["rule", "event_types", "protocols", "counted", "per"], terms)
    return bool(matched)


def _terms(rule: Rule) -> tuple[list[str], list[str], bool, str]:
    return list(rule.match.event_types), list(rule.match.protocols), rule.match.counted, rule.per.value


def _insert_hits(name: str, window: Window) -> Insert:
    """The rows whose text matched, as far as they are of the rule's types and protocols."""
    found, told = rule_found.c, _told(name)
    suits = and_(
        _E.event_type == func.any(found.event_types),
        or_(_E.counted, ~found.counted),
        or_(func.cardinality(found.protocols) == 0, _E.protocol == func.any(found.protocols)),
    )
    rows = _hits(found.rule, _gathered(found.per), told).select_from(log_events.join(rule_found, found.told == told))
    return _into_hits(rows.where(_within(window), suits))


def _insert_all(place: int, rule: Rule, window: Window) -> Insert:
    """The rows of a rule without patterns."""
    told, match = _told(rule.match.field), rule.match
    rows = _hits(literal_column(str(place)), _gathered(literal(rule.per.value)), told).where(
        _within(window), _E.event_type.in_(match.event_types), told.is_not(None)
    )
    if match.counted:
        rows = rows.where(_E.counted)
    if match.protocols:
        rows = rows.where(_E.protocol.in_(match.protocols))
    return _into_hits(rows)


def _hits(rule: _Text, gathered: _Text, told: _Text) -> Select[Any]:
    return select(rule, _E.event_id, _E.event_ts, _E.rustbucket_id, _E.src_ip, gathered, told)


def _into_hits(rows: Select[Any]) -> Insert:
    return rule_hits.insert().from_select([column.name for column in rule_hits.columns], rows)


def _gathered(per: _Text) -> _Text:
    """What a row is counted by; NULL: it isn't."""
    source = func.coalesce(_E.src_ip, _E.rustbucket_id)
    return choice(
        (per == Per.SOURCE, source),
        (per == Per.RUSTBUCKET, _E.rustbucket_id),
        (per == Per.CREDENTIAL, _E.username.concat(" ").concat(_E.password)),
        (per == Per.PASSWORD, source.concat(" ").concat(_E.password)),
        else_=literal(""),
    )


def _told(name: str) -> _Text:
    return func.left(_TEXTS[name], LONGEST_MATCHED)


def _within(window: Window) -> ColumnElement[bool]:
    return and_(_E.event_ts >= window.start, _E.event_ts < window.end)
