"""The loop one would write first: a record, a dictionary, a row; `json.loads` or a regular expression, `executemany`.

It is given what a message means (`MEANINGS`) and where the archive put its bytes, and believes whatever it reads: no
verified segments, no quarantine, no forgeries, no secrets, no limits.
"""

import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import cast

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from benchmarks.archiving import RUSTBUCKET
from benchmarks.loading_logs import Hour
from rustbucket_pipeline.events.dialects.structured import MEANINGS
from rustbucket_pipeline.events.normalise import PROTOCOL_OF_TARGET
from rustbucket_pipeline.events.row import PROTOCOLS, EventRow
from rustbucket_pipeline.events.trust import IN_OPEN_TEXT, REACH
from rustbucket_pipeline.events.version import PARSER_VERSION

BATCH_ROWS = 1000
HEAD = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) +([A-Z]+) ([\w:]+): "
FIELD = (
    " (event_type|protocol|client_ip|username|password|auth_method|command|response_type|decision|method|path|request"
    "|terminal|width|height|reason|component|file|bucket|s3_key|files_uploaded|active_connections|rate_limit"
    "|remaining_secs|model|user_message|response|commands_processed|requests_processed|llm_calls_made|duration_secs)="
)
"""What stands before a value in text: without the names, a value with blanks and `=` in it couldn't be told apart."""

QUOTED = {"event_type", "protocol", "component", "auth_method", "response_type", "decision"}
NUMBERS = re.compile("width|height|rate_limit|.*_(?:processed|made|secs|uploaded|connections)")

_HEAD = re.compile(f"^{HEAD}".encode(), re.MULTILINE)
_FIELD = re.compile(FIELD)
_INSERT = sql.SQL("INSERT INTO log_events ({}) VALUES ({})").format(
    sql.SQL(", ").join(map(sql.Identifier, EventRow._fields)),
    sql.SQL(", ").join([sql.Placeholder()] * len(EventRow._fields)),
)

Row = tuple[object, ...]
Fields = dict[str, object]


def json_rows(hour: Hour) -> Iterator[Row]:
    """The rows of an hour of JSON lines."""
    maker = Rows(hour, "json")
    for line in io.BytesIO(hour.log):
        record = json.loads(line)
        fields = record["fields"]
        message = fields.pop("message")
        yield maker.row(line, record["timestamp"], record["level"], record["target"], message, fields, 1.0)


def text_rows(hour: Hour) -> Iterator[Row]:
    """The rows of an hour of key=value text: a record runs from one head to the next."""
    maker = Rows(hour, "kv")
    heads = list(_HEAD.finditer(hour.log))
    ends = [*(head.start() for head in heads[1:]), len(hour.log)]
    doubtful = 0
    for head, end in zip(heads, ends, strict=True):
        time, level, target = (group.decode() for group in head.groups())
        message, *parts = _FIELD.split(hour.log[head.end() : end - 1].decode())
        fields = fields_of(parts)
        trust = IN_OPEN_TEXT if head.start() < doubtful else 1.0
        if MEANINGS[target, message].opens:
            doubtful = end + REACH
        yield maker.row(hour.log[head.start() : end], time, level, target, message, fields, trust)


def fields_of(parts: list[str]) -> Fields:
    """Names and values in turns, as splitting at the names leaves them; quotes off, numbers as numbers."""
    return {name: _value(name, value) for name, value in zip(parts[::2], parts[1::2], strict=True)}


def _value(name: str, value: str) -> object:
    if name in QUOTED or (name == "reason" and value.startswith('"')):
        return value.strip('"')
    return int(value) if NUMBERS.fullmatch(name) else value


class Rows:
    """Makes rows, and knows how far it is in the log."""

    def __init__(self, hour: Hour, dialect: str) -> None:
        """Begin with the hour's first byte."""
        self._segments = list(hour.segments)
        self._dialect = dialect
        self._offset = 0
        self._seen = Counter[tuple[datetime, bytes]]()

    def row(self, data: bytes, time: str, level: str, target: str, message: str, fields: Fields, trust: float) -> Row:
        """The next record's."""
        offset, self._offset = self._offset, self._offset + len(data)
        while offset >= self._segments[0].byte_end:
            del self._segments[0]
        segment = self._segments[0]
        nth = self._seen[segment.window_start, data]
        self._seen[segment.window_start, data] += 1
        meaning = MEANINGS[target, message]
        if fields.get("event_type") == meaning.raw_type:
            del fields["event_type"]
        protocol = str(fields.get("protocol")).lower()
        if protocol in PROTOCOLS:
            del fields["protocol"]
        else:
            protocol = PROTOCOL_OF_TARGET.get(target)
        ip, port = peer_of(fields.pop("client_ip", None))
        taken = [fields.pop(name, None) for name in ("username", "password", "command", "method", "path")]
        seconds = fields.get("duration_secs")
        return (
            event_id(data, nth),
            RUSTBUCKET,
            datetime.fromisoformat(time),
            None,
            False,
            level,
            target,
            self._dialect,
            meaning.event_type,
            protocol,
            ip,
            port,
            *taken,
            None if seconds is None else float(cast("int", seconds)) * 1000,
            meaning.counted,
            message,
            json.dumps(fields, ensure_ascii=False) if fields else None,
            trust,
            segment.id,
            offset,
            len(data),
            PARSER_VERSION,
        )


def event_id(data: bytes, nth: int) -> str:
    """As `docs/events.md` has it."""
    return sha256(RUSTBUCKET.encode() + b"\0" + data + nth.to_bytes(8, "big")).hexdigest()


def peer_of(text: object) -> tuple[str | None, int | None]:
    """Address and port of `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1` and `[2001:db8::1]:5`."""
    if not isinstance(text, str):
        return None, None
    if text.startswith("["):
        host, _, port = text[1:].partition("]:")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, ""
    return host, int(port) if port else None


def load(engine: Engine, rows: Iterable[Row]) -> None:
    """Insert the rows, a thousand at a time, in one transaction."""
    rows = iter(rows)
    with engine.begin() as connection:
        driver = cast("psycopg.Connection", connection.connection.driver_connection)
        with driver.cursor() as cursor:
            while batch := list(islice(rows, BATCH_ROWS)):
                cursor.executemany(_INSERT, batch)
