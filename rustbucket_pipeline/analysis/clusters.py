"""The window's behaviours, judged by the rules and against the week before: all in a table, some in the digest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, text

from rustbucket_pipeline.analysis.contents import LONGEST_TEXT, Brief, Cluster, Clusters
from rustbucket_pipeline.analysis.gather import PACKAGE, Gathered
from rustbucket_pipeline.analysis.matching import rules_of_lines
from rustbucket_pipeline.analysis.prompt_rows import brief_row, cluster_row, size_of
from rustbucket_pipeline.analysis.rules import FieldName, load_rules
from rustbucket_pipeline.analysis.selecting import Candidate, short_rows, whole_rows, within
from rustbucket_pipeline.analysis.severity import Severity
from rustbucket_pipeline.analysis.sightings import LOOKBACK
from rustbucket_pipeline.analysis.templates import Behaviour
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.analysis_tables import clusters
from rustbucket_pipeline.storage.postgres import copy_rows, load_sql

SHARE_OF_WHOLE_ROWS = 0.4
"""Of the room for clusters; the others are told in a line each, ten times as many in the same room."""

MOST_EXAMPLES = 2
ROOM_FOR_EXAMPLES = 180
"""Bytes reckoned for a row's examples before they are read."""

MOST_STEPS = 8
LONGEST_STEP = 120
LONGEST_BRIEF = 60

_COLUMNS = [column.name for column in clusters.columns]


@dataclass(frozen=True, slots=True)
class Judged:
    """A cluster: its figures, what its sessions did, the rules that match it and the worst of their severities."""

    id: str
    figures: Row[Any]
    behaviour: Behaviour
    rules: tuple[str, ...]
    severity: Severity


def judge_clusters(connection: Connection, window: Window, gathered: Gathered) -> list[Judged]:
    """All of them, the worst first, among equals the new ones, then the busiest; numbered in that order."""
    commands = _matched(gathered.commands, FieldName.COMMAND, "command")
    requests = _matched(gathered.requests, FieldName.PATH, "request")
    severities = {rule.id: rule.severity for rule in load_rules()}
    span = {"start": window.start, "since": window.start - LOOKBACK}
    judged: list[tuple[Row[Any], Behaviour, tuple[str, ...], Severity]] = []
    for row in connection.execute(load_sql(PACKAGE, "judged_clusters"), span):
        behaviour = gathered.behaviours[row.fingerprint]
        rules = {rule for step in behaviour.steps for found in (commands, requests) for rule in found.get(step, ())}
        worst = max((severities[rule] for rule in rules), key=lambda one: one.rank, default=Severity.INFO)
        judged.append((row, behaviour, tuple(sorted(rules)), worst))
    judged.sort(key=lambda one: (-one[3].rank, not one[0].is_new, -one[0].sessions, one[0].fingerprint))
    return [Judged(f"C{number}", *one) for number, one in enumerate(judged, start=1)]


def keep_clusters(connection: Connection, window: Window, judged: Sequence[Judged]) -> None:
    """Replace the window's rows in `clusters`."""
    connection.execute(text("DELETE FROM clusters WHERE window_start = :start"), {"start": window.start})
    rows = (
        (
            window.start,
            one.id,
            row.fingerprint,
            row.protocol,
            list(one.behaviour.steps),
            list(one.rules),
            one.severity.value,
            row.sessions,
            row.events,
            row.sources,
            row.rustbuckets,
            row.first_seen,
            row.last_seen,
            row.is_new,
            row.at_least,
            row.event_ids,
        )
        for one in judged
        for row in (one.figures,)
    )
    copy_rows(connection, "clusters", _COLUMNS, rows)


def shown_clusters(connection: Connection, window: Window, judged: Sequence[Judged], room: int, spare: int) -> Clusters:
    """What the digest shows of them within so many bytes of the prompt; the rest as counts.

    `spare`: bytes that lines may take beyond that; the prompt has the last word on how many of them still fit.
    """
    by_id = {one.id: one for one in judged}
    candidates = [_candidate(window, one) for one in judged]

    def price(one: Candidate) -> int:
        return size_of(cluster_row(_whole(by_id[one.key], ()))) + ROOM_FOR_EXAMPLES

    whole = whole_rows(candidates, price, int(room * SHARE_OF_WHOLE_ROWS))
    examples = _examples(connection, [by_id[one.key].figures.fingerprint for one in whole])
    chosen = {one.key for one in whole}
    rows = [_whole(by_id[one.key], examples.get(by_id[one.key].figures.fingerprint, ())) for one in whole]
    left = room - sum(size_of(cluster_row(row)) for row in rows)
    others = (_brief(by_id[one.key]) for one in short_rows(one for one in candidates if one.key not in chosen))
    brief = tuple(within(others, lambda one: size_of(brief_row(one)), left + spare))
    hidden = by_id.keys() - chosen - {one.id for one in brief}
    return Clusters(
        rows=tuple(sorted(rows, key=lambda row: int(row.id[1:]))),
        brief=brief,
        total=len(judged),
        new=sum(one.figures.is_new for one in judged),
        sessions=sum(one.figures.sessions for one in judged),
        hidden=len(hidden),
        hidden_new=sum(by_id[key].figures.is_new for key in hidden),
        hidden_sessions=sum(by_id[key].figures.sessions for key in hidden),
        sha256=_hash(judged),
    )


def _matched(lines: Mapping[str, str], field: FieldName, event_type: str) -> dict[str, list[str]]:
    """By template: the rules whose patterns match the line it is shown by."""
    return dict(zip(lines, rules_of_lines(lines.values(), field, event_type), strict=True))


def _candidate(window: Window, one: Judged) -> Candidate:
    row = one.figures
    groups = (f"shape {row.shape}", f"network {row.network}") if row.network else (f"shape {row.shape}",)
    draw = sha256(f"{window.key} {row.fingerprint}".encode()).digest()
    return Candidate(one.id, row.is_new, one.severity.rank, row.sessions, groups, draw)


def _whole(one: Judged, examples: Sequence[str]) -> Cluster:
    row, steps = one.figures, one.behaviour.steps
    return Cluster(
        id=one.id,
        fingerprint=row.fingerprint,
        protocol=row.protocol,
        steps=tuple(step[:LONGEST_STEP] for step in steps[:MOST_STEPS]),
        hidden_steps=max(0, len(steps) - MOST_STEPS),
        rules=one.rules,
        severity=one.severity.value,
        sessions=row.sessions,
        events=row.events,
        sources=row.sources,
        rustbuckets=row.rustbuckets,
        first=row.first_seen,
        last=row.last_seen,
        is_new=row.is_new,
        at_least=row.at_least,
        examples=tuple(examples),
        rows=tuple(row.event_ids),
    )


def _brief(one: Judged) -> Brief:
    return Brief(
        id=one.id,
        protocol=one.figures.protocol or "unknown",
        did=" ".join(one.behaviour.verbs)[:LONGEST_BRIEF],
        sessions=one.figures.sessions,
        severity=one.severity.value,
        is_new=one.figures.is_new,
    )


def _examples(connection: Connection, fingerprints: list[str]) -> dict[str, list[str]]:
    rows = connection.execute(load_sql(PACKAGE, "cluster_examples"), {"fingerprints": fingerprints})
    return {
        row.fingerprint: [line[:LONGEST_TEXT] for line in (*row.command_lines, *row.request_lines)][:MOST_EXAMPLES]
        for row in rows
    }


def _hash(judged: Sequence[Judged]) -> str:
    told = sha256()
    for line in _hashed_lines(judged):
        told.update(line.encode())
    return told.hexdigest()


def _hashed_lines(judged: Sequence[Judged]) -> Iterator[str]:
    for one in sorted(judged, key=lambda one: one.figures.fingerprint):
        row = one.figures
        yield f"{row.fingerprint}\t{row.sessions}\t{row.events}\t{row.is_new}\t{','.join(one.rules)}\n"
