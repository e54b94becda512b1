"""The HTTP endpoints of the simulated rustbuckets, on loopback: `/<BKT…>/update_bucket` and `/<BKT…>/extract_logs`.

They answer as the registry's contract says a rustbucket should. The status may be asked without a token, the log not.
A log is read from its file at each request, so a live fleet's log grows while it is served.
"""

import json
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread
from urllib.parse import urlsplit

from rustbucket_pipeline.demo.acts import microseconds
from rustbucket_pipeline.demo.cast import SimulatedRustbucket
from rustbucket_pipeline.demo.files import SERVED_KEY
from rustbucket_pipeline.demo.simulate import Simulation

LOOPBACK = "127.0.0.1"
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})?", re.ASCII)


@contextmanager
def serve_fleet(simulation: Simulation, until: datetime | None = None, port: int = 0) -> Generator[str]:
    """Serve while the context lasts; gives the origin, such as `http://127.0.0.1:40123`.

    A rustbucket's base URL is `<origin>/<id>`. `until`: of the simulated past, serve only what happened before that
    moment (UTC); the default is everything there is, also what a live fleet adds. Port 0: any free one.
    """
    with _FleetServer(simulation, until, port) as server:
        thread = Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="simulated fleet", daemon=True
        )
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _FleetServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, simulation: Simulation, until: datetime | None, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.members = {member.id: member for member in simulation.rustbuckets if member.road == "http"}
        self._simulation = simulation
        self._cuts = _cuts(simulation, until) if until else None

    def log_of(self, member: SimulatedRustbucket) -> bytes:
        """The member's log as it is now, whole lines only."""
        data = (self._simulation.folder_of(member) / SERVED_KEY).read_bytes()
        end = data.rfind(b"\n") + 1
        return data[: end if self._cuts is None else self._cuts.get(member.id, 0)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer, or say that there is no such page."""
        rustbucket_id, _, page = urlsplit(self.path).path.strip("/").partition("/")
        member = self._fleet.members.get(rustbucket_id)
        if member is None or page not in {"update_bucket", SERVED_KEY}:
            self._problem(HTTPStatus.NOT_FOUND)
        elif not self._may_see(member, page):
            self._problem(HTTPStatus.UNAUTHORIZED)
        elif page == "update_bucket":
            self._send(HTTPStatus.OK, "application/json", json.dumps(vitals(member)).encode())
        else:
            self._send_log(self._fleet.log_of(member))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Nothing: what is asked is nobody's news."""

    @property
    def _fleet(self) -> _FleetServer:
        assert isinstance(self.server, _FleetServer)  # noqa: S101 (it is the only one that uses this handler)
        return self.server

    def _may_see(self, member: SimulatedRustbucket, page: str) -> bool:
        given = self.headers.get("Authorization")
        return given == f"Token {member.token}" or (given is None and page == "update_bucket")

    def _send_log(self, data: bytes) -> None:
        headers = {"ETag": f'"{sha256(data).hexdigest()}"', "Accept-Ranges": "bytes"}
        if self.headers.get("If-None-Match") == headers["ETag"]:
            self._send(HTTPStatus.NOT_MODIFIED, "text/plain; charset=utf-8", b"", headers)
            return
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        if asked is None or self.headers.get("If-Range", headers["ETag"]) != headers["ETag"]:
            self._send(HTTPStatus.OK, "text/plain; charset=utf-8", data, headers)
            return
        start, last = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
        if start > last:
            nothing = {**headers, "Content-Range": f"bytes */{len(data)}"}
            self._send(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "text/plain; charset=utf-8", b"", nothing)
            return
        part = {**headers, "Content-Range": f"bytes {start}-{last}/{len(data)}"}
        self._send(HTTPStatus.PARTIAL_CONTENT, "text/plain; charset=utf-8", data[start : last + 1], part)

    def _problem(self, status: HTTPStatus) -> None:
        self._send(status, "application/json", json.dumps({"error": status.phrase}).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def vitals(member: SimulatedRustbucket) -> dict[str, object]:
    """What `update_bucket` answers: flat, or as the newest of a list of updates."""
    rng = Random(member.token)
    answer: dict[str, object] = {
        "name": member.name,
        "cpu_usage": f"{rng.randint(3, 40)}%",
        "memory_usage": f"{rng.randint(20, 70)}%",
        "disk_space": f"{rng.randint(10, 60)}%",
        "uptime": f"{rng.randint(1, 90)} days, {rng.randint(0, 23)} hours",
        "connections": rng.randint(1, 60),
        "version": "0.4.2",
    }
    return {"updates": [answer]} if member.wrapped else answer


def _cuts(simulation: Simulation, until: datetime) -> dict[str, int]:
    """By rustbucket, where the records that happened before `until` end in its served log."""
    ends: dict[str, int] = {}
    for record in simulation.records:
        if record.file == SERVED_KEY and record.event_at < microseconds(until):
            ends[record.rustbucket_id] = record.offset + record.length
    return ends
