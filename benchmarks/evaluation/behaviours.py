"""The labelled behaviours (`behaviours.yaml`) and the rows that a rustbucket's log would have of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from rustbucket_pipeline.model.window import FOUR_HOURS, Window
from rustbucket_pipeline.storage.tables import log_events

WINDOW = Window(datetime(2026, 3, 2, 4, tzinfo=UTC), FOUR_HOURS)
SOURCE = "203.0.113.1"

_FILE = Path(__file__).with_name("behaviours.yaml")
_numbers = count()

Row = dict[str, object]


class Behaviour(BaseModel):
    """One behaviour and its label; which of the texts and counts it has is said by its kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["command", "session", "request", "mail", "login", "forward"]
    what: str
    techniques: tuple[str, ...]
    source: str
    cve: str | None = None
    text: str = ""
    lines: tuple[str, ...] = ()
    data: str = ""
    protocol: str = "ssh"
    user: str = "user"
    password: str = "password"
    users: int = 1
    passwords: int = 1
    rustbuckets: int = 1

    @property
    def shown(self) -> str:
        """What it was, in a line."""
        told = self.text or "; ".join(self.lines) or f"{self.protocol} {self.user}:{self.password}"
        return f"{self.kind} ({self.what}): {told}"


def load_behaviours() -> list[Behaviour]:
    """All of them, in the file's order."""
    content = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return [Behaviour.model_validate(entry) for entry in content["behaviours"]]


def tell(connection: Connection, behaviour: Behaviour) -> None:
    """Insert the rows of it, in `WINDOW`."""
    rows = list(_rows(behaviour))
    connection.execute(log_events.insert(), [whole_row(row, second) for second, row in enumerate(rows)])


def _rows(one: Behaviour) -> Iterator[Row]:
    match one.kind:
        case "command":
            yield _command(one.text)
        case "session":
            yield from map(_command, one.lines)
        case "request":
            method, path = [*one.text.split(None, 2), ""][:2]
            yield {"event_type": "request", "protocol": "http", "counted": False, "fields": {"request": one.text}}
            yield {"event_type": "request", "protocol": "http", "http_method": method, "http_path": path}
        case "mail":
            fields = {"rcpt_to": one.text} | ({"email_data": one.data} if one.data else {})
            yield {"event_type": "mail", "protocol": "smtp", "fields": fields}
        case "forward":
            yield {"event_type": "forward", "protocol": "ssh", "message": one.text}
        case "login":
            yield from _logins(one)


def _command(text: str) -> Row:
    return {"event_type": "command", "protocol": "ssh", "command": text}


def _logins(one: Behaviour) -> Iterator[Row]:
    for number in range(max(one.users, one.passwords, one.rustbuckets)):
        yield {
            "event_type": "authentication",
            "protocol": one.protocol,
            "username": f"{one.user}{number}" if one.users > 1 else one.user,
            "password": f"{one.password}{number}" if one.passwords > 1 else one.password,
            "rustbucket_id": f"BKT{1 + number % one.rustbuckets}",
        }


def whole_row(row: Row, second: int) -> Row:
    """With the columns that every row has."""
    common: Row = {
        "event_id": sha256(f"{next(_numbers)}".encode()).hexdigest(),
        "rustbucket_id": "BKT1",
        "event_ts": WINDOW.start + timedelta(seconds=second),
        "src_ip": SOURCE,
        "protocol": None,
        "level": "INFO",
        "dialect": "json",
        "message": str(row["event_type"]),
        "counted": True,
        "trust": 1.0,
        "segment_id": 1,
        "byte_offset": 0,
        "byte_length": 1,
        "parser_version": 1,
        "username": None,
        "password": None,
        "command": None,
        "http_method": None,
        "http_path": None,
        "fields": {},
    }
    return common | row
