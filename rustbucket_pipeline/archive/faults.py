"""What can be wrong with the archive, by name. Who looks for it: `verify` and `custody`."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """One kind of thing that must not be."""

    MISSING = "missing"
    """The ledger names an object that the store doesn't hold."""
    ALTERED = "altered"
    """An object holds other bytes than the ledger says."""
    ORPHANED = "orphaned"
    """An object that the ledger doesn't name, and no pull is about to."""
    BROKEN_LINK = "broken link"
    """Two segments of a log don't follow each other, or a link of the hash chain was changed."""
    MANIFEST = "manifest"
    """A signed manifest is gone, unreadable, changed, or not signed by this home."""
    REWRITTEN = "rewritten"
    """The ledger says otherwise than a signed manifest: history was changed in the database."""
    UNSIGNED = "unsigned"
    """Segments claim to be older than the newest manifest, which doesn't know them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: with which object, log or manifest, and how. May hold names of a source's files."""

    fault: Fault
    subject: str
    detail: str
    rustbucket_id: str | None = None
