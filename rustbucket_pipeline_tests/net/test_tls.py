"""Who answers must prove itself before anything is sent (threat case 10)."""

from pathlib import Path

import pytest

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.net.fetch import Limits, fetch
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.net.certificates import certificate, tls_server
from rustbucket_pipeline_tests.net.loopback import answer, hang, loopback

LIMITS = Limits(seconds=20, max_bytes=1000)
TOKEN = {"Authorization": "Token do-not-tell"}


def _guard(monkeypatch: pytest.MonkeyPatch, trusted: Path | None) -> Guard:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return Guard.of(Settings(RUSTBUCKET_ALLOWED_NETWORKS="127.0.0.0/8"))


def test_a_trusted_certificate_is_spoken_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = certificate(tmp_path, "127.0.0.1")
    with loopback(answer(b"{}"), tls_server(file)) as server:
        assert fetch(server.url, LIMITS, _guard(monkeypatch, file), TOKEN).body == b"{}"


def test_a_certificate_nobody_trusts_sees_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = certificate(tmp_path, "127.0.0.1")
    with (
        loopback(answer(b"{}"), tls_server(file)) as server,
        pytest.raises(FetchFailed, match="isn't trusted") as caught,
    ):
        fetch(server.url, LIMITS, _guard(monkeypatch, None), TOKEN)
    assert (caught.value.outcome, server.requests) == (Outcome.BLOCKED, [])


def test_a_certificate_of_another_machine_sees_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = certificate(tmp_path, "127.0.0.2")
    with (
        loopback(answer(b"{}"), tls_server(file)) as server,
        pytest.raises(FetchFailed, match="isn't trusted") as caught,
    ):
        fetch(server.url, LIMITS, _guard(monkeypatch, file), TOKEN)
    assert (caught.value.outcome, server.requests) == (Outcome.BLOCKED, [])


def test_a_handshake_that_never_ends_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback(hang) as server, pytest.raises(FetchFailed) as caught:
        fetch(server.url.replace("http:", "https:"), Limits(0.3, 1000), _guard(monkeypatch, None), TOKEN)
    assert caught.value.outcome == Outcome.TIMEOUT
    assert b"do-not-tell" not in b"".join(server.requests)
