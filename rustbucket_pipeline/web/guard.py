"""What stands before Dagster's web server: it lets in the browser tab of whoever runs this, and no other page.

Dagster's own server answers any Host and any Origin and runs GraphQL mutations over GET, so a page somewhere else, or
an image in a log, could start and delete runs. Pure ASGI, a look at a few headers for each request; no Dagster here.
Whoever may open a connection and say the right Host is let in: this is no login.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

GRAPHQL = "/graphql"
READING = frozenset({"GET", "HEAD"})
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
POLICY_VIOLATION = 1008
"""WebSocket close code; before the handshake it becomes HTTP 403."""

HEADERS: Mapping[bytes, bytes] = {
    # A second policy: browsers hold a page to all of them. Dagster's own says which inline scripts.
    b"content-security-policy": b"; ".join(
        (
            b"default-src 'none'",
            b"script-src 'self' 'unsafe-inline' blob:",
            b"style-src 'self' 'unsafe-inline'",
            b"img-src 'self' data: blob:",
            b"font-src 'self' data:",
            b"connect-src 'self'",
            b"worker-src 'self' blob:",
            b"manifest-src 'self'",
            b"base-uri 'none'",
            b"form-action 'none'",
            b"frame-ancestors 'none'",
        )
    ),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}
"""Added to every answer; the same header of the server behind gives way, except its own content policy."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that goes no further: an HTTP status, and one line for whoever sent it."""

    status: int
    reason: str


class Guard:
    """An ASGI application around another one, served on `port` of loopback.

    `proxied` are further hosts, as browsers name them (`dagster.example.org`, `dagster.example.org:8443`), under which
    a reverse proxy serves the same.
    """

    def __init__(self, app: ASGIApp, port: int, proxied: Iterable[str] = ()) -> None:
        """Fix who may ask for what; nothing is read later."""
        self._app = app
        self._origins = known_hosts(port, proxied)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, one WebSocket or the server's start and end."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if kind == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refusal.reason})
            return
        if refusal is None:
            await self._app(scope, receive, _hardened(send))
        else:
            await _refuse(refusal, _hardened(send))

    def _refusal(self, scope: Scope) -> Refusal | None:
        """Why this request goes no further; None lets it in."""
        headers = _by_name(scope["headers"])
        hosts = headers.get(b"host", [])
        allowed = self._origins.get(hosts[0].lower()) if len(hosts) == 1 else None
        if allowed is None:
            return Refusal(421, "not a host of this server; RUSTBUCKET_WEB_HOSTS names further ones")
        origins = headers.get(b"origin", [])
        if any(origin.lower() not in allowed for origin in origins):
            return Refusal(403, "this request comes from another page")
        if scope["type"] == "websocket":
            return None if origins and scope["path"] == GRAPHQL else Refusal(403, "no WebSocket here for this page")
        return _foreign(scope["method"], headers) or _form(scope["method"], scope["path"], headers)


def known_hosts(port: int, proxied: Iterable[str]) -> dict[bytes, frozenset[bytes]]:
    """Each Host that may be asked for, in lower case, and the Origins of its own pages."""
    known: dict[bytes, frozenset[bytes]] = {}
    for name in LOOPBACK:
        # Browsers leave out port 80, which is http's own.
        host = name.encode() if port == 80 else f"{name}:{port}".encode()
        known[host] = frozenset({b"http://" + host})
    for name in proxied:
        host = name.lower().encode()
        known[host] = frozenset({b"https://" + host, b"http://" + host})
    return known


def _by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value)
    return found


def _foreign(method: str, headers: Mapping[bytes, Sequence[bytes]]) -> Refusal | None:
    """Browsers say from where a request comes: from elsewhere, only following a link to a page is allowed.

    Another port of the same host is `same-site`, and as foreign as any. Programs that are no browsers say nothing.
    """
    if all(site in {b"same-origin", b"none"} for site in headers.get(b"sec-fetch-site", [])):
        return None
    link = headers.get(b"sec-fetch-mode") == [b"navigate"] and headers.get(b"sec-fetch-dest") == [b"document"]
    return None if link and method in READING else Refusal(403, "this request comes from another page")


def _form(method: str, path: str, headers: Mapping[bytes, Sequence[bytes]]) -> Refusal | None:
    """Pages are read; everything that asks or acts is a POST of JSON, which no foreign form or image can send."""
    if method in READING and path != GRAPHQL:
        return None
    if method != "POST":
        return Refusal(405, "GraphQL is asked by POST" if path == GRAPHQL else "only GET, HEAD and POST are served")
    kinds = headers.get(b"content-type", [])
    if len(kinds) == 1 and kinds[0].partition(b";")[0].strip().lower() == b"application/json":
        return None
    return Refusal(415, "only application/json is taken")


def _hardened(send: Send) -> Send:
    """The same way out, with `HEADERS` on every answer."""

    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", ())
                if name.lower() not in HEADERS or name.lower() == b"content-security-policy"
            ]
            message = {**message, "headers": [*kept, *HEADERS.items()]}
        await send(message)

    return hardened


async def _refuse(refusal: Refusal, send: Send) -> None:
    body = f"{refusal.reason}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if refusal.status == 405:
        headers.append((b"allow", b"GET, HEAD, POST"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
