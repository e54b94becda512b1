"""What one connection left in an hour's rows: gathered row by row, bounded whatever an attacker sends.

Which connection a row belongs to is decided in `session_joining`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

SILENCE = timedelta(minutes=5)
"""A connection without an end that says nothing for so long is taken for gone; `session_links.sql` has it too."""

MOST_EVENT_IDS = 50
MOST_LINES = 50
MOST_CREDENTIALS = 20
MOST_CANDIDATES = 20
LINE_LENGTH = 256
NAME_LENGTH = 128
"""Characters."""

_encode = msgspec.json.Encoder().encode


class SessionRow(NamedTuple):
    """A row of `session_events.sql`."""

    rustbucket_id: str
    event_id: str
    at: datetime
    event_type: str
    protocol: str | None
    src_ip: str | None
    src_port: int | None
    key: str | None
    lane: str | None
    role: str | None
    counted: bool
    username: str | None
    password: str | None
    said: str | None
    duration_ms: float | None


class PartRow(NamedTuple):
    """A row of `session_parts`, in the order it is copied."""

    hour: datetime
    rustbucket_id: str
    number: int
    connection_key: str
    keyed: bool
    protocol: str | None
    src_ip: str | None
    src_port: int | None
    started_at: datetime
    ended_at: datetime
    opens_before: bool
    ends_after: bool
    closed: bool
    confidence: str
    events: int
    events_by_order: int
    logins: int
    commands: int
    requests: int
    mails: int
    credentials: str
    command_lines: str
    request_lines: str
    event_ids: str
    first_event_id: str
    last_event_id: str
    candidates: str


@dataclass(slots=True, eq=False)
class Part:
    """A part while it is gathered. `candidates`: whose rows these may be; None: they are one connection's.

    `complete`: it was handed over, and takes no more rows.
    """

    number: int
    key: str
    keyed: bool
    first: SessionRow
    opens_before: bool
    candidates: list[str] | None = None
    closed: bool = False
    complete: bool = False
    ended_at: datetime = field(init=False)
    last_event_id: str = ""
    events: int = 0
    by_order: int = 0
    logins: int = 0
    commands: int = 0
    requests: int = 0
    mails: int = 0
    credentials: list[tuple[str | None, str | None]] | None = None
    command_lines: list[str] | None = None
    request_lines: list[str] | None = None
    event_ids: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.ended_at = self.first.at

    def add(self, row: SessionRow, *, by_order: bool = False) -> None:
        """Take a row in; `by_order`: nothing but its order says that it belongs here."""
        self.events += 1
        self.by_order += by_order
        self.ended_at = row.at
        self.last_event_id = row.event_id
        if row.counted:
            self._count(row)

    def _count(self, row: SessionRow) -> None:
        if len(self.event_ids) < MOST_EVENT_IDS:
            self.event_ids.append(row.event_id)
        match row.event_type:
            case "authentication":
                self.logins += 1
                self.credentials = self.credentials or []
                if len(self.credentials) < MOST_CREDENTIALS:
                    self.credentials.append((_short(row.username), _short(row.password)))
            case "command":
                self.commands += 1
                self.command_lines = _kept(self.command_lines, row.said)
            case "request":
                self.requests += 1
                self.request_lines = _kept(self.request_lines, row.said)
            case "mail":
                self.mails += 1
            case _:
                pass

    def may_be_of(self, part: "Part") -> None:
        """Name a connection its rows may belong to."""
        if self.candidates is not None and part.candidates is None and len(self.candidates) < MOST_CANDIDATES:
            first = part.first.event_id
            if first not in self.candidates:
                self.candidates.append(first)

    def row(self, hour: datetime, end: datetime) -> PartRow:
        """As it is written; `[hour, end)` is the hour it was gathered from."""
        first = self.first
        return PartRow(
            hour,
            first.rustbucket_id,
            self.number,
            self.key,
            self.keyed,
            first.protocol,
            first.src_ip,
            first.src_port,
            first.at,
            self.ended_at,
            self.opens_before,
            not self.closed and self.candidates is None and end - self.ended_at <= SILENCE,
            self.closed,
            self._confidence(),
            self.events,
            0 if self.candidates else self.by_order,
            self.logins,
            self.commands,
            self.requests,
            self.mails,
            _json(self.credentials),
            _json(self.command_lines),
            _json(self.request_lines),
            f"{{{','.join(self.event_ids)}}}",
            first.event_id,
            self.last_event_id,
            f"{{{','.join(self.candidates or ())}}}",
        )

    def _confidence(self) -> str:
        if self.candidates is not None:
            return "ambiguous"
        return "by_order" if self.by_order else "exact"


def _short(name: str | None) -> str | None:
    return None if name is None else name[:NAME_LENGTH]


def _kept(lines: list[str] | None, line: str | None) -> list[str] | None:
    if line is None:
        return lines
    if lines is None:
        return [line[:LINE_LENGTH]]
    if len(lines) < MOST_LINES:
        lines.append(line[:LINE_LENGTH])
    return lines


def _json(values: list[str] | list[tuple[str | None, str | None]] | None) -> str:
    return _encode(values).decode() if values else "[]"
