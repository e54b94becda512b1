"""Which rows of a window rules match by their text: found in the temporary tables of `sql/rule_tables.sql`.

Attackers repeat themselves, so patterns see each distinct text once, here, not in the database; rows come by joining.
Of rules that count rows only the texts are found here; their rows are for `counting`, what rules say for `findings`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from tempfile import SpooledTemporaryFile

import msgspec
from sqlalchemy import Connection, Insert, Select, and_, func, or_, select, text

from rustbucket_pipeline.analysis.hit_tables import rule_found, rule_hits
from rustbucket_pipeline.analysis.matching import Matcher, matcher_of
from rustbucket_pipeline.analysis.rule_rows import ANYWHERE, ROW, told, within
from rustbucket_pipeline.analysis.rules import FieldName, Rule
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.postgres import copy_rows, load_sql
from rustbucket_pipeline.storage.streaming import streamed
from rustbucket_pipeline.storage.tables import log_events

PACKAGE = "rustbucket_pipeline.analysis"

_IN_MEMORY = 32 << 20
"""Bytes of matched texts; what is more waits on disk."""

_COLUMNS = [column.name for column in rule_found.columns]

Spool = SpooledTemporaryFile[bytes]


def gather_hits(connection: Connection, rules: Sequence[Rule], window: Window) -> None:
    """Fill `rule_found` and `rule_hits` for this transaction. A rule is known by its place in `rules`."""
    connection.execute(load_sql(PACKAGE, "rule_tables"))
    numbers = count(1)
    for name, here in _rules_by_text(rules).items():
        texts = _texts(name, [rules[place] for place in here], window)
        matcher = matcher_of(tuple(rules[place] for place in here))
        with SpooledTemporaryFile(_IN_MEMORY) as spool:
            _spool(connection, texts, matcher, numbers, spool)
            found = copy_rows(connection, "rule_found", _COLUMNS, _found(name, rules, here, spool))
        if found:
            connection.execute(text("ANALYZE rule_found"))
            connection.execute(_insert_hits(name, [place for place in here if not rules[place].counts], window))
    anywhere = [place for place, rule in enumerate(rules) if rule.match.field is FieldName.ANY]
    connection.execute(text("ANALYZE rule_hits"))
    if anywhere:
        connection.execute(load_sql(PACKAGE, "rule_hits_once"), {"anywhere": anywhere})


def _rules_by_text(rules: Sequence[Rule]) -> Mapping[FieldName, list[int]]:
    """Which rules have patterns for each text."""
    found: dict[FieldName, list[int]] = {}
    for place, rule in enumerate(rules):
        if rule.match.wanted:
            for name in ANYWHERE if rule.match.field is FieldName.ANY else {rule.match.field}:
                found.setdefault(name, []).append(place)
    return dict(sorted(found.items()))


def _spool(
    connection: Connection, texts: Select[tuple[str]], matcher: Matcher, numbers: Iterator[int], spool: Spool
) -> None:
    """Write down which texts match, before any row is sent: the connection does one thing at a time."""
    with streamed(connection, texts) as rows:
        for (line,) in rows:
            matched = matcher.matching(line)
            if matched:
                spool.write(msgspec.json.encode((next(numbers), line, matched)) + b"\n")
    spool.seek(0)


def _found(name: FieldName, rules: Sequence[Rule], here: Sequence[int], spool: Spool) -> Iterator[tuple[object, ...]]:
    """Rows for `rule_found`: each text that a rule matches, with what that rule asks of a row besides."""
    for kept in spool:
        number, line, matched = msgspec.json.decode(kept, type=tuple[int, str, list[int]])
        for place in (here[at] for at in matched):
            match = rules[place].match
            yield name, number, line, place, list(match.event_types), list(match.protocols), match.counted


def _texts(name: FieldName, rules: Sequence[Rule], window: Window) -> Select[tuple[str]]:
    """Each distinct text of the rules' types once."""
    kinds = sorted({kind for rule in rules for kind in rule.match.event_types})
    line = told(name)
    return select(line).where(within(window), ROW.event_type.in_(kinds), line.is_not(None)).distinct()


def _insert_hits(name: FieldName, places: Sequence[int], window: Window) -> Insert:
    """The rows whose text one of these rules matches, as far as they are of its types and protocols."""
    found = rule_found.c
    suits = and_(
        ROW.event_type == func.any(found.event_types),
        or_(ROW.counted, ~found.counted),
        or_(func.cardinality(found.protocols) == 0, ROW.protocol == func.any(found.protocols)),
    )
    rows = (
        select(found.rule, found.text_id, ROW.event_id, ROW.event_ts, ROW.rustbucket_id, ROW.src_ip)
        .select_from(log_events.join(rule_found, found.told == told(name)))
        .where(found.field == name.value, found.rule.in_(places), within(window), suits)
    )
    return rule_hits.insert().from_select([column.name for column in rule_hits.columns], rows)
