"""Who answers must prove itself before anything is sent (threat case 10)."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.net.fetch import Limits, fetch
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.net.loopback import answer, hang, loopback

LIMITS = Limits(seconds=20, max_bytes=1000)
TOKEN = {"Authorization": "Token do-not-tell"}


def _certificate(folder: Path, address: str) -> Path:
    """A certificate for that address, signed by itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rustbucket")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(pem) + private)
    return file


def _server(file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


def _guard(monkeypatch: pytest.MonkeyPatch, trusted: Path | None) -> Guard:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return Guard.of(Settings(RUSTBUCKET_ALLOWED_NETWORKS="127.0.0.0/8"))


def test_a_trusted_certificate_is_spoken_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = _certificate(tmp_path, "127.0.0.1")
    with loopback(answer(b"{}"), _server(file)) as server:
        assert fetch(server.url, LIMITS, _guard(monkeypatch, file), TOKEN).body == b"{}"


def test_a_certificate_nobody_trusts_sees_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = _certificate(tmp_path, "127.0.0.1")
    with loopback(answer(b"{}"), _server(file)) as server, pytest.raises(FetchFailed, match="isn't trusted") as caught:
        fetch(server.url, LIMITS, _guard(monkeypatch, None), TOKEN)
    assert (caught.value.outcome, server.requests) == (Outcome.BLOCKED, [])


def test_a_certificate_of_another_machine_sees_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = _certificate(tmp_path, "127.0.0.2")
    with loopback(answer(b"{}"), _server(file)) as server, pytest.raises(FetchFailed, match="isn't trusted") as caught:
        fetch(server.url, LIMITS, _guard(monkeypatch, file), TOKEN)
    assert (caught.value.outcome, server.requests) == (Outcome.BLOCKED, [])


def test_a_handshake_that_never_ends_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback(hang) as server, pytest.raises(FetchFailed) as caught:
        fetch(server.url.replace("http:", "https:"), Limits(0.3, 1000), _guard(monkeypatch, None), TOKEN)
    assert caught.value.outcome == Outcome.TIMEOUT
    assert b"do-not-tell" not in b"".join(server.requests)
