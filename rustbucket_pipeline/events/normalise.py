"""A dialect's reading → typed columns in one vocabulary (`docs/events.md`). No bytes, no times, no database.

A field is left out of `fields` only when a column (or the message's known type) says exactly the same, so the record
can always be spelled again. Keys that begin with `_` are our own notes.
"""

import msgspec

from rustbucket_pipeline.events.record import Parsed
from rustbucket_pipeline.events.redact import may_register
from rustbucket_pipeline.events.row import PROTOCOLS, Columns
from rustbucket_pipeline.events.tidy import COLUMN_BYTES, Notes, tidy, tidy_fields
from rustbucket_pipeline.events.values import HIGHEST_PORT, address_of, milliseconds_of, undebug

SUSPECT = 0.5
"""Below this trust a record is taken for a forgery: what it claims stays in `fields`, and no column repeats it."""

_TYPES = {
    "auth": "authentication",
    "registration": "operational",
    "connection": "connection",
    "command": "command",
    "session": "session",
    "response": "response",
    "llm": "llm",
    "operational": "operational",
}
PROTOCOL_OF_TARGET = {
    "rustbucket::protocols::ssh": "ssh",
    "rustbucket::protocols::ssh_shell": "ssh",
    "rustbucket::protocols::ftp": "ftp",
    "rustbucket::protocols::smtp": "smtp",
    "rustbucket::protocols::http": "http",
}
UNTIDY_FROM = 1024
"""A record of fewer bytes has no value that is too long."""

_encode = msgspec.json.Encoder().encode


def columns_of(parsed: Parsed, length: int, doubts: tuple[str, ...], trust: float, *, secrets: bool) -> Columns:
    """The record's columns.

    `length` is the record's in bytes, `secrets` whether it may hold one of ours; `doubts` say why it may be forged.
    """
    columns, notes = (_forged(parsed), dict[str, object]()) if trust < SUSPECT else _meant(parsed)
    notes |= parsed.notes
    if parsed.own:
        notes["_self"] = True
    if parsed.flags:
        notes["_flags"] = sorted(set(parsed.flags))
    if doubts:
        notes["_doubts"] = doubts
    if parsed.dirty or secrets or length > UNTIDY_FROM:
        return _tidied(columns, parsed, notes, secrets=secrets)
    fields = {**parsed.fields, **notes} if notes else parsed.fields
    return columns._replace(fields=_encode(fields).decode()) if fields else columns


def _forged(parsed: Parsed) -> Columns:
    nothing = (None, None, None, None, None, None, None, None, None)
    return Columns(parsed.level, parsed.target, parsed.dialect, "forgery", *nothing, False, parsed.message, None)


def _meant(parsed: Parsed) -> tuple[Columns, dict[str, object]]:
    meaning, fields = parsed.meaning, parsed.fields
    notes = _plain_readings(parsed) if meaning.debug or parsed.recovered else dict[str, object]()
    src_ip, src_port = _address(parsed)
    columns = Columns(
        parsed.level,
        parsed.target,
        parsed.dialect,
        _event_type(parsed),
        _protocol(parsed),
        src_ip,
        src_port,
        _username(parsed),
        _taken(parsed, "password"),
        _taken(parsed, "command"),
        _taken(parsed, "method"),
        _taken(parsed, "path"),
        _duration(fields),
        meaning.counted and not parsed.own,
        parsed.message,
        None,
    )
    return columns, notes


def _plain_readings(parsed: Parsed) -> dict[str, object]:
    """Values that no column holds, as they were typed, where the log has them in Rust's Debug form or in capitals."""
    values = ((name, parsed.fields.get(name)) for name in parsed.meaning.debug)
    plain: dict[str, object] = {name: undebug(value) for name, value in values if isinstance(value, str)}
    plain = {name: value for name, value in (plain | parsed.recovered).items() if name not in COLUMN_BYTES}
    return {"_plain": plain} if plain else {}


def _username(parsed: Parsed) -> str | None:
    """The name itself; where the log has `Some("X")`, that writing stays in the fields."""
    if "username" not in parsed.meaning.debug:
        return _taken(parsed, "username")
    value = parsed.fields.get("username")
    plain = parsed.recovered.get("username") or (undebug(value) if isinstance(value, str) else None)
    return plain if isinstance(plain, str) else None


def _event_type(parsed: Parsed) -> str:
    raw = parsed.fields.get("event_type")
    if raw is not None and raw == parsed.meaning.raw_type:
        del parsed.fields["event_type"]
    if not parsed.meaning.known and isinstance(raw, str):
        return _TYPES.get(raw, "unknown")
    return parsed.meaning.event_type


def _protocol(parsed: Parsed) -> str | None:
    value = parsed.fields.get("protocol")
    if isinstance(value, str) and (protocol := value.lower()) in PROTOCOLS:
        del parsed.fields["protocol"]
        return protocol
    return parsed.meaning.protocol or PROTOCOL_OF_TARGET.get(parsed.target or "")


def _address(parsed: Parsed) -> tuple[str | None, int | None]:
    fields, name = parsed.fields, parsed.spelled.get("client_ip", "client_ip")
    value = fields.get(name)
    address = address_of(value) if isinstance(value, str) else None
    if address is None:
        return None, None
    if address.exact:
        del fields[name]
    port = fields.get("src_port")
    if address.port is None and type(port) is int and 0 <= port <= HIGHEST_PORT:
        del fields["src_port"]
        return address.ip, port
    return address.ip, address.port


def _taken(parsed: Parsed, column: str) -> str | None:
    """What the column is for, as typed; the log's own spelling stays in the fields where it is another."""
    fields, name = parsed.fields, parsed.spelled.get(column, column)
    value = fields.get(name)
    if not isinstance(value, str):
        return None
    recovered = parsed.recovered.get(column)
    if isinstance(recovered, str) and recovered != value:
        return recovered
    del fields[name]
    return value


def _duration(fields: dict[str, object]) -> float | None:
    seconds, length = fields.get("duration_secs"), fields.get("duration")
    if isinstance(seconds, int | float):
        return seconds * 1000.0
    if isinstance(length, int | float):
        return length * 1000.0
    return milliseconds_of(length) if isinstance(length, str) else None


def _tidied(columns: Columns, parsed: Parsed, told: dict[str, object], *, secrets: bool) -> Columns:
    registers = secrets and may_register(columns.message, columns.target)
    notes = Notes(secrets=secrets, registers=registers)

    def fit(name: str, text: str | None) -> str | None:
        return None if text is None else tidy(name, text, COLUMN_BYTES[name], notes)

    columns = columns._replace(
        level=fit("level", columns.level),
        target=fit("target", columns.target),
        username=fit("username", columns.username),
        password=fit("password", columns.password),
        command=fit("command", columns.command),
        http_method=fit("http_method", columns.http_method),
        http_path=fit("http_path", columns.http_path),
        message=fit("message", columns.message) or "",
    )
    fields = {f"_{key}" if key.startswith("_") else key: value for key, value in parsed.fields.items()}
    everything = {
        **tidy_fields(fields, notes),
        **tidy_fields(told, Notes(secrets=secrets, registers=registers)),
        **notes.told(),
    }
    parsed.redacted = notes.redacted
    return columns._replace(fields=_encode(everything).decode() if everything else None)
