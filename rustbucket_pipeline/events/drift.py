"""Messages of no known template, as templates: where the format of the log changes, it shows here first.

A template is a message with whatever varies blanked: numbers, hex, addresses, quoted parts. Bounded in number and
length, for attackers can make messages too. What becomes of them is not decided here.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from rustbucket_pipeline.events.record import Parsed

MOST_TEMPLATES = 100
"""Templates kept of a rustbucket's hour; the others count as one, `MORE`."""

LONGEST_TEMPLATE = 160
MORE: Final = "… and more"

_SCANNED = 1024
_VARIES = re.compile(
    r'"(?:[^"\\]|\\.)*+"|\'[^\']*+\''
    r"|\[?(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,8}[0-9a-fA-F.]{0,15}\]?(?::\d+)?"
    r"|\b(?:0x)?(?=[a-zA-Z]*\d)[0-9a-fA-F]{6,}\b|\d+(?:[.:]\d+)*",
    re.DOTALL,
)


class Template(NamedTuple):
    """Where a message comes from, and its unvarying part."""

    target: str
    template: str


def template_of(parsed: Parsed) -> Template:
    """The record's; of several lines only the first says anything."""
    line = parsed.message[:_SCANNED].partition("\n")[0]
    return Template(_shown(parsed.target or ""), _shown(_VARIES.sub("*", line)))


def _shown(text: str) -> str:
    """Bounded, and without what a column or a terminal can't take."""
    return "".join(letter if letter.isprintable() else "·" for letter in text[:LONGEST_TEMPLATE])


class Drift:
    """The unknown templates of a rustbucket's hour."""

    def __init__(self) -> None:
        """None yet."""
        self._seen: Counter[Template] = Counter()

    def add(self, parsed: Parsed) -> None:
        """One more record of unknown message."""
        template = template_of(parsed)
        if template not in self._seen and len(self._seen) >= MOST_TEMPLATES:
            template = Template("", MORE)
        self._seen[template] += 1

    def seen(self) -> Iterator[tuple[Template, int]]:
        """Each template, and how many records it has; the most frequent first."""
        yield from sorted(self._seen.items(), key=lambda item: (-item[1], item[0]))
