"""What a row of `log_events` says, word by word: types, meanings and the names of the Elastic Common Schema (ECS).

`docs/events.md` and `docs/event.schema.json` are made from this (`python -m docs.event_schema`). Only words, no rows.
"""

from typing import Final, NamedTuple

from rustbucket_pipeline.events.row import PROTOCOLS
from rustbucket_pipeline.events.version import PARSER_VERSION


class Word(NamedTuple):
    """A column or a note: what it means, its ECS names if it has some, its JSON types, and the values it can have."""

    meaning: str
    ecs: tuple[str, ...] = ()
    type: tuple[str, ...] = ("string",)
    values: tuple[str, ...] = ()
    format: str | None = None


class EventType(NamedTuple):
    """What an event is, its ECS category and type, and which of its records count."""

    meaning: str
    ecs: tuple[str, str]
    counted: str = "no"


_MAYBE = ("string", "null")

COLUMNS: Final[dict[str, Word]] = {
    "event_id": Word(
        "SHA-256 (hex) of the rustbucket's id, a NUL, the record's bytes, and n as 8 bytes: which of the equal records "
        "of its log and half hour it is, from 0",
        ("event.id",),
    ),
    "rustbucket_id": Word("which honeypot", ("observer.name",)),
    "event_ts": Word("when, UTC; the hour and the partition it belongs to", ("@timestamp",), format="date-time"),
    "claimed_ts": Word(
        "what the record said itself, only where that didn't count", ("event.created",), _MAYBE, format="date-time"
    ),
    "clamped": Word(
        "the claimed time lay outside what the file vouches for, so the row has the time of the record before it",
        type=("boolean",),
    ),
    "level": Word("as the logger wrote it; null where the dialect has none", ("log.level",), _MAYBE),
    "target": Word("the module that logged it; Cowrie's event id", ("log.logger", "event.action"), _MAYBE),
    "dialect": Word(
        "in which form it was written", ("event.dataset",), values=("json", "kv", "proto", "classic", "cowrie")
    ),
    "event_type": Word("one of the types below", ("event.category", "event.type")),
    "protocol": Word("what was spoken; null where the record doesn't say", ("network.protocol",), _MAYBE),
    "src_ip": Word(
        "the peer's address, canonical (IPv4-mapped IPv6 is IPv4); null where the record doesn't say, never guessed",
        ("source.ip",),
        _MAYBE,
    ),
    "src_port": Word("the peer's port", ("source.port",), ("integer", "null")),
    "username": Word(
        "as typed. FTP's are logged in capitals: the true case is taken from the command before where all that could "
        "be meant spell it alike, and the log's own spelling stays in `fields`",
        ("user.name",),
        _MAYBE,
    ),
    "password": Word("as typed; recovered like `username`", (), _MAYBE),
    "command": Word("what was typed or sent; may hold line breaks", ("process.command_line",), _MAYBE),
    "http_method": Word("of the request line", ("http.request.method",), _MAYBE),
    "http_path": Word("of the request line, with its query", ("url.original",), _MAYBE),
    "duration_ms": Word(
        "length of a session, milliseconds (ECS has nanoseconds)", ("event.duration",), ("number", "null")
    ),
    "counted": Word(
        "this row is the one telling of its action that counts: **count with `where counted`**", type=("boolean",)
    ),
    "message": Word("the record's message; in sentence dialects with the values in it", ("message",)),
    "fields": Word("every field that no column says exactly, verbatim, and our notes", ("labels",), ("object", "null")),
    "trust": Word("how far the record can be believed, 0 to 1 (below)", type=("number",)),
    "segment_id": Word("the archived segment that holds its bytes", type=("integer",)),
    "byte_offset": Word("where in its log they begin", ("log.offset",), ("integer",)),
    "byte_length": Word("how many they are, the final newline included", type=("integer",)),
    "parser_version": Word("of the parser that made the row", type=("integer",)),
}
"""The columns, in the order of a row."""

TYPES: Final[dict[str, EventType]] = {
    "connection": EventType("someone came, was refused, or left", ("network", "connection"), "arrivals and refusals"),
    "authentication": EventType(
        "a name, a password or a key was given",
        ("authentication", "start"),
        "once per attempt; the bare name before it isn't",
    ),
    "command": EventType(
        "something was typed or sent",
        ("process", "start"),
        "`Command received`, Cowrie's `command.input`; not the shell's `Exec request` or `Unknown command` for it",
    ),
    "request": EventType("a web request", ("web", "access"), "once it was parsed; not its raw telling"),
    "mail": EventType("a mail's sender, recipient or body", ("email", "info"), "the body"),
    "file": EventType("a file was brought or taken", ("file", "creation"), "each that arrived"),
    "forward": EventType("a connection through the honeypot was asked for", ("network", "start"), "the asking"),
    "session": EventType(
        "what belongs to a session: channel, terminal, environment, client, its end", ("session", "info"), "its end"
    ),
    "response": EventType("what the honeypot answered by itself", ("process", "info")),
    "llm": EventType("a question to a language model, and its answer", ("api", "info")),
    "operational": EventType("the honeypot about itself: boot, configuration, uploads, errors", ("host", "info")),
    "forgery": EventType(
        "a record an attacker wrote into the log; no column repeats what it claims, `fields` does",
        ("intrusion_detection", "info"),
    ),
    "unknown": EventType(
        "a message of no known template: kept whole, a sign that the format changed", ("host", "info")
    ),
}
"""What `event_type` can be."""

NOTES: Final[dict[str, Word]] = {
    "_cut": Word('`{"command": [bytes, sha256]}`: cut there; length and hash of the whole', type=("object",)),
    "_escaped": Word(
        "these texts held what PostgreSQL can't: NUL is `\\x00`, a byte that isn't UTF-8 `\\xNN`, an unpaired "
        "surrogate `\\udNNN`, and each backslash in them is doubled",
        type=("array",),
    ),
    "_redacted": Word(
        "so many secrets of ours (tokens, API keys, our Authorization header) were taken out", type=("integer",)
    ),
    "_plain": Word(
        "values that no column holds, readable: the log writes them in Rust's Debug form, or in capitals",
        type=("object",),
    ),
    "_self": Word("a visit of our own collector; it doesn't count", type=("boolean",)),
    "_doubts": Word("why the record may be forged", type=("array",)),
    "_whole": Word(
        "bytes of the record together with the forged lines that follow it: it is read as the whole of them",
        type=("integer",),
    ),
    "_flags": Word(
        "odd form: `repeated key` (of a JSON object: the first counts), `unfinished` (it stops before its end: as far "
        "as it goes)",
        type=("array",),
    ),
}
"""Keys of ours in `fields`."""

DOUBTS: Final[dict[str, str]] = {
    "clamped": "its time lies outside what its file vouches for",
    "back in time": "it is more than 0.1 s behind the record before, and the log doesn't go on there",
    "ahead of time": "it is more than 2 s ahead of the record before, and most that follow are behind it",
    "written twice": "its line stands near it once more: attacker text is logged several times, a record once",
    "written otherwise": "its head isn't spelled as the logger spells it",
    "unknown target": "no module of that name logs",
    "unknown message": "its message is of no known template",
    "other dialect": "neither what surely came before it nor most of what follows is in its dialect",
    "in an unfinished record": "the record before hasn't come to its end",
}
"""What speaks against a record in open text; each halves its trust."""


def json_schema() -> dict[str, object]:
    """A row, with its times in RFC 3339 and its fields as an object, as a JSON Schema; versioned as the parser is."""
    properties = {name: _property(name, word) for name, word in COLUMNS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:rustbucket-pipeline:event:{PARSER_VERSION}",
        "title": "A row of log_events",
        "version": PARSER_VERSION,
        "type": "object",
        "properties": properties,
        "required": list(COLUMNS),
        "additionalProperties": False,
    }


def _property(name: str, word: Word) -> dict[str, object]:
    found: dict[str, object] = {"description": word.meaning, "type": list(word.type)}
    values = {"protocol": [*sorted(PROTOCOLS), None], "event_type": list(TYPES)}.get(name, list(word.values))
    if values:
        found["enum"] = values
    if word.format:
        found["format"] = word.format
    if word.ecs:
        found["x-ecs"] = list(word.ecs)
    if name == "trust":
        found |= {"minimum": 0, "maximum": 1}
    if name == "fields":
        found["properties"] = {note: {"description": w.meaning, "type": list(w.type)} for note, w in NOTES.items()}
    return found
