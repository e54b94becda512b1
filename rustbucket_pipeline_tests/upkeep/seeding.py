"""Rows for the upkeep's tests: a fleet, hours of it in numbers, archived segments, reports. Everything is at `NOW`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from rustbucket_pipeline.model.window import FOUR_HOURS, HOUR
from rustbucket_pipeline.storage.analysis_tables import findings, log_analyses, window_digests
from rustbucket_pipeline.storage.tables import hour_counts, rustbuckets, segments, source_files

NOW = datetime(2026, 3, 20, 12, 20, tzinfo=UTC)
SETTLED = datetime(2026, 3, 20, 10, tzinfo=UTC)
"""The end of the last hour that is surely complete."""


def fleet(engine: Engine, *ids: str, name: str = "", status: str = "active") -> None:
    """Rustbuckets, approved long ago."""
    ago = NOW - timedelta(days=60)
    rows = [{"id": one, "name": name or one, "status": status, "registered_at": ago, "approved_at": ago} for one in ids]
    with engine.begin() as connection:
        connection.execute(rustbuckets.insert(), rows)


def hours(engine: Engine, rustbucket: str, since: datetime, count: int, events: int, **columns: object) -> None:
    """So many hours from then on, each of so many events."""
    zero = dict.fromkeys(
        ("archived_bytes", "event_bytes", "quarantined_bytes", "duplicate_bytes", "quarantined", "duplicates"), 0
    )
    rows = [
        {"hour": since + number * HOUR, "rustbucket_id": rustbucket, **zero, "events": events, "counted": events}
        | columns
        for number in range(count)
    ]
    with engine.begin() as connection:
        connection.execute(hour_counts.insert(), rows)


def segment(engine: Engine, rustbucket: str, window_start: datetime, size: int = 100, stored: int = 10) -> None:
    """An archived segment of that window, whose last event is 20 minutes into it."""
    with engine.begin() as connection:
        file = connection.execute(
            source_files.insert()
            .values(
                rustbucket_id=rustbucket,
                key=f"log-{window_start:%Y%m%d%H%M}",
                size=size,
                consumed=size,
                prefix_sha256="",
                clock=window_start,
                after_text=False,
                first_seen_at=window_start,
                last_seen_at=window_start,
            )
            .returning(source_files.c.id)
        ).scalar_one()
        moments = ("clock", "vouched_from", "vouched_until", "pulled_at", "first_event_ts")
        connection.execute(
            segments.insert().values(
                log_id=file,
                source_file_id=file,
                rustbucket_id=rustbucket,
                window_start=window_start,
                byte_start=0,
                byte_end=size,
                object_key=f"raw/{rustbucket}/{window_start:%Y%m%d%H%M}",
                stored_bytes=stored,
                sha256="",
                previous_sha256="",
                chain_sha256="",
                records=1,
                after_text=False,
                last_event_ts=window_start + timedelta(minutes=20),
                **dict.fromkeys(moments, window_start),
            )
        )


def report(
    connection: Connection,
    start: datetime,
    severity: str = "high",
    titles: Sequence[str] = ("A miner",),
    *,
    revision: int = 1,
    headline: str = "HIGH: A miner",
    digest: dict[str, object] | None = None,
) -> None:
    """A window's report and digest, as the analysis leaves them."""
    document = {"headline": headline, "prose": None, "claude": {"outcome": "not asked"}}
    connection.execute(
        log_analyses.insert().values(
            window_start=start,
            revision=revision,
            analysis_key="k",
            question_key="q",
            digest_sha256="",
            status="deterministic",
            severity=severity,
            summary=headline,
            completeness="complete: 2 of 2 rustbuckets",
            report=document,
            created_at=start + FOUR_HOURS,
        )
    )
    rows = [
        {
            "window_start": start,
            "revision": revision,
            "finding_id": f"F{number}",
            "rule": "cryptominer",
            "title": title,
            "severity": severity,
            "technique": "T1496.001",
            "why": f"{title}: 3 commands",
            "events": 3,
            "event_ids": [],
            "rustbuckets": ["BKT1"],
        }
        for number, title in enumerate(titles, 1)
    ]
    if rows:
        connection.execute(findings.insert(), rows)
    if revision == 1:
        values = {"sha256": "", "baseline_sha256": "", "built_at": start + FOUR_HOURS, "digest": digest or {}}
        connection.execute(window_digests.insert().values(window_start=start, **values))
