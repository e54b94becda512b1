"""Every address a name resolves to must pass, and ports are few on public addresses (threat cases 1, 5, 6)."""

import socket
import threading
from datetime import UTC, datetime

import pytest

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.net.urls import parse_url


def _resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let the system's resolver answer so: the network beyond it isn't ours to test."""

    def resolve(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_a_name_with_one_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch, strict_guard: Guard
) -> None:
    _resolving_to(monkeypatch, "8.8.8.8", "10.0.0.5")
    with pytest.raises(FetchFailed, match=r"10\.0\.0\.5 is private") as caught:
        strict_guard.addresses("two.example", 443, 5)
    assert caught.value.outcome == Outcome.BLOCKED


def test_a_name_with_public_addresses_passes(monkeypatch: pytest.MonkeyPatch, strict_guard: Guard) -> None:
    _resolving_to(monkeypatch, "8.8.8.8", "1.1.1.1", "8.8.8.8")
    assert [str(found) for found in strict_guard.addresses("two.example", 443, 5)] == ["8.8.8.8", "1.1.1.1"]


@pytest.mark.parametrize("answer", [["fe80::1%eth0"], [], ["8.8.8.8"] + [f"8.8.4.{n}" for n in range(20)]])
def test_odd_answers_of_a_resolver_are_refused(
    monkeypatch: pytest.MonkeyPatch, strict_guard: Guard, answer: list[str]
) -> None:
    _resolving_to(monkeypatch, *answer)
    with pytest.raises(FetchFailed) as caught:
        strict_guard.addresses("odd.example", 443, 5)
    assert caught.value.outcome == Outcome.BLOCKED


def test_a_resolver_that_hangs_costs_no_more_than_the_time_given(
    monkeypatch: pytest.MonkeyPatch, strict_guard: Guard
) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(30) and [])
    with pytest.raises(FetchFailed) as caught:
        strict_guard.addresses("slow.example", 443, 0.05)
    released.set()
    assert caught.value.outcome == Outcome.TIMEOUT


def test_a_name_that_doesnt_exist_is_unreachable(monkeypatch: pytest.MonkeyPatch, strict_guard: Guard) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(FetchFailed) as caught:
        strict_guard.addresses("none.example", 443, 5)
    assert caught.value.outcome == Outcome.UNREACHABLE


@pytest.mark.parametrize("port", [22, 25, 3306, 6379, 8000])
def test_public_addresses_are_contacted_on_few_ports(strict_guard: Guard, port: int) -> None:
    url = parse_url(f"http://8.8.8.8:{port}")
    assert url is not None
    with pytest.raises(FetchFailed, match=f"port {port} isn't contacted"):
        strict_guard.check_url(url)


def test_an_address_registered_for_another_isnt_contacted(guard: Guard) -> None:
    fleet = [_rustbucket("BKT1", "127.0.0.1"), _rustbucket("BKT2", "127.0.0.1"), _rustbucket("BKT3", None)]
    shared = guard.among([_rustbucket("BKT0", "127.0.0.1", Status.INACTIVE), *fleet])
    assert [str(found) for found in shared.asking("BKT1").addresses("127.0.0.1", 80, 5)] == ["127.0.0.1"]
    assert [str(found) for found in shared.asking("BKT3").addresses("127.0.0.2", 80, 5)] == ["127.0.0.2"]
    for other in ("BKT2", "BKT3"):
        with pytest.raises(FetchFailed, match=r"127\.0\.0\.1 is registered as that of BKT1") as caught:
            shared.asking(other).addresses("127.0.0.1", 80, 5)
        assert caught.value.outcome == Outcome.BLOCKED


def _rustbucket(rustbucket_id: str, address: str | None, status: Status = Status.ACTIVE) -> Rustbucket:
    return Rustbucket(
        rustbucket_id, "edge", status, None, None, True, address, datetime.now(UTC), None, None, None, None
    )


def test_any_port_of_an_allowed_network_is_contacted(guard: Guard) -> None:
    assert [str(found) for found in guard.addresses("127.0.0.1", 54321, 5)] == ["127.0.0.1"]
