"""Our own visits in a honeypot's log: told from attacks, so that collecting never counts as being attacked.

A record is ours when its peer is an address of our collectors, or when it is a request for one of the registry's two
paths that carries a token: nobody else has a reason to send one. No network is asked.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from rustbucket_pipeline.events.record import Parsed
from rustbucket_pipeline.events.values import address_of
from rustbucket_pipeline.net.addresses import Network, parse_networks

if TYPE_CHECKING:
    from rustbucket_pipeline.settings import Settings

Networks = Iterable[Network]

PATHS: Final = (b"/update_bucket", b"/extract_logs")
"""What the registry's own requests ask for."""

_REQUEST: Final = re.compile(r"\s*(\w{1,16}) (/(?:update_bucket|extract_logs)/?(?:\?\S*)?)(?=\s|\Z)", re.ASCII)
_TOKEN: Final = re.compile(r"^authorization:[ \t]*token[ \t]", re.IGNORECASE | re.MULTILINE)
_TOLD_WITHIN = 2_000_000
"""Microseconds in which the other tellings of a request follow the first."""


def collectors_of(settings: "Settings") -> tuple[Network, ...]:
    """The networks from which we ask.

    Raises:
        ConfigurationError: one of them is none.
    """
    return parse_networks(settings.collector_addresses, "RUSTBUCKET_COLLECTOR_ADDRESSES")


class OwnTraffic:
    """Marks what is ours in one log."""

    def __init__(self, collectors: Networks = ()) -> None:
        """`collectors`: the networks from which we ask."""
        self._networks = tuple(collectors)
        self._known = lru_cache(maxsize=4096)(self._is_ours) if self._networks else None
        self._asked: tuple[str, str] | None = None
        self._until = 0

    def mark(self, parsed: Parsed, at: int) -> None:
        """Mark the record (event time in microseconds) if it is ours."""
        parsed.own = self._from_us(parsed) or self._asks(parsed, at) or self._tells_again(parsed, at)

    def _from_us(self, parsed: Parsed) -> bool:
        value = parsed.fields.get(parsed.spelled.get("client_ip", "client_ip"))
        return isinstance(value, str) and self.comes_from_us(value)

    def comes_from_us(self, client_ip: str) -> bool:
        """Whether a peer, as the log writes it, is one of our collectors."""
        return self._known is not None and self._known(client_ip)

    def _is_ours(self, text: str) -> bool:
        address = address_of(text)
        return address is not None and any(ip_address(address.ip) in network for network in self._networks)

    def _asks(self, parsed: Parsed, at: int) -> bool:
        if parsed.meaning.event_type != "request":
            return False
        text = parsed.fields.get("request", parsed.fields.get("command"))
        asked = _REQUEST.match(text) if isinstance(text, str) else None
        if asked is None or not isinstance(text, str) or not _TOKEN.search(text):
            return False
        self._asked, self._until = (asked[1], asked[2]), at + _TOLD_WITHIN
        return True

    def _tells_again(self, parsed: Parsed, at: int) -> bool:
        """`Request parsed` and what follows name method and path, but not the token."""
        if self._asked is None or at > self._until:
            return False
        return (parsed.fields.get("method"), parsed.fields.get("path")) == self._asked
