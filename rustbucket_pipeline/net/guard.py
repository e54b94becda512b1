"""Whom we may connect to: every address a name resolves to must pass, and the connection goes to one that was checked.

It also holds how the other side proves itself (TLS, verified). It opens no connection; `connect.py` does.
"""

import queue
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.net.addresses import Address, Network, parse_address, parse_networks, refusal
from rustbucket_pipeline.net.urls import Url
from rustbucket_pipeline.settings import Settings

PUBLIC_PORTS = frozenset({80, 443, 8080, 8443})
"""Ports contacted on public addresses; in allowed networks any port may be."""

MOST_ADDRESSES = 16
"""A name with more addresses isn't one honeypot."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What an operator allows. Shared by any number of threads.

    `owners`: whose the registered addresses are. Nobody else is asked there: another's token would arrive.
    """

    allowed: tuple[Network, ...]
    tls: ssl.SSLContext
    owners: Mapping[Address, str] = field(default_factory=dict[Address, str])
    asked: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "Guard":
        """The guard these settings ask for. Raises `ConfigurationError` for a malformed network."""
        return cls(parse_networks(settings.allowed_networks), ssl.create_default_context())

    def among(self, fleet: Sequence[Rustbucket]) -> "Guard":
        """The same for this fleet; of two that share an address the first owns it."""
        owners: dict[Address, str] = {}
        for rustbucket in fleet:
            address = parse_address(rustbucket.ip_address or "")
            if address and rustbucket.status != Status.INACTIVE:
                owners.setdefault(address, rustbucket.id)
        return replace(self, owners=owners)

    def asking(self, rustbucket_id: str) -> "Guard":
        """The same while this rustbucket is asked."""
        return replace(self, asked=rustbucket_id)

    def check(self, address: Address, port: int) -> None:
        """Nothing when it may be contacted, else `FetchFailed` (`blocked`) with the reason."""
        if (owner := self.owners.get(address, self.asked)) != self.asked:
            raise _blocked(f"{address} is registered as that of {owner}; each rustbucket needs its own")
        if any(address in network for network in self.allowed):
            return
        if reason := refusal(address, self.allowed):
            raise _blocked(f"{address} is {reason}; RUSTBUCKET_ALLOWED_NETWORKS can allow it")
        if port not in PUBLIC_PORTS:
            ports = ", ".join(map(str, sorted(PUBLIC_PORTS)))
            raise _blocked(f"port {port} isn't contacted on public addresses; use one of {ports}")

    def check_url(self, url: Url) -> None:
        """Check a URL whose host is an address; a name is checked each time it is resolved."""
        if address := parse_address(url.host):
            self.check(address, url.port)

    def addresses(self, host: str, port: int, seconds: float) -> list[Address]:
        """The addresses of a host, each checked. Raises `FetchFailed`; takes at most that many seconds."""
        literal = parse_address(host)
        found = [literal] if literal else _resolve(host, port, seconds)
        for address in found:
            self.check(address, port)
        return found


def _blocked(message: str) -> FetchFailed:
    return FetchFailed(message, Outcome.BLOCKED)


def _resolve(host: str, port: int, seconds: float) -> list[Address]:
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()
    # getaddrinfo can't be interrupted: it is left behind, in a thread that nothing waits for, when it takes too long.
    threading.Thread(target=_look_up, args=(host, port, answers), name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0))
    except queue.Empty:
        raise FetchFailed(f"the name {host} wasn't resolved in time; check its DNS", Outcome.TIMEOUT) from None
    if isinstance(answer, OSError):
        raise FetchFailed(f"the name {host} has no address; check its DNS", Outcome.UNREACHABLE) from answer
    if len(answer) > MOST_ADDRESSES:
        raise _blocked(f"the name {host} has {len(answer)} addresses; register an address instead")
    addresses = [parse_address(text) for text in answer]
    if not addresses or None in addresses:
        raise _blocked(f"the name {host} has an address with a zone; register an address instead")
    return [address for address in addresses if address]


def _look_up(host: str, port: int, answers: queue.SimpleQueue[list[str] | OSError]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        answers.put(error)
    except UnicodeError:
        answers.put(OSError("the name can't be encoded"))
    else:
        answers.put(list(dict.fromkeys(str(address[0]) for *_, address in found)))
