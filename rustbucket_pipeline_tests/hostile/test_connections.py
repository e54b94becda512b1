"""Cases 6 to 11: names that lie, redirects, certificates, plain http. A token goes to whom it belongs, or nowhere."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rustbucket_pipeline_tests.hostile.collector import HTTP_LOG, OTHERS_TOKEN, Collector, by_folder, served
from rustbucket_pipeline_tests.hostile.conftest import Serve
from rustbucket_pipeline_tests.net.certificates import certificate, tls_server
from rustbucket_pipeline_tests.net.loopback import answer, loopback

METADATA = "169.254.169.254"


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterator[list[str]]], list[str]]:
    """Lets the system's resolver answer so for `lying.example`, one list of addresses each time; returns who asked."""

    def set_up(answers: Iterator[list[str]]) -> list[str]:
        real, asked = socket.getaddrinfo, list[str]()

        def resolve(host: str, port: int, *more: int, **named: int) -> list[tuple[object, ...]]:
            if host != "lying.example":
                return real(host, port, *more, **named)
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        return asked

    return set_up


def test_case_06_a_name_with_one_private_address_among_public_ones_is_refused(
    collector: Collector, resolving: Callable[[Iterator[list[str]]], list[str]]
) -> None:
    resolving(iter([["8.8.8.8", "10.0.0.5"]] * 2))
    hostile = collector.register("hostile", base_url="http://lying.example")
    ran = collector.run()
    assert ran.outcomes[hostile] == ("blocked", "10.0.0.5 is private; RUSTBUCKET_ALLOWED_NETWORKS can allow it")
    assert "10.0.0.5 is private" in ran.failed[hostile]


def test_case_07_a_name_that_changes_its_address_is_checked_anew_and_asked_where_it_was_checked(
    collector: Collector, serve: Serve, resolving: Callable[[Iterator[list[str]]], list[str]]
) -> None:
    asked = resolving(iter([["127.0.0.1"], [METADATA]]))
    with serve(served(b"")) as server:
        hostile = collector.register("hostile", base_url=f"http://lying.example:{server.port}")
        ran = collector.run()
    assert (len(asked), len(server.requests)) == (2, 1)
    assert (ran.outcomes[hostile][0], "link-local" in ran.failed[hostile]) == ("ok", True)


def test_case_08_a_redirect_to_the_metadata_service_isnt_followed(collector: Collector, serve: Serve) -> None:
    statuses = ("301", "302", "303", "307", "308")
    to_metadata = f"Location: http://{METADATA}/latest/meta-data/\r\n"
    with serve(
        by_folder({status: answer(b"", status=f"{status} -", headers=to_metadata) for status in statuses})
    ) as server:
        ids = [collector.register(status, base_url=f"{server.url}/{status}") for status in statuses]
        ran = collector.run()
    for status, rustbucket_id in zip(statuses, ids, strict=True):
        answered = f"it answered with status {status}"
        assert ran.outcomes[rustbucket_id] == ("http_error", f"{answered}; redirects aren't followed")
        assert ran.failed[rustbucket_id] == answered
    assert len(server.requests) == 2 * len(statuses)


def test_case_09_a_redirect_to_another_port_of_the_same_host_isnt_followed(collector: Collector, serve: Serve) -> None:
    with serve(served(b"")) as other:
        away = answer(b"", status="307 Temporary", headers=f"Location: {other.url}/update_bucket\r\n")
        with serve(away) as server:
            hostile = collector.register("hostile", base_url=server.url)
            ran = collector.run()
    assert (ran.outcomes[hostile][0], other.requests) == ("http_error", [])


def test_case_10_a_certificate_that_changed_or_nobody_trusts_sees_no_token(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "other").mkdir()
    trusted = certificate(tmp_path / "own", "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with loopback(served(HTTP_LOG), tls_server(trusted)) as server:
        hostile = collector.register("hostile", plain=False, base_url=server.url)
        assert collector.run().outcomes[hostile][0] == "ok"
        server.tls = tls_server(certificate(tmp_path / "other", "127.0.0.1"))
        before = len(server.requests)
        ran = collector.run()
    assert ran.outcomes[hostile] == ("blocked", "its certificate isn't trusted (self-signed certificate)")
    assert "certificate isn't trusted" in ran.failed[hostile]
    assert "certificate isn't trusted" in ran.alerts["poll_failed", hostile]
    assert len(server.requests) == before


def test_case_11_plain_http_that_isnt_marked_is_never_contacted(collector: Collector, serve: Serve) -> None:
    with serve(served(b"")) as server:
        hostile = collector.register("hostile", plain=False, base_url=server.url)
        ran = collector.run()
    assert ran.outcomes[hostile][0] == "blocked"
    assert "is plain http" in ran.failed[hostile]
    assert server.requests == []
    assert server.port not in {port for _, port in ran.tried}
    assert OTHERS_TOKEN.encode() not in b"".join(server.requests)
