"""What stands between two values of a JSON line: keys, and members whose value is no string.

It is written in few ways, so each is read once. Where values stand is `quick_values`' business.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

_COLUMNS: Final = (b"", b"component", b"client_ip", b"username", b"password", b"command", b"method", b"path")
COMPONENT, CLIENT_IP, USERNAME, PASSWORD, COMMAND, METHOD, PATH, OTHER, TARGET = range(1, 10)
"""What values are of, in the order in which Rustbucket writes them: a key of its own, another one, the target."""

TARGET_KEY: Final = b'},"target":"'

_NAMED = "message|component|event_type|protocol|client_ip|username|password|command|method|path|duration|duration_secs"
_MEMBERS = rf'(?:,"(?!(?:{_NAMED})")[a-z][a-z_.]{{0,39}}":(?:-?(?:0|[1-9][0-9]{{0,14}})|true|false|null))*+'
_BETWEEN = re.compile(
    (
        rf'"({_MEMBERS}(?:,"duration_secs":(0|[1-9][0-9]{{0,8}}))?+{_MEMBERS})'
        rf'(?:,"([a-z][a-z_.]{{0,39}})":"|{TARGET_KEY.decode()})'
    ).encode()
)
_KEY = re.compile(rb',"([a-z_.]+)":')
_NEVER_HERE: Final = frozenset(_NAMED.encode().split(b"|")).difference(_COLUMNS)


class Between(NamedTuple):
    """The value behind is of `column`; `others` are the keys of what stays in `fields`, `milliseconds` a duration."""

    column: int
    others: tuple[bytes, ...] = ()
    milliseconds: float | None = None


_ODD: Final = Between(0)


@lru_cache(maxsize=8192)
def between(written: bytes) -> Between:
    """What is written from the quote that ends a value to the one that begins the next; of column 0 if it is odd."""
    found = _BETWEEN.fullmatch(written)
    if found is None:
        return _ODD
    members, seconds, key = found.groups()
    column = TARGET if key is None else _COLUMNS.index(key) if key in _COLUMNS else OTHER
    others: list[bytes] = _KEY.findall(written if column == OTHER else members)
    if key in _NEVER_HERE or len(set(others)) < len(others) or (members and column < OTHER):
        return _ODD
    return Between(column, tuple(others), None if seconds is None else int(seconds) * 1000.0)
