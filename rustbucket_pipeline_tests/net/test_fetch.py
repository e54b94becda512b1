"""Fetches end in time, stay small, follow nothing and say what went wrong (threat cases 7 to 20)."""

import socket
import time

import pytest

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.net.fetch import Limits, fetch, stream_bytes
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline_tests.net.loopback import (
    Behaviour,
    answer,
    closed_port,
    continue_for_ever,
    drip,
    endless,
    hang,
    loopback,
    raw,
)

SHORT = Limits(seconds=0.4, max_bytes=10_000)
LONG = Limits(seconds=20, max_bytes=10_000)


def _failure(behaviour: Behaviour, guard: Guard, limits: Limits = LONG) -> FetchFailed:
    with loopback(behaviour) as server, pytest.raises(FetchFailed) as caught:
        fetch(server.url, limits, guard)
    return caught.value


def test_an_answer_comes_with_status_headers_and_body(guard: Guard) -> None:
    with loopback(answer(b"{}", "Application/JSON; charset=utf-8", "404 Not Found", "X-A: 1\r\nX-A: 2\r\n")) as server:
        got = fetch(f"{server.url}/update_bucket", LONG, guard, {"Authorization": "Token abc"})
    assert (got.status, got.content_type, got.headers["x-a"], got.body) == (404, "application/json", "1", b"{}")
    assert server.requests[0].startswith(b"GET /update_bucket HTTP/1.1\r\n")
    assert b"Accept-Encoding: identity\r\n" in server.requests[0]
    assert b"Authorization: Token abc\r\n" in server.requests[0]


def test_a_long_body_is_handed_over_in_blocks(guard: Guard) -> None:
    body = bytes(range(256)) * 40_000
    with (
        loopback(answer(body, "text/plain", headers='ETag: "v1"\r\n')) as server,
        stream_bytes(server.url, Limits(20, len(body)), guard) as stream,
    ):
        blocks = list(stream)
    assert (stream.status, stream.etag, b"".join(blocks) == body) == (200, '"v1"', True)
    assert max(map(len, blocks)) <= 64 * 1024


@pytest.mark.parametrize("behaviour", [hang, drip])
def test_the_deadline_is_total(behaviour: Behaviour, guard: Guard) -> None:
    begun = time.monotonic()
    assert _failure(behaviour, guard, SHORT).outcome == Outcome.TIMEOUT
    assert time.monotonic() - begun < 5


def test_interim_answers_dont_go_on_for_ever(guard: Guard) -> None:
    assert _failure(continue_for_ever, guard, Limits(5, 10_000)).outcome in {Outcome.TIMEOUT, Outcome.INVALID}


def test_an_endless_body_stops_at_the_cap(guard: Guard) -> None:
    failure = _failure(endless, guard)
    assert (failure.outcome, "larger than the 10000 bytes" in str(failure)) == (Outcome.INVALID, True)


def test_an_announced_size_beyond_the_cap_is_refused_at_once(guard: Guard) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000000000\r\n\r\n"
    assert _failure(lambda peer: (peer.send(head), hang(peer))[0], guard).outcome == Outcome.INVALID


def test_a_body_shorter_than_announced_is_no_answer(guard: Guard) -> None:
    failure = _failure(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), guard)
    assert (failure.outcome, "hung up" in str(failure)) == (Outcome.UNREACHABLE, True)


def test_a_chunked_body_cut_in_the_middle_is_no_answer(guard: Guard) -> None:
    cut = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort")
    assert _failure(cut, guard).outcome == Outcome.UNREACHABLE


def test_bytes_beyond_the_announced_size_are_not_read(guard: Guard) -> None:
    with loopback(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\nmore")) as server:
        assert fetch(server.url, LONG, guard).body == b"{}"


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "br", "x-unknown"])
def test_a_compressed_answer_is_refused_unread(coding: str, guard: Guard) -> None:
    failure = _failure(answer(b"\x1f\x8b" + b"x" * 100, headers=f"Content-Encoding: {coding}\r\n"), guard)
    assert (failure.outcome, "compressed" in str(failure)) == (Outcome.INVALID, True)


@pytest.mark.parametrize(
    "headers",
    ["".join(f"X-{n}: 1\r\n" for n in range(10_000)), f"X-Long: {'a' * 1_000_000}\r\n", "X: 1\r\n" * 101],
    ids=["ten thousand", "one of a megabyte", "one too many"],
)
def test_too_many_headers_are_no_answer(headers: str, guard: Guard) -> None:
    assert _failure(answer(b"{}", headers=headers), guard).outcome == Outcome.INVALID


@pytest.mark.parametrize("data", [b"root@host:~# ls\n", b"<html>hi</html>", b"SSH-2.0-OpenSSH_9\r\n", b"\x00" * 64])
def test_what_isnt_http_at_all_is_the_decoy(data: bytes, guard: Guard) -> None:
    assert _failure(raw(data), guard).outcome == Outcome.DECOY


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 OK\r\n\r\n", b"HTTP/9 200\r\nfoo\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
def test_broken_http_is_invalid(data: bytes, guard: Guard) -> None:
    assert _failure(lambda peer: (peer.send(data), hang(peer))[0], guard).outcome == Outcome.INVALID


def test_a_redirect_isnt_followed(guard: Guard) -> None:
    with (
        loopback(answer(b"secret")) as other,
        loopback(answer(b"", status="307 T", headers=f"Location: {other.url}\r\n")) as server,
    ):
        got = fetch(server.url, LONG, guard, {"Authorization": "Token abc"})
    assert (got.status, other.requests) == (307, [])


def test_a_closed_port_is_refused(guard: Guard) -> None:
    with pytest.raises(FetchFailed) as caught:
        fetch(f"http://127.0.0.1:{closed_port()}", LONG, guard)
    assert caught.value.outcome == Outcome.REFUSED


def test_a_connection_reset_before_any_answer_is_unreachable(guard: Guard) -> None:
    assert _failure(raw(b""), guard).outcome == Outcome.UNREACHABLE


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}", "http://localhost:{port}", "http://[::ffff:127.0.0.1]:{port}"]
)
def test_nothing_is_sent_to_an_address_that_isnt_allowed(url: str, strict_guard: Guard) -> None:
    with loopback(answer(b"{}")) as server, pytest.raises(FetchFailed) as caught:
        fetch(url.format(port=server.port), LONG, strict_guard)
    assert (caught.value.outcome, server.requests) == (Outcome.BLOCKED, [])


def test_a_name_that_answers_differently_the_second_time_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, guard: Guard
) -> None:
    """Rebinding: what was resolved and checked once is what is connected to."""
    real, asked = socket.getaddrinfo, []

    def rebinding(host: str, *arguments: object, **named: object) -> object:
        if host != "rebinding.example":
            return real(host, *arguments, **named)  # type: ignore[arg-type]
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with loopback(answer(b"{}")) as server:
        assert fetch(f"http://rebinding.example:{server.port}", LONG, guard).status == 200
    assert (len(asked), len(server.requests)) == (1, 1)


def test_a_malformed_url_is_never_contacted(guard: Guard) -> None:
    with pytest.raises(FetchFailed, match="malformed"):
        fetch("http://127.0.0.1:80/\r\nX: 1", SHORT, guard)
