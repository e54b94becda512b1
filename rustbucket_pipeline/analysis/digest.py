"""A 4-hour window of rows → its digest: deterministic, bounded whatever the volume, hashed. The asset `window_digest`.

Counting is SQL's work (`sql/*.sql`); here its answers are put into the digest's shape and stored. No judgement.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, RowMapping
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.analysis.baseline import baseline_of
from rustbucket_pipeline.analysis.clusters import Judged, judge_clusters, keep_clusters, shown_clusters
from rustbucket_pipeline.analysis.completeness import completeness_line, completeness_of
from rustbucket_pipeline.analysis.contents import LONGEST_TEXT, Activity, Counted, Digest, Listing, Totals, hash_of
from rustbucket_pipeline.analysis.indicators import keep_indicators, shown_indicators
from rustbucket_pipeline.analysis.prompt_rows import MOST_BYTES, indicator_row, size_of
from rustbucket_pipeline.analysis.sightings import LOOKBACK, gather_and_note
from rustbucket_pipeline.analysis.version import DIGEST_VERSION
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.analysis_tables import window_digests
from rustbucket_pipeline.storage.builds import Build, inputs_version, record_build
from rustbucket_pipeline.storage.canary import note_digested
from rustbucket_pipeline.storage.closed_days import hold_windows, require_open
from rustbucket_pipeline.storage.postgres import load_sql

ASSET = "window_digest"
SHAPE_VERSION = 3

ROOM = 0.78
"""Share of the prompt's document that clusters and indicators may take; the rest is for figures and findings."""

ROOM_FOR_INDICATORS = 0.38
"""Their share of that; clusters may use what they leave."""

TOP = 15
"""Known values listed per kind, and as many new ones."""

TOP_ACTIVITY = 60
"""Combinations of rustbucket, protocol and event type listed."""

_PACKAGE = "rustbucket_pipeline.analysis"


@dataclass(frozen=True, slots=True)
class DigestOutcome:
    """What building one window's digest came to. `changed`: its hash isn't that of the digest it replaces."""

    window: Window
    events: int
    sources: int
    clusters: int
    new_clusters: int
    indicators: int
    new_indicators: int
    completeness: str
    sha256: str
    baseline_sha256: str
    changed: bool


def build_digest(engine: Engine, window: Window, now: datetime, run_id: str | None) -> DigestOutcome:
    """Digest the window's rows and store it with its clusters, indicators and its build, in one transaction."""
    with engine.begin() as connection:
        hold_windows(connection, ASSET, [window])
        require_open(connection, [window])
        inputs = inputs_version(connection, ASSET, window, DIGEST_VERSION)
        digest = digest_of(connection, window)
        before = _store(connection, digest, now)
        build = Build(ASSET, window, inputs, digest.sha256, DIGEST_VERSION, run_id)
        record_build(connection, build, now)
        note_digested(connection, window, now)
    return DigestOutcome(
        window=window,
        events=digest.totals.events,
        sources=digest.totals.sources,
        clusters=digest.clusters.total,
        new_clusters=digest.clusters.new,
        indicators=digest.indicators.total,
        new_indicators=digest.indicators.new,
        completeness=completeness_line(digest.completeness, window),
        sha256=digest.sha256,
        baseline_sha256=_baseline_hash(digest),
        changed=before != digest.sha256,
    )


def digest_of(connection: Connection, window: Window) -> Digest:
    """The window's digest from the rows at hand; writes all its clusters and indicators, and notes for later ones."""
    return compose(connection, window, judge(connection, window), MOST_BYTES)


def judge(connection: Connection, window: Window) -> list[Judged]:
    """Gather the window, judge what it holds, and write all its clusters and indicators."""
    judged = judge_clusters(connection, window, gather_and_note(connection, window))
    keep_clusters(connection, window, judged)
    keep_indicators(connection, window, window.start - LOOKBACK)
    return judged


def compose(connection: Connection, window: Window, judged: Sequence[Judged], most_bytes: int) -> Digest:
    """The digest of a window that was judged in this transaction, for a prompt of so many bytes."""
    span = {"start": window.start, "end": window.end}
    room = int(most_bytes * ROOM)
    indicators = shown_indicators(connection, int(room * ROOM_FOR_INDICATORS))
    room -= sum(size_of(indicator_row(indicator)) for indicator in indicators.rows)
    activity = connection.execute(load_sql(_PACKAGE, "activity"), span).all()
    totals = _totals(connection.execute(load_sql(_PACKAGE, "totals"), span).mappings().one(), activity)
    listings = _listings(connection, window)
    return Digest(
        version=SHAPE_VERSION,
        start=window.start,
        end=window.end,
        totals=totals,
        activity=tuple(_activity(row) for row in activity[:TOP_ACTIVITY]),
        hidden_activity=sum(row.events for row in activity[TOP_ACTIVITY:]),
        sources=listings.get("source", Listing()),
        credentials=listings.get("credential", Listing()),
        commands=listings.get("command", Listing()),
        paths=listings.get("path", Listing()),
        clusters=shown_clusters(connection, window, judged, room, int(most_bytes * (1 - ROOM))),
        indicators=indicators,
        completeness=completeness_of(connection, window),
        baseline=baseline_of(connection, window, totals),
    )


def _store(connection: Connection, digest: Digest, now: datetime) -> str | None:
    """Write the digest; return the hash of the one it replaces."""
    table = window_digests
    before = connection.execute(
        table.select().with_only_columns(table.c.sha256).where(table.c.window_start == digest.start)
    ).scalar_one_or_none()
    values = {
        "digest": digest.model_dump(mode="json"),
        "sha256": digest.sha256,
        "baseline_sha256": _baseline_hash(digest),
        "built_at": now,
    }
    statement = insert(table).values(window_start=digest.start, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[table.c.window_start], set_=values))
    return before


def _baseline_hash(digest: Digest) -> str:
    return hash_of(digest.baseline.model_dump(mode="json"))


def _activity(row: Row[Any]) -> Activity:
    return Activity(rustbucket=row.rustbucket_id, protocol=row.protocol, event_type=row.event_type, events=row.events)


def _totals(sums: RowMapping, activity: Sequence[Row[Any]]) -> Totals:
    by_type, by_protocol = Counter[str](), Counter[str]()
    for part in activity:
        by_type[part.event_type] += part.events
        if part.protocol is not None:
            by_protocol[part.protocol] += part.events
    return Totals(
        **{str(name): count for name, count in sums.items()},
        rustbuckets=len({part.rustbucket_id for part in activity}),
        by_type=dict(by_type),
        by_protocol=dict(by_protocol),
    )


def _listings(connection: Connection, window: Window) -> dict[str, Listing]:
    """By kind: source, credential, command, path."""
    rows = connection.execute(
        load_sql(_PACKAGE, "values"),
        {
            "since": window.start - LOOKBACK,
            "start": window.start,
            "end": window.end,
            "top": TOP,
            "longest": LONGEST_TEXT,
        },
    ).all()
    kinds = {row.kind for row in rows}
    return {kind: _listing([row for row in rows if row.kind == kind]) for kind in kinds}


def _listing(rows: list[Row[Any]]) -> Listing:
    sides = {row.is_new: row for row in rows}
    shown_new = sum(row.is_new for row in rows)
    return Listing(
        rows=tuple(_counted(row) for row in rows),
        hidden_values=sum(side.all_values for side in sides.values()) - len(rows),
        hidden_new=(sides[True].all_values - shown_new) if True in sides else 0,
        hidden_events=sum(side.all_events for side in sides.values()) - sum(row.events for row in rows),
    )


def _counted(row: Row[Any]) -> Counted:
    return Counted(
        value=row.value,
        second=row.second,
        length=row.length,
        events=row.events,
        sources=row.sources,
        rustbuckets=row.rustbuckets,
        first=row.first,
        last=row.last,
        is_new=row.is_new,
    )
