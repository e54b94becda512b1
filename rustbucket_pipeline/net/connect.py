"""Connections for `httpcore` (the engine of httpx) that go to checked addresses only and end at a deadline.

Every byte of an answer passes `BoundedStream.read`: time and wire bytes are bounded there, whatever HTTP does above.
"""

import ssl
import time
from collections.abc import Iterable
from ipaddress import ip_address

import httpcore

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.net.addresses import Address
from rustbucket_pipeline.net.guard import Guard

GREETING = b"HTTP/"


class BoundedStream(httpcore.NetworkStream):
    """A connection that stops at a moment (`time.monotonic`, seconds) and after so many bytes read."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float, max_bytes: int) -> None:
        """`ended` turns true once the other side closed the connection."""
        self._stream = stream
        self._deadline = deadline
        self._left = max_bytes
        self._head = b""
        self.ended = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes. Raises `FetchFailed` when there are too many, or when they don't begin as HTTP does."""
        data = self._stream.read(max_bytes, _remaining(self._deadline, httpcore.ReadTimeout))
        self.ended = not data
        self._left -= len(data)
        if self._left < 0:
            raise FetchFailed("it sent more bytes than allowed", Outcome.INVALID)
        if len(self._head) < len(GREETING):
            self._head = (self._head + data)[: len(GREETING)]
            if not GREETING.startswith(self._head):
                raise FetchFailed("it answered with something that isn't HTTP", Outcome.DECOY)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything."""
        self._stream.write(buffer, _remaining(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted and verified, with what is left of its time and bytes."""
        seconds = _remaining(self._deadline, httpcore.ConnectTimeout)
        self._stream = self._stream.start_tls(ssl_context, server_hostname, seconds)
        return self

    def get_extra_info(self, info: str) -> object:
        """What httpcore asks of a connection."""
        return self._stream.get_extra_info(info)


class GuardedBackend(httpcore.NetworkBackend):
    """Opens one bounded connection to an address that the guard checked, and to no other."""

    def __init__(self, guard: Guard, deadline: float, max_bytes: int) -> None:
        """`deadline` by `time.monotonic`, seconds; `max_bytes` counts everything on the wire."""
        self._guard = guard
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._backend = httpcore.SyncBackend()
        self.stream: BoundedStream | None = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve, check every address, connect to the first of them that answers."""
        seconds = _remaining(self._deadline, httpcore.ConnectTimeout)
        addresses = self._guard.addresses(host, port, seconds)
        for later, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
            share = _remaining(self._deadline, httpcore.ConnectTimeout) / (later + 1)
            try:
                stream = self._backend.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not later:
                    raise
                continue
            _check_peer(stream, address)
            self.stream = BoundedStream(stream, self._deadline, self._max_bytes)
            return self.stream
        raise FetchFailed(f"{host} has no address; check its DNS", Outcome.UNREACHABLE)


def _remaining(deadline: float, expired: type[httpcore.TimeoutException]) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise expired("its time was up")
    return seconds


def _check_peer(stream: httpcore.NetworkStream, address: Address) -> None:
    peer: tuple[str, int] = stream.get_extra_info("server_addr")
    if ip_address(peer[0]) != address:
        stream.close()
        raise FetchFailed(f"the connection to {address} ended elsewhere; check the network", Outcome.BLOCKED)
