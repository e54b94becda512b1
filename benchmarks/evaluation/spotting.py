"""What must never stand in prose, found by other means than those of the wall that keeps it out."""

import ipaddress
import re
from collections.abc import Iterator

from rustbucket_pipeline.analysis.page import Prose

_AROUND = " \t\n\"'.,;:!?()"
_TOP_LEVELS = frozenset(
    {"com", "net", "org", "io", "ru", "cn", "example", "dev", "info", "biz", "xyz", "sh", "exe", "gif", "json"}
)


def texts_of(prose: Prose | None) -> Iterator[str]:
    """Everything a person reads of it, but what rules wrote."""
    if prose is not None:
        yield prose.summary
        yield from prose.recommendations
        for finding in prose.findings:
            if finding.origin == "claude":
                yield from (finding.title, finding.why)


def spotted(text: str) -> list[str]:
    """Words that look like an indicator, a link, markup or a mention."""
    words = [word.strip(_AROUND) for word in text.split()]
    found = [word for word in words if _is_address(word) or _is_name(word) or _is_hash(word)]
    marks = ("://", "](", "<", ">", "`", "@", "javascript:", "${", "{{", "www.", "../")
    return found + [mark for mark in marks if mark in text.lower()]


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_network(word, strict=False)
    except ValueError:
        return False
    return not word.isdigit()  # `ip_network` takes a number for an address


def _is_name(word: str) -> bool:
    labels = word.lower().split(".")
    return len(labels) > 1 and labels[-1] in _TOP_LEVELS and all(labels)


def _is_hash(word: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-fA-F]{16,}", word))
