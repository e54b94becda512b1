"""Rows for the analysis' tests: a fleet, events as the events room writes them, archived segments for watermarks."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, Engine

from rustbucket_pipeline.model.window import FOUR_HOURS, Window
from rustbucket_pipeline.storage.postgres import ensure_event_partition
from rustbucket_pipeline.storage.tables import log_events, rustbuckets, segments, source_files

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
    ids: list[str] = []
    for number, row in enumerate(rows):
        ensure_event_partition(connection, row["event_ts"].date())  # type: ignore[attr-defined]
        identifier = sha256(f"{number} {sorted(row.items(), key=str)}".encode()).hexdigest()
        connection.execute(log_events.insert().values(event_id=identifier, **row))
        ids.append(identifier)
    return ids
