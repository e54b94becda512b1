"""Plain records that log again, upper-cased, what was typed before: their values as they were typed (`casing`).

The same as `casing` and `normalise` do for a single reading, for values that are known to be plain.
"""

from typing import NamedTuple

import msgspec

from rustbucket_pipeline.events.casing import Casing
from rustbucket_pipeline.events.values import undebug

_encode = msgspec.json.Encoder().encode


class Spelling(NamedTuple):
    """Two columns and the fields of a record."""

    username: str | None
    password: str | None
    fields: bytes | None


class Again(NamedTuple):
    """A record's values in their order, by name; `debug` are those written by Rust's Debug."""

    values: tuple[tuple[str, str], ...]
    debug: tuple[str, ...]

    def spelled(self, casing: Casing, at: int) -> Spelling:
        """How they were typed, where that is certain at that event time (microseconds, UTC)."""
        columns: dict[str, str | None] = {"username": None, "password": None}
        fields: dict[str, object] = {}
        plain: dict[str, str] = {}
        for name, value in self.values:
            debug = name in self.debug
            logged = undebug(value) if debug else value
            typed = casing.typed_as(name, logged, at, again=debug) if isinstance(logged, str) else None
            if name not in columns:
                fields[name] = value
                if typed:
                    plain[name] = typed
                continue
            columns[name] = typed or (logged if isinstance(logged, str) else None)
            if columns[name] != value:
                fields[name] = value
        if plain:
            fields["_plain"] = plain
        return Spelling(columns["username"], columns["password"], _encode(fields) if fields else None)
