"""The first line of a report: how bad, what is new, what to do. Made of our own words and counts only."""

from collections.abc import Sequence

from rustbucket_pipeline.analysis.contents import Digest
from rustbucket_pipeline.analysis.findings import Finding


def headline_of(digest: Digest, findings: Sequence[Finding]) -> str:
    """One line, e.g. `HIGH: A file is fetched … (F1, and 4 more). New: 12 addresses, 3 URLs. Do: Block the hosts …`."""
    return " ".join(part for part in (_how_bad(digest, findings), _what_is_new(digest), _what_to_do(findings)) if part)


def _how_bad(digest: Digest, findings: Sequence[Finding]) -> str:
    if findings:
        first, others = findings[0], len(findings) - 1
        more = f", and {others} more" if others else ""
        return f"{first.severity.value.upper()}: {first.title} ({first.id}{more})."
    if digest.totals.events:
        return "INFO: nothing that a rule knows."
    if digest.completeness.silent or not digest.completeness.expected:
        return "UNKNOWN: no record of this window is at hand."
    return "INFO: a quiet window; every rustbucket was heard of later."


def _what_is_new(digest: Digest) -> str:
    if not digest.totals.events:
        return ""
    if not digest.baseline.windows:
        return "Nothing to compare with yet: the 7 days before hold no record."
    new = digest.indicators.new
    listings = (digest.commands, digest.paths, digest.credentials)
    others = sum(sum(row.is_new for row in listing.rows) + listing.hidden_new for listing in listings)
    if not new and not others:
        return "New: nothing."
    used = _number(others, "command, path or credential", "commands, paths or credentials")
    return f"New: {_number(new, 'indicator')}, {used}."


def _what_to_do(findings: Sequence[Finding]) -> str:
    return f"Do: {findings[0].advice}" if findings else ""


def _number(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
