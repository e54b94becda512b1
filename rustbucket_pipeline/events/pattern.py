"""Message templates with holes, matched without regular expressions: linear in the text, whatever it holds.

A template is written as Rustbucket's source has it: `FTP PASS: {password~} (username: {username?})`. The mark behind
a hole's name says what may stand there: nothing for the honeypot's own words, `*` for text an attacker chose, `~` for
attacker text that can't hold a line break, `?` for Rust's Debug rendering, `#` for a number or a truth value.

Text after an attacker's hole never becomes a field: holes before it are cut at the first place that fits, holes behind
it at the last one.
"""

import re
from typing import NamedTuple

from rustbucket_pipeline.events.values import DEBUG_VALUE

_HOLE = re.compile(r"\{(\w+)([*~?#]?)\}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?\Z", re.ASCII)
_ANOTHER_FIELD = re.compile(r" \w{1,64}=", re.ASCII)
_TRUTHS = {"true": True, "false": False}


class Hole(NamedTuple):
    """A named gap in a template and what may stand in it (the marks of this module's docstring)."""

    name: str
    mark: str


class Pattern:
    """One template, ready to be matched.

    `literals` stand before, between and behind its `holes`; up to hole `pivot` it is matched from the left, from there
    on from the right.
    """

    __slots__ = ("_first", "_last", "holes", "literals", "pivot")

    def __init__(self, template: str) -> None:
        """Cut the template into its literal parts and its holes."""
        pieces = _HOLE.split(template)
        self.literals = pieces[::3]
        self._first, self._last = self.literals[0], self.literals[-1]
        self.holes = tuple(Hole(*pair) for pair in zip(pieces[1::3], pieces[2::3], strict=True))
        attackers = [at for at, hole in enumerate(self.holes) if hole.mark in {"*", "~"}]
        self.pivot = attackers[-1] if attackers else len(self.holes) - 1

    @property
    def opens(self) -> bool:
        """Whether attacker text with line breaks stands in it, so that the next head may be forged."""
        return any(hole.mark == "*" for hole in self.holes)

    @property
    def ending(self) -> str:
        """The literal part before the last hole: where it stands, the text is nearly complete."""
        return self.literals[-2] if self.holes else ""

    def match(self, text: str) -> dict[str, object] | None:
        """What stands in each hole, or None when the text isn't made from this template."""
        left, right = len(self._first), len(text) - len(self._last)
        if not self.holes:
            return {} if text == self._first else None
        if left > right or not text.startswith(self._first) or not text.endswith(self._last):
            return None
        found: dict[str, str] = {}
        for at in range(self.pivot):
            end = self._end_of(at, text, left, right)
            if end < 0:
                return None
            found[self.holes[at].name] = text[left:end]
            left = end + len(self.literals[at + 1])
        return self._match_back(text, left, right, found)

    def begun(self, text: str) -> dict[str, object] | None:
        """What stands in each hole of a text that stops in the middle of this template; None when it doesn't."""
        if not text.startswith(self._first):
            return None
        left, found = len(self._first), dict[str, object]()
        for at, hole in enumerate(self.holes):
            end = self._end_of(at, text, left, len(text)) if self.literals[at + 1] else -1
            value = text[left:end] if end >= 0 else text[left:]
            found |= self._typed({hole.name: value}, (hole,)) or {}
            if end < 0:
                return None if hole.mark != "*" and _ANOTHER_FIELD.search(value) else found
            left = end + len(self.literals[at + 1])
        return None

    def _match_back(self, text: str, left: int, right: int, found: dict[str, str]) -> dict[str, object] | None:
        for at in range(len(self.holes) - 1, self.pivot, -1):
            literal = self.literals[at]
            start = text.rfind(literal, left, right)
            if start < 0:
                return None
            found[self.holes[at].name] = text[start + len(literal) : right]
            right = start
        found[self.holes[self.pivot].name] = text[left:right]
        return self._typed(found, self.holes)

    def _end_of(self, at: int, text: str, left: int, right: int) -> int:
        literal = self.literals[at + 1]
        if self.holes[at].mark == "?":
            debug = DEBUG_VALUE.match(text, left, right)
            if debug is not None and text.startswith(literal, debug.end()):
                return debug.end()
        return text.find(literal, left, right)

    def _typed(self, found: dict[str, str], holes: tuple[Hole, ...]) -> dict[str, object] | None:
        typed: dict[str, object] = {}
        for name, mark in holes:
            value = found[name]
            if mark != "#":
                typed[name] = value
            elif value in _TRUTHS:
                typed[name] = _TRUTHS[value]
            elif _NUMBER.match(value):
                typed[name] = float(value) if "." in value else int(value)
            else:
                return None
        return typed
