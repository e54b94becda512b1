"""The wall on the way in: attackers' text made harmless to read, for a model and for people. Bounded, one line.

What is changed shows: an escape stands where a character was, and a cut names the length and the hash of the whole.
"""

import re
import unicodedata
from hashlib import sha256

LONGEST = 160
"""Characters kept of one text."""

_TRIGGER = re.compile(r"anthropic_magic_string[a-z0-9_]*", re.IGNORECASE)
_ANGLES = str.maketrans({"<": "\\u003c", ">": "\\u003e"})


def neutral(text: str, limit: int = LONGEST) -> str:
    """For a model: printable ASCII on one line, no angle brackets, no documented trigger strings."""
    plain = "".join(c if " " <= c <= "~" else _escaped(c) for c in text[: limit * 4])
    plain = _TRIGGER.sub("[trigger string removed]", plain).translate(_ANGLES)
    return _cut(plain, text, limit)


def visible(text: str, limit: int = LONGEST) -> str:
    """For people: one line; control, bidirectional, invisible and combining characters shown as escapes."""
    return _cut("".join(c if _shows(c) else _escaped(c) for c in text[: limit * 4]), text, limit)


def password_class(password: str) -> str:
    """What a model learns of a password: its length, what it is made of, and a hash to tell two apart."""
    kinds = {
        "lower": any(c.islower() for c in password),
        "upper": any(c.isupper() for c in password),
        "digits": any(c.isdigit() for c in password),
        "other": any(not c.isalnum() for c in password),
    }
    made_of = "+".join(kind for kind, present in kinds.items() if present) or "empty"
    return (
        f"{len(password)} characters, {made_of}, {sha256(password.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"
    )


def _shows(character: str) -> bool:
    return character.isprintable() and not unicodedata.category(character).startswith("M")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _cut(shown: str, text: str, limit: int) -> str:
    if len(shown) <= limit and len(text) <= limit * 4:
        return shown
    digest = sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]
    return f"{shown[:limit]}...[{len(text)} characters, sha256 {digest}]"
