"""A real server on 127.0.0.1 that answers each connection as a test says: byte by byte, nothing of HTTP is assumed."""

import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

Behaviour = Callable[["Peer"], None]

VITALS = b'{"cpu_usage": "12%", "memory_usage": 34.5, "disk_space": "56 %", "uptime": "1d 2h", "connections": "7"}'


@dataclass
class Peer:
    """One connection, after its request was read."""

    connection: socket.socket
    request: bytes
    stopped: threading.Event

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the test is over, or that long; True when it is over."""
        return self.stopped.wait(seconds)


@dataclass
class Loopback:
    """What a test knows of its server; `behaviour` may be changed while it runs."""

    behaviour: Behaviour
    port: int
    host: str = "127.0.0.1"
    stopped: threading.Event = field(default_factory=threading.Event)
    requests: list[bytes] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(10)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            request = b""
            while b"\r\n\r\n" not in request and (block := connection.recv(65536)):
                request += block
            self.requests.append(request)
            self.behaviour(Peer(connection, request, self.stopped))
        except OSError:
            pass  # the client hung up on us, as many of these tests want it to
        finally:
            connection.close()


@contextmanager
def loopback(behaviour: Behaviour, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Generator[Loopback]:
    listener = socket.create_server((host, 0), backlog=512)
    server = Loopback(behaviour, listener.getsockname()[1], host, tls=tls)
    threads: list[threading.Thread] = []

    def accept() -> None:
        while not server.stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=server.serve, args=(connection,), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        server.stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)
        for thread in threads:
            thread.join(5)


def closed_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def answer(body: bytes, content_type: str = "application/json", status: str = "200 OK", headers: str = "") -> Behaviour:
    """A proper answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return lambda peer: peer.send(head.encode() + body)


def raw(data: bytes) -> Behaviour:
    """These bytes, then the end of the connection."""
    return lambda peer: peer.send(data)


def hang(peer: Peer) -> None:
    """Accept, and never answer."""
    peer.wait()


def drip(peer: Peer) -> None:
    """A head at once, then one byte of body now and then, for ever."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n")
    while not peer.wait(0.02):
        peer.send(b" ")


def endless(peer: Peer) -> None:
    """A body that never ends, as fast as it goes."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not peer.wait(0):
        peer.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def continue_for_ever(peer: Peer) -> None:
    """Interim answers only."""
    while not peer.wait(0):
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
