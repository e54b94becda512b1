"""Rows for the analysis' tests: a fleet, events as the events room writes them, archived segments for watermarks."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count

from sqlalchemy import Connection, Engine

from rustbucket_pipeline.model.window import FOUR_HOURS, HOUR, Window, window_at
from rustbucket_pipeline.storage.builds import Build, record_builds, version_of
from rustbucket_pipeline.storage.event_days import ensure_event_partition
from rustbucket_pipeline.storage.session_tables import session_parts
from rustbucket_pipeline.storage.tables import log_events, rustbuckets, segments, source_files

_versions = count()

WINDOW = Window(datetime(2026, 3, 2, 4, tzinfo=UTC), FOUR_HOURS)
NOW = WINDOW.end + timedelta(hours=2, minutes=20)


def fleet(engine: Engine, *ids: str) -> None:
    """Active rustbuckets, approved long before the window."""
    long_ago = WINDOW.start - timedelta(days=30)
    rows = [
        {"id": name, "name": name, "status": "active", "registered_at": long_ago, "approved_at": long_ago}
        for name in ids
    ]
    with engine.begin() as connection:
        connection.execute(rustbuckets.insert(), rows)


def heard_until(engine: Engine, rustbucket: str, moment: datetime) -> None:
    """An archived segment whose last event is at that moment."""
    with engine.begin() as connection:
        file = connection.execute(
            source_files.insert()
            .values(
                rustbucket_id=rustbucket,
                key=f"log-{moment:%H%M%S}",
                size=1,
                consumed=1,
                prefix_sha256="",
                clock=moment,
                after_text=False,
                first_seen_at=moment,
                last_seen_at=moment,
            )
            .returning(source_files.c.id)
        ).scalar_one()
        connection.execute(
            segments.insert().values(
                log_id=file,
                source_file_id=file,
                rustbucket_id=rustbucket,
                window_start=WINDOW.start,
                byte_start=0,
                byte_end=1,
                object_key="k",
                stored_bytes=1,
                sha256="",
                previous_sha256="",
                chain_sha256="",
                records=1,
                first_event_ts=moment,
                last_event_ts=moment,
                clock=moment,
                after_text=False,
                vouched_from=moment,
                vouched_until=moment,
                pulled_at=moment,
            )
        )


def event(kind: str, at: int | datetime = 0, **columns: object) -> dict[str, object]:
    """One row of `log_events`; `at` is a time, or seconds since the window's start."""
    moment = at if isinstance(at, datetime) else WINDOW.start + timedelta(seconds=at)
    row: dict[str, object] = {
        "rustbucket_id": "BKT1",
        "event_ts": moment,
        "event_type": kind,
        "level": "INFO",
        "dialect": "json",
        "message": kind,
        "counted": True,
        "trust": 1.0,
        "segment_id": 1,
        "byte_offset": 0,
        "byte_length": 1,
        "parser_version": 1,
        **columns,
    }
    return row


def command(text: str, at: int | datetime = 0, **columns: object) -> dict[str, object]:
    """A command typed over SSH."""
    return event("command", at, command=text, protocol="ssh", **columns)


def login(username: str, password: str, at: int | datetime = 0, **columns: object) -> dict[str, object]:
    """A login attempt over SSH."""
    return event("authentication", at, **{"username": username, "password": password, "protocol": "ssh", **columns})


def request(path: str, at: int | datetime = 0, **columns: object) -> dict[str, object]:
    """A web request."""
    return event("request", at, http_method="GET", http_path=path, protocol="http", **columns)


def tell(engine: Engine, rows: Iterable[dict[str, object]]) -> list[str]:
    """Insert the rows; their ids, in order."""
    with engine.begin() as connection:
        return insert(connection, rows)


def insert(connection: Connection, rows: Iterable[dict[str, object]]) -> list[str]:
    """Insert the rows in the caller's transaction; their ids, in order."""
    rows, ids = list(rows), list[str]()
    for number, row in enumerate(rows):
        ensure_event_partition(connection, row["event_ts"].date())  # type: ignore[attr-defined]
        identifier = sha256(f"{number} {sorted(row.items(), key=str)}".encode()).hexdigest()
        connection.execute(log_events.insert().values(event_id=identifier, **row))
        ids.append(identifier)
    note_hours(connection, {row["event_ts"] for row in rows}, version_of(ids))  # type: ignore[misc]
    return ids


def session(engine: Engine, *lines: str, at: int | datetime = 0, rustbucket: str = "BKT1", **columns: object) -> str:
    """One session, as the events room writes it, of these commands; its first event's id. No rows beside it."""
    moment = at if isinstance(at, datetime) else WINDOW.start + timedelta(seconds=at)
    hour = window_at(moment, HOUR)
    identifier = sha256(f"{moment} {rustbucket} {lines} {sorted(columns.items())}".encode()).hexdigest()
    row: dict[str, object] = {
        "hour": hour.start,
        "rustbucket_id": rustbucket,
        "number": int(identifier[:7], 16),
        "connection_key": identifier,
        "keyed": True,
        "protocol": "ssh",
        "started_at": moment,
        "ended_at": moment + timedelta(seconds=len(lines)),
        "opens_before": False,
        "ends_after": False,
        "closed": True,
        "confidence": "exact",
        "events": 1 + len(lines),
        "events_by_order": 0,
        "logins": 0,
        "commands": len(lines),
        "requests": 0,
        "mails": 0,
        "credentials": [],
        "command_lines": list(lines),
        "request_lines": [],
        "event_ids": [identifier],
        "first_event_id": identifier,
        "last_event_id": identifier,
        "candidates": [],
        **columns,
    }
    with engine.begin() as connection:
        connection.execute(session_parts.insert().values(row))
        note_hours(connection, {moment}, version_of([identifier, now_and_then()]))
    return identifier


def now_and_then() -> str:
    """Another word each time."""
    return str(next(_versions))


def note_hours(connection: Connection, moments: Iterable[datetime], version: str) -> None:
    """Note the hours of these moments as built anew, as whoever writes rows does."""
    hours = {window_at(moment, HOUR) for moment in moments}
    record_builds(connection, [Build("parsed_logs", hour, version, version, "1", None) for hour in hours], NOW)
