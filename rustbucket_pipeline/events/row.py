"""One row of `log_events`: its columns in the order they are copied, and the vocabulary two of them are limited to."""

from typing import NamedTuple

PROTOCOLS = frozenset({"ssh", "telnet", "ftp", "smtp", "http"})
"""What `protocol` can be, besides NULL."""

EVENT_TYPES = frozenset(
    {
        "connection",
        "authentication",
        "command",
        "request",
        "mail",
        "file",
        "forward",
        "session",
        "response",
        "llm",
        "operational",
        "forgery",
        "unknown",
    }
)
"""What `event_type` can be; `docs/events.md` says what each means."""


class EventRow(NamedTuple):
    """A row of `log_events`. Times are microseconds since the epoch, UTC; `byte_offset` counts within the log."""

    event_id: str
    rustbucket_id: str
    event_ts: int
    claimed_ts: int | None
    clamped: bool
    level: str | None
    target: str | None
    dialect: str
    event_type: str
    protocol: str | None
    src_ip: str | None
    src_port: int | None
    username: str | None
    password: str | None
    command: str | None
    http_method: str | None
    http_path: str | None
    duration_ms: float | None
    counted: bool
    message: str
    fields: str | None
    trust: float
    segment_id: int
    byte_offset: int
    byte_length: int
    parser_version: int


class Columns(NamedTuple):
    """The columns of a row that come from the record's own text, in the order of `EventRow`."""

    level: str | None
    target: str | None
    dialect: str
    event_type: str
    protocol: str | None
    src_ip: str | None
    src_port: int | None
    username: str | None
    password: str | None
    command: str | None
    http_method: str | None
    http_path: str | None
    duration_ms: float | None
    counted: bool
    message: str
    fields: str | None
