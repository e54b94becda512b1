"""Fetches bounded in time, bytes and headers: one GET, no redirect followed, no compression, no proxy, no cookie.

`stream_bytes` hands a long body over in blocks; `fetch` reads a short one. What an answer means is the caller's.
"""

import errno
import ssl
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpcore

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.net.connect import GuardedBackend
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.net.urls import Url, parse_url

MOST_HEADERS = 100
FRAMING_BYTES = 256 * 1024
"""Wire bytes allowed beyond twice the body: heads, chunk sizes, interim answers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost: seconds from start to last byte, and bytes of body."""

    seconds: float
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Header names are lower-case; of a repeated header the first counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def content_type(self) -> str:
        """The media type without parameters, lower-case; empty when there is none."""
        return media_type(self.headers)


class Stream(Iterator[bytes]):
    """An answer whose body is read block by block; raises `FetchFailed` on the way if it breaks a limit."""

    def __init__(self, status: int, headers: Mapping[str, str], blocks: Iterator[bytes]) -> None:
        """`headers` as in `Answer`."""
        self.status = status
        self.headers = headers
        self._blocks = blocks

    @property
    def content_type(self) -> str:
        """The media type without parameters, lower-case; empty when there is none."""
        return media_type(self.headers)

    @property
    def etag(self) -> str | None:
        """What names this content, if the other side says."""
        return self.headers.get("etag")

    def __next__(self) -> bytes:
        return next(self._blocks)


def media_type(headers: Mapping[str, str]) -> str:
    """The media type of an answer with these headers, without parameters, lower-case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def fetch(url: str, limits: Limits, guard: Guard, headers: Mapping[str, str] | None = None) -> Answer:
    """GET a short answer, whatever its status. Raises `FetchFailed` with its outcome."""
    begun = time.monotonic()
    with stream_bytes(url, limits, guard, headers) as stream:
        body = b"".join(stream)
    return Answer(stream.status, stream.headers, body, time.monotonic() - begun)


@contextmanager
def stream_bytes(url: str, limits: Limits, guard: Guard, headers: Mapping[str, str] | None = None) -> Generator[Stream]:
    """GET an answer in blocks, whatever its status; the connection is closed on leaving.

    Raises:
        FetchFailed: on entry or while reading: `timeout`, `refused`, `unreachable`, `blocked`, `decoy` (no HTTP at
            all) or `invalid` (too large, compressed, too many headers, not proper HTTP).
    """
    target = parse_url(url)
    if target is None:
        raise FetchFailed("its URL is malformed; write http(s)://host[:port][/path]", Outcome.BLOCKED)
    wire_bytes = 2 * limits.max_bytes + FRAMING_BYTES
    backend = GuardedBackend(guard, time.monotonic() + limits.seconds, wire_bytes)
    pool = httpcore.ConnectionPool(ssl_context=guard.tls, max_connections=1, network_backend=backend)
    with _failures(backend), pool, pool.stream("GET", _httpcore_url(target), headers=_request(target, headers)) as got:
        answered = _headers(got.headers)
        _check_headers(got.headers, answered, limits)
        yield Stream(got.status, answered, _capped(got.iter_stream(), limits, backend))


def _httpcore_url(url: Url) -> httpcore.URL:
    return httpcore.URL(scheme=url.scheme.encode(), host=url.host.encode(), port=url.port, target=url.path.encode())


def _request(url: Url, headers: Mapping[str, str] | None) -> list[tuple[bytes, bytes]]:
    sent = {"Host": url.authority, "Accept-Encoding": "identity", "Connection": "close", **(headers or {})}
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in sent.items()]


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reversed(raw)}


def _check_headers(raw: list[tuple[bytes, bytes]], headers: Mapping[str, str], limits: Limits) -> None:
    if len(raw) > MOST_HEADERS:
        raise FetchFailed(f"it sent {len(raw)} headers; at most {MOST_HEADERS} are read", Outcome.INVALID)
    if headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise FetchFailed("it compressed its answer, which wasn't asked for", Outcome.INVALID)
    length = headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length[:20]) > limits.max_bytes:
        raise _too_large(limits)


def _capped(blocks: Iterator[bytes], limits: Limits, backend: GuardedBackend) -> Iterator[bytes]:
    left = limits.max_bytes
    # The caller reads these outside of the statement that catches failures, so they are named here too.
    with _failures(backend):
        for block in blocks:
            left -= len(block)
            if left < 0:
                raise _too_large(limits)
            yield block


def _too_large(limits: Limits) -> FetchFailed:
    return FetchFailed(f"its answer is larger than the {limits.max_bytes} bytes allowed", Outcome.INVALID)


@contextmanager
def _failures(backend: GuardedBackend) -> Generator[None]:
    """Turn httpcore's errors into ours."""
    try:
        yield
    except httpcore.TimeoutException:
        raise FetchFailed("it didn't finish before its deadline", Outcome.TIMEOUT) from None
    except httpcore.ConnectError as error:
        raise _connect_failure(error) from error
    except httpcore.NetworkError as error:
        raise FetchFailed("the connection broke; it is asked again", Outcome.UNREACHABLE) from error
    except httpcore.ProtocolError as error:
        if backend.stream is not None and backend.stream.ended:
            raise FetchFailed("it hung up before its answer was complete", Outcome.UNREACHABLE) from error
        raise FetchFailed("its answer isn't proper HTTP", Outcome.INVALID) from error


def _connect_failure(error: httpcore.ConnectError) -> FetchFailed:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ConnectionRefusedError):
        return FetchFailed("its machine refused the connection; is the port right?", Outcome.REFUSED)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return FetchFailed(f"its certificate isn't trusted ({cause.verify_message})", Outcome.BLOCKED)
    if isinstance(cause, OSError) and cause.errno in {errno.EMFILE, errno.ENFILE}:
        return FetchFailed("not asked: too many files are open here; raise `ulimit -n`", Outcome.BLOCKED)
    return FetchFailed("its machine can't be reached", Outcome.UNREACHABLE)
