"""Plain records that log again, upper-cased, what was typed before: their values as they were typed (`casing`).

The same as `casing` and `normalise` do for a single reading, for values that are known to be plain.
"""

from typing import NamedTuple

import msgspec

from rustbucket_pipeline.events.casing import VERBS, Casing
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
        plain: dict[str, object] = {}
        for name, value in self.values:
            debug = name in self.debug
            logged = undebug(value) if debug else value
            typed = _typed(casing, name, logged, at, again=debug)
            if name not in columns:
                fields[name] = value
                if debug or typed:
                    plain[name] = typed or logged
                continue
            columns[name] = typed if isinstance(typed, str) else None if isinstance(logged, list) else logged
            if columns[name] != value:
                fields[name] = value
        if plain:
            fields["_plain"] = plain
        return Spelling(columns["username"], columns["password"], _encode(fields) if fields else None)


def _typed(
    casing: Casing, name: str, logged: str | list[str] | None, at: int, *, again: bool
) -> str | list[str] | None:
    """How it was typed; None where that isn't certain, of a list item by item."""
    if name not in VERBS or logged is None:
        return None
    if isinstance(logged, str):
        return casing.typed_as(name, logged, at, again=again) or None
    return [casing.typed_as(name, item, at, again=True) or item for item in logged]
