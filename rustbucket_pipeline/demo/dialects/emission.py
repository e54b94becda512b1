"""One log record as Rustbucket's logger gets it, and the bytes its two formatters make of it.

The escaping is tracing-subscriber 0.3.20's: in text only the message is sanitised, fields and line breaks are raw;
JSON is one line, always. What the record tells is noted beside it, for the truth.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from rustbucket_pipeline.demo.acts import moment_of

Kind = Literal["connection", "login", "command", "request", "mail", "session", "other"]
"""What a record counts as. Each action has one record that counts: a client came, a password was tried, a command was
typed, a request made, a mail handed in, a session ended. Everything else is `other`."""


class Quoted(str):
    """A literal of Rustbucket's own source: quoted in the text format."""

    __slots__ = ()


Value = str | int | bool


@dataclass(frozen=True, slots=True)
class Told:
    """What a record says of itself; None where its dialect doesn't. Values as written, addresses as logged."""

    kind: Kind
    protocol: str | None = None
    source: str | None = None
    username: str | None = None
    password: str | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Emission:
    """One call of a log macro: `target` is what follows `rustbucket` in the module path. Time in microseconds."""

    at: int
    target: str
    message: str
    told: Told
    fields: Mapping[str, Value] = field(default_factory=dict[str, Value])
    level: str = "INFO"


class Pace:
    """A connection's own clock: how much time passes between its records."""

    def __init__(self, at: int, rng: Random) -> None:
        """Start at `at` (microseconds)."""
        self.at = at
        self._rng = rng

    def tick(self) -> int:
        """The next record of the same action, microseconds later."""
        self.at += self._rng.randint(9, 20)
        return self.at

    def wait(self, low: int, high: int) -> int:
        """The next action, between `low` and `high` milliseconds later."""
        self.at += self._rng.randint(low * 1000, high * 1000)
        return self.at


_SANITISED = str.maketrans(
    {0x07: "\\x07", 0x08: "\\x08", 0x0C: "\\x0c", 0x1B: "\\x1b", 0x7F: "\\x7f"}
    | {code: f"\\u{{{code:x}}}" for code in range(0x80, 0xA0)}
)


def stamp(at: int) -> str:
    """A time as tracing writes it."""
    return f"{moment_of(at):%Y-%m-%dT%H:%M:%S.%f}Z"


def as_json(emission: Emission) -> bytes:
    """One JSON line."""
    record = {
        "timestamp": stamp(emission.at),
        "level": emission.level,
        "fields": {"message": emission.message, **emission.fields},
        "target": f"rustbucket{emission.target}",
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def as_text(emission: Emission) -> bytes:
    """Head, message and `key=value` fields; as many physical lines as the texts in it have."""
    message = emission.message.translate(_SANITISED)
    fields = "".join(f" {name}={_text_value(value)}" for name, value in emission.fields.items())
    return f"{stamp(emission.at)} {emission.level:>5} rustbucket{emission.target}: {message}{fields}\n".encode()


def rust_debug(text: str) -> str:
    """A string as Rust's `{:?}` prints it, quotes included."""
    return '"' + "".join(_debug_character(character) for character in text) + '"'


_DEBUG_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", '"': '\\"', "\\": "\\\\"}


def _debug_character(character: str) -> str:
    if character in _DEBUG_ESCAPES:
        return _DEBUG_ESCAPES[character]
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


def _text_value(value: Value) -> str:
    if isinstance(value, Quoted):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)
