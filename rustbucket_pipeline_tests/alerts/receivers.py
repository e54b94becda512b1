"""Services that take messages about alerts, on loopback: one that Apprise's `json://` posts to, and a fake Sentry."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Service:
    """What came in, and how it answers: with `status`, after `hold` is released."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.server: ThreadingHTTPServer

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    @property
    def url(self) -> str:
        """As Apprise writes it."""
        return f"json://user:hunter2-token@127.0.0.1:{self.port}/hook"

    @property
    def dsn(self) -> str:
        return f"http://hunter2key@127.0.0.1:{self.port}/42"

    @property
    def messages(self) -> list[dict[str, str]]:
        """What Apprise sent."""
        return [json.loads(body) for _, _, body in self.got]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in Sentry's envelopes."""
        return [json.loads(body.split(b"\n")[2]) for _, _, body in self.got]


@contextmanager
def service() -> Iterator[Service]:
    """A service that takes everything unless it is told otherwise."""
    taking = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taking.got.append((self.path, dict(self.headers), body))
            self.send_response(taking.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    taking.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=taking.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield taking
    finally:
        taking.server.shutdown()
        thread.join()
        taking.server.server_close()
