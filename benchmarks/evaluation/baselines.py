"""What simpler prompts of the same size would show of a window: the log's head, random lines, its biggest clusters.

A campaign is shown if its indicator is, or, where it has none, any row of it: more than a reader would make of it.
Clusters are shown in full, each with what its first session typed.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from benchmarks.attacks import WINDOW, Campaign
from rustbucket_pipeline.analysis.budget import PRICES

BASELINES = ("head", "random", "biggest")

_LINES = """
SELECT event_id, concat_ws(' ', to_char(event_ts, 'HH24:MI:SS'), rustbucket_id, protocol, src_ip, event_type, username,
    password, command, http_method, http_path) AS line
FROM log_events WHERE event_ts >= :start AND event_ts < :end ORDER BY {order} LIMIT :most
"""
_BIGGEST = """
SELECT c.event_ids, concat_ws(' ', c.cluster_id, c.sessions, c.sources, c.rustbuckets, c.severity, c.is_new, c.rules,
    c.steps, s.command_lines, s.request_lines) AS line
FROM clusters AS c LEFT JOIN session_parts AS s ON s.first_event_id = c.event_ids[1]
WHERE c.window_start = :start ORDER BY c.sessions DESC, c.cluster_id
"""
_OWN = """
SELECT command_lines::text AS script, array_agg(DISTINCT id) AS ids
FROM session_parts, unnest(event_ids) AS id WHERE hour >= :start AND hour < :end AND command_lines = ANY(
    SELECT value FROM jsonb_array_elements(CAST(:scripts AS jsonb))) GROUP BY 1
"""
_ALL = """
SELECT sum(length(concat_ws(' ', event_ts, rustbucket_id, protocol, src_ip, event_type, username, password, command,
    http_method, http_path)) + 1) FROM log_events WHERE event_ts >= :start AND event_ts < :end
"""
_SPAN = {"start": WINDOW.start, "end": WINDOW.end}


@dataclass(frozen=True, slots=True)
class Raw:
    """The whole log as a prompt: its tokens (of 3 bytes), and US dollars at the default model's list price."""

    tokens: int

    @property
    def dollars(self) -> float:
        """What reading it would cost, if it fitted."""
        price = PRICES["claude-haiku-5-5"]
        dear = price.factor if price.step and self.tokens > price.step else 1
        return float(price.into) * dear * self.tokens / 1_000_000


def shown_by(connection: Connection, baseline: str, seeded: Sequence[Campaign], most_bytes: int) -> int:
    """How many of the campaigns a prompt of so many bytes would show."""
    scripts = {json.dumps(list(campaign.sessions[0].commands)) for campaign in seeded}
    rows = connection.execute(text(_OWN), {**_SPAN, "scripts": f"[{','.join(scripts)}]"})
    own = {json.dumps(json.loads(row.script)): set(row.ids) for row in rows}
    ids, lines = set[str](), list[str]()
    for row_ids, line in _shown(connection, baseline, most_bytes):
        ids.update(row_ids)
        lines.append(line)
    told = "\n".join(lines)
    return sum(
        campaign.indicator in told
        if campaign.indicator
        else not ids.isdisjoint(own.get(json.dumps(list(campaign.sessions[0].commands)), ()))
        for campaign in seeded
    )


def raw_log(connection: Connection) -> Raw:
    """The whole window, a line a row."""
    return Raw(int(connection.execute(text(_ALL), _SPAN).scalar_one() or 0) // 3)


def _shown(connection: Connection, baseline: str, most_bytes: int) -> Iterator[tuple[Sequence[str], str]]:
    """Event ids and line of whatever fits, in the baseline's order."""
    if baseline == "biggest":
        rows = connection.execute(text(_BIGGEST), {"start": WINDOW.start})
        yield from ((row.event_ids, row.line) for row in _fitting(rows, most_bytes))
        return
    order = "event_ts, event_id" if baseline == "head" else "md5(event_id)"
    lines = connection.execute(text(_LINES.format(order=order)), {**_SPAN, "most": most_bytes // 20})
    yield from (([row.event_id], row.line) for row in _fitting(lines, most_bytes))


def _fitting(rows: Iterable, most_bytes: int) -> Iterator:
    for row in rows:
        most_bytes -= len(row.line) + 1
        if most_bytes < 0:
            return
        yield row
