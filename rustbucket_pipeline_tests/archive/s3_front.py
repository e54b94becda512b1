"""A door in front of the S3 server that lets requests through, or answers as a test says; and a bucket behind it."""

import http.client
import itertools
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

Answer = tuple[int, str]
Rule = Callable[[str, str], Answer | None]
"""Method and path with query → status and S3 error code to answer with, or None to let it through."""

names = (f"sources{number}" for number in itertools.count(1))

ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>as the test says</Message></Error>'


@dataclass
class Front:
    """What a test knows of the door. `rule` may be changed at any time; `requests` are those that came.

    The next body asked for by range ends after `cut` bytes, with its connection.
    """

    endpoint: str
    rule: Rule = lambda _method, _path: None
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    cut: int | None = None


class Door(ThreadingHTTPServer):
    """The listening side: it knows what the test says, and where the S3 server is."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind = behind
        self.front = Front(f"http://127.0.0.1:{self.server_port}")


class Handler(BaseHTTPRequestHandler):
    """One connection through the door."""

    protocol_version = "HTTP/1.1"
    server: Door

    def handle_any(self) -> None:
        front, body = self.server.front, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        front.requests.append((self.command, self.path, self.headers.get("Range", "")))
        answer = front.rule(self.command, self.path)
        if self.headers.get("x-amz-expected-bucket-owner", DEFAULT_ACCOUNT_ID) != DEFAULT_ACCOUNT_ID:
            answer = 403, "AccessDenied"  # as S3 does, unlike the server behind
        if answer is not None:
            self.reply(answer[0], ERROR.format(answer[1]).encode(), [("Content-Type", "application/xml")])
            return
        connection = http.client.HTTPConnection(self.server.behind, timeout=30)
        connection.request(self.command, self.path, body, dict(self.headers.items()))
        got = connection.getresponse()
        dropped = {"transfer-encoding", "connection", "date", "server"}
        headers = [(name, value) for name, value in got.getheaders() if name.lower() not in dropped]
        self.reply(got.status, got.read(), headers)
        connection.close()

    def reply(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        front = self.server.front
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        if front.cut is not None and self.headers.get("Range"):
            body, front.cut, self.close_connection = body[: front.cut], None, True
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def front_of(server: str) -> Generator[Front]:
    """Open a door in front of the S3 server at that endpoint."""
    door = Door(urlsplit(server).netloc)
    thread = threading.Thread(target=door.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield door.front
    finally:
        door.shutdown()
        door.server_close()
        thread.join(5)


def client_of(endpoint: str):
    """A client as the assets have it: few, bounded tries."""
    config = Config(retries={"max_attempts": 2, "mode": "standard"})
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config)


@dataclass
class Bucket:
    """A bucket of the server, filled in its own process: 10,000 puts over HTTP would take half a minute."""

    name: str = field(default_factory=lambda: next(names))

    def __post_init__(self) -> None:
        self._backend.create_bucket(self.name, "us-east-1")

    @property
    def _backend(self):
        return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]

    def put(self, key: str, data: bytes) -> None:
        self._backend.put_object(self.name, key, data)

    def delete(self, key: str) -> None:
        self._backend.delete_object(self.name, key)

    def vanish(self) -> None:
        for key in list(self._backend.get_bucket(self.name).keys):
            self.delete(key)
        self._backend.delete_bucket(self.name)
