"""One address as it stands in text: how it is spelled, where it is one and not part of a longer one, and its mask.

Spelled otherwise (in hex, backwards, in words) it isn't found.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from rustbucket_pipeline.errors import UsageError

LONGEST = 39
"""Characters of an address, at most."""

_BEFORE = {4: r"(?<![0-9])(?<![0-9]\.)", 6: r"(?<![0-9A-Fa-f])(?<![0-9]:)"}
_AFTER = {4: r"(?![0-9])(?!\.[0-9])", 6: r"(?![0-9A-Fa-f])(?!:[0-9A-Fa-f])"}


@dataclass(frozen=True, slots=True)
class AddressText:
    """An address to be found in text: `canonical` is how we keep it, `spellings` how logs may have it."""

    canonical: str
    spellings: tuple[str, ...]
    version: int

    @property
    def pattern(self) -> str:
        """A regular expression that matches it, whatever its case; as Python's `re` and PostgreSQL have it."""
        return self._where_it_is("|".join(one.replace(".", r"\.") for one in self.spellings))

    @property
    def masks(self) -> dict[str, str]:
        """A pattern for each spelling, and what stands in its place."""
        return {self._where_it_is(one.replace(".", r"\.")): "#" * len(one) for one in self.spellings}

    def _where_it_is(self, spelled: str) -> str:
        return f"{_BEFORE[self.version]}(?:{spelled}){_AFTER[self.version]}"

    def in_bytes(self) -> re.Pattern[bytes]:
        """The same for bytes."""
        return re.compile(self.pattern.encode("ascii"), re.IGNORECASE)

    def in_text(self) -> re.Pattern[str]:
        """The same for text."""
        return re.compile(self.pattern, re.IGNORECASE)


def address_text(written: str) -> AddressText:
    """The address that a person wrote.

    Raises:
        UsageError: it is none.
    """
    try:
        address = ip_address(written)
    except ValueError:
        raise UsageError(f"{written[:80]!r} is no address; write one like 192.0.2.7 or 2001:db8::7") from None
    spellings = dict.fromkeys((str(address), address.exploded))
    return AddressText(str(address), tuple(spellings), address.version)


def masked(found: re.Match[str]) -> str:
    """As many `#` as what was found has characters."""
    return "#" * len(found[0])
