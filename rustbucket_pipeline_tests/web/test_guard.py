"""The guard before a small application that counts what gets through to it, over real sockets."""

import http.client
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from rustbucket_pipeline.web.guard import Guard, known_hosts

JSON = {"Content-Type": "application/json"}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
FOREIGN_IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}


@dataclass
class Served:
    """A guarded application, and how often it was reached."""

    port: int
    reached: list[str] = field(default_factory=list[str])

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: str | None = None
    ) -> http.client.HTTPResponse:
        """One request; `Host` is the usual one unless the headers name another."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()

    def refuses(self, method: str, path: str, headers: Mapping[str, str], body: str | None = None) -> int:
        """The status of a refusal; nothing of the request got through."""
        before = len(self.reached)
        status = self.ask(method, path, headers, body).status
        assert len(self.reached) == before
        return status

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        served = Served(listener.getsockname()[1])
        guard = Guard(application(served), served.port, ["Dagster.example.org", "other.example.org:8443"])
        server = uvicorn.Server(uvicorn.Config(guard, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield served
        server.should_exit = True
        thread.join()


def application(served: Served) -> Starlette:
    async def page(request: Request) -> Response:
        served.reached.append(request.method)
        policy = {"Content-Security-Policy": "object-src 'none'", "Referrer-Policy": "unsafe-url"}
        return HTMLResponse("page", headers=policy)

    async def talk(websocket: WebSocket) -> None:
        served.reached.append("websocket")
        await websocket.accept()
        await websocket.close()

    methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
    return Starlette(routes=[Route("/{path:path}", page, methods=methods), WebSocketRoute("/{path:path}", talk)])


@pytest.mark.parametrize("host", ["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST:PORT", "[::1]:PORT"])
def test_pages_are_read_under_every_name_of_this_machine(served: Served, host: str) -> None:
    assert served.ask("GET", "/assets", {"Host": host.replace("PORT", str(served.port))}).status == 200


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "127.0.0.1", "127.0.0.1:1", "localhost.attacker.example:PORT", "127.0.0.2:PORT", "", "é"],
)
def test_a_name_that_was_bound_to_this_machine_reads_nothing(served: Served, host: str) -> None:
    assert served.refuses("GET", "/assets", {"Host": host.replace("PORT", str(served.port))}) == 421


def test_a_request_without_a_host_or_with_two_is_refused(served: Served) -> None:
    before = len(served.reached)
    for hosts in ("", f"Host: 127.0.0.1:{served.port}\r\nHost: attacker.example\r\n"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:
            raw.sendall(f"GET / HTTP/1.0\r\n{hosts}\r\n".encode())
            assert raw.recv(1024).split()[1] in {b"400", b"421"}
    assert len(served.reached) == before


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_the_names_of_a_reverse_proxy_are_served_to_their_own_pages(served: Served, scheme: str) -> None:
    own = {"Host": "dagster.example.org", "Origin": f"{scheme}://dagster.example.org"}
    assert served.ask("POST", "/graphql", {**own, **JSON}, "{}").status == 200
    other = {**own, "Origin": f"{scheme}://other.example.org:8443"}
    assert served.refuses("POST", "/graphql", {**other, **JSON}, "{}") == 403


@pytest.mark.parametrize(
    "origin", ["https://attacker.example", "null", "http://127.0.0.1:1", "http://localhost:PORT", ""]
)
def test_another_page_asks_nothing(served: Served, origin: str) -> None:
    foreign = {"Origin": origin.replace("PORT", str(served.port))}
    assert served.refuses("POST", "/graphql", {**foreign, **JSON}, "{}") == 403
    assert served.refuses("GET", "/assets", foreign) == 403


def test_the_page_itself_and_programs_without_a_page_may_ask(served: Served) -> None:
    assert served.ask("POST", "/graphql", {"Origin": served.origin, **JSON}, "{}").status == 200
    assert served.ask("POST", "/graphql", {"Content-Type": "Application/JSON; charset=utf-8"}, "{}").status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/graphql", "/graphql?query=mutation", "/%67raphql?query={version}"])
def test_nothing_is_asked_by_an_address(served: Served, method: str, path: str) -> None:
    assert served.refuses(method, path, {}) == 405


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused_and_preflights_with_them(served: Served, method: str) -> None:
    assert served.refuses(method, "/graphql", JSON) == 405
    assert served.refuses(method, "/assets", JSON) == 405


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/graphql", None]
)
@pytest.mark.parametrize("path", ["/graphql?query=mutation", "/report_asset_materialization/a", "/anything"])
def test_a_form_changes_nothing(served: Served, kind: str | None, path: str) -> None:
    assert served.refuses("POST", path, {"Content-Type": kind} if kind else {}, "") == 415


def test_an_image_a_script_or_a_frame_of_another_page_reads_nothing(served: Served) -> None:
    assert served.refuses("GET", "/assets", FOREIGN_IMAGE) == 403
    assert served.refuses("GET", "/assets", {**FOREIGN_IMAGE, "Sec-Fetch-Site": "same-site"}) == 403
    frame = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert served.refuses("GET", "/assets", frame) == 403


def test_a_link_elsewhere_leads_to_a_page(served: Served) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert served.ask("GET", "/runs/1", link).status == 200
    assert served.refuses("POST", "/graphql", {**link, **JSON}, "{}") == 403


def test_a_websocket_opens_for_the_page_itself_only(served: Served) -> None:
    assert served.ask("GET", "/graphql", {**UPGRADE, "Origin": served.origin}).status == 101
    for origin in ("https://attacker.example", "null", f"http://localhost:{served.port}"):
        assert served.refuses("GET", "/graphql", {**UPGRADE, "Origin": origin}) == 403
    assert served.refuses("GET", "/graphql", UPGRADE) == 403
    assert served.refuses("GET", "/other", {**UPGRADE, "Origin": served.origin}) == 403
    rebound = {**UPGRADE, "Host": "attacker.example", "Origin": "http://attacker.example"}
    assert served.refuses("GET", "/graphql", rebound) == 403


def test_every_answer_says_what_browsers_may_do_with_it(served: Served) -> None:
    for answer in (served.ask("GET", "/assets", {}), served.ask("GET", "/graphql", {})):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers.get_all("Referrer-Policy") == ["no-referrer"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        policy = (answer.headers.get_all("Content-Security-Policy") or [])[-1]
        assert "img-src 'self' data: blob:" in policy
        assert "form-action 'none'" in policy
        assert "frame-ancestors 'none'" in policy
    assert served.ask("GET", "/assets", {}).headers.get_all("Content-Security-Policy", [])[0] == "object-src 'none'"


def test_on_port_80_the_names_go_without_a_port() -> None:
    hosts = known_hosts(80, ())
    assert hosts[b"localhost"] == {b"http://localhost"}
    assert b"localhost:80" not in hosts
