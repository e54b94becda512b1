"""Columns and fields: one vocabulary, nothing lost, nothing PostgreSQL can't hold, nothing too long."""

import json
from hashlib import sha256

import pytest

from rustbucket_pipeline.events.dialects import recognise
from rustbucket_pipeline.events.normalise import columns_of
from rustbucket_pipeline.events.record import Parsed
from rustbucket_pipeline.events.redact import may_hold_secret
from rustbucket_pipeline.events.row import EVENT_TYPES

SSH = "rustbucket::protocols::ssh"
FTP = "rustbucket::protocols::ftp"


def columns(record: bytes, kind="json", *, trust=1.0, doubts=(), likely="proto"):
    parsed = recognise(record, kind, likely)
    assert isinstance(parsed, Parsed)
    found = columns_of(parsed, len(record), doubts, trust, secrets=may_hold_secret(record))
    assert found.event_type in EVENT_TYPES
    return found, json.loads(found.fields or "{}")


def text(body: str, target="rustbucket::protocols") -> bytes:
    return f"2026-03-02T00:00:01.000000Z  INFO {target}: {body}\n".encode()


def test_what_a_column_says_exactly_is_not_said_twice(json_line):
    found, fields = columns(
        json_line(
            "Authentication attempt",
            target=SSH,
            event_type="auth",
            protocol="SSH",
            client_ip="[2001:db8::1]:4444",
            username="root",
            password="x",
            auth_method="password",
        )
    )
    assert (found.event_type, found.protocol, found.counted) == ("authentication", "ssh", True)
    assert (found.src_ip, found.src_port) == ("2001:db8::1", 4444)
    assert (found.username, found.password) == ("root", "x")
    assert fields == {"auth_method": "password"}


def test_a_mapped_address_is_ipv4_and_its_writing_is_kept(json_line):
    line = json_line(
        "New connection", target="rustbucket", event_type="connection", protocol="HTTP", client_ip="::ffff:192.0.2.7"
    )
    found, fields = columns(line)
    assert found.src_ip == "192.0.2.7"
    assert fields == {"client_ip": "::ffff:192.0.2.7"}


@pytest.mark.parametrize(
    ("username", "column", "kept"),
    [('Some("RO\\"OT")', 'RO"OT', True), ("None", None, True)],
)
def test_debug_renderings_are_unescaped_and_kept(json_line, username, column, kept):
    found, fields = columns(
        json_line(
            "Authentication attempt", target=FTP, event_type="auth", protocol="FTP", username=username, password="P"
        )
    )
    assert found.username == column
    assert ("username" in fields) == kept


def test_a_name_that_only_looks_like_a_debug_rendering_stays_as_typed(json_line):
    found, _ = columns(
        json_line("Authentication attempt", target=SSH, event_type="auth", username='Some("ROOT")', password="p")
    )
    assert found.username == 'Some("ROOT")'


def test_mail_addresses_can_be_read_beside_their_rendering(json_line):
    line = json_line(
        "Email data received",
        target="rustbucket::protocols::smtp",
        event_type="command",
        protocol="SMTP",
        mail_from='Some("<A@B>")',
        rcpt_to='["<C@D>", "<E@F>"]',
        email_data="hi",
    )
    found, fields = columns(line)
    assert (found.event_type, found.counted) == ("mail", True)
    assert fields["_plain"] == {"mail_from": "<A@B>", "rcpt_to": ["<C@D>", "<E@F>"]}
    assert fields["rcpt_to"] == '["<C@D>", "<E@F>"]'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('FTP PASS: 12 34 (username: Some("ADMIN"))', ("authentication", "ftp", True, "ADMIN", "12 34", None)),
        ("SMTP command received: RCPT TO:<x>", ("command", "smtp", True, None, None, "RCPT TO:<x>")),
        ("FTP: Using native response for command: PWD", ("response", "ftp", False, None, None, "PWD")),
        ("New SSH connection from: 192.0.2.1:5", ("connection", "ssh", True, None, None, None)),
        (
            "SSH password auth attempt - client: 192.0.2.1:5, user: a, b, password: c, d",
            ("authentication", "ssh", True, "a, b", "c, d", None),
        ),
    ],
)
def test_sentences_fill_the_same_columns(body, expected):
    found, _ = columns(text(body), "text")
    got = (found.event_type, found.protocol, found.counted, found.username, found.password, found.command)
    assert got == expected
    assert found.message == body


def test_a_session_tells_its_length():
    found, fields = columns(text("FTP session ended. Commands: 5, LLM calls: 0, Duration: 2.055446s"), "text")
    assert found.duration_ms == 2055.446
    assert fields["commands_processed"] == 5


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("GET /.env HTTP/1.1\r\nHost: x\r\n\r\n", ("request", "http", "GET", "/.env", None)),
        ("PASS 123456\r\n", ("authentication", "ftp", None, None, "123456")),
        ("uname -a", ("command", None, None, None, None)),
    ],
)
def test_the_first_sentences_say_what_they_show(data, expected):
    found, _ = columns(text(f"Received data: {data}", "rustbucket::handler"), "text", likely="classic")
    assert (found.event_type, found.protocol, found.http_method, found.http_path, found.password) == expected
    assert found.command == data
    assert found.counted


def test_nul_and_bad_bytes_are_escaped_so_that_they_can_be_read_back(json_line):
    found, fields = columns(json_line(command="a\0\\b"))
    assert found.command == "a\\x00\\\\b"
    assert fields["_escaped"] == ["command"]
    found, fields = columns(text("SMTP command received: ").rstrip(b"\n") + b"\xff\0\n", "text")
    assert found.command == "\\xff\\x00"
    assert "command" in fields["_escaped"]


@pytest.mark.parametrize(
    ("written", "stored"), [(b"\xffINFO", "\\xffINFO"), (b"I\\u0000", "I\\x00"), (b"\\ud83d", "\\ud83d")]
)
def test_a_level_that_cannot_be_stored_is_escaped(json_line, written, stored):
    found, fields = columns(json_line(command="a").replace(b"INFO", written))
    assert found.level == stored
    assert "level" in fields["_escaped"]


def test_a_lone_surrogate_is_escaped():
    head = b'{"timestamp":"2026-03-02T00:00:01.000000Z","level":"INFO",'
    line = head + b'"fields":{"message":"m","\\ud800":"\\udfff"},"target":"x"}\n'
    _, fields = columns(line)
    assert fields["\\ud800"] == "\\udfff"


def test_a_backslash_in_an_ordinary_text_stays_as_it_is(json_line):
    found, fields = columns(json_line(command="C:\\x00"))
    assert found.command == "C:\\x00"
    assert "_escaped" not in fields


def test_long_values_are_cut_with_length_and_hash_of_the_whole(json_line):
    command = "é" * 5_000_000
    line = json_line(
        command=command, username="u" * 5000, extra="x" * 100_000, **{f"k{n}": "v" * 900 for n in range(200)}
    )
    found, fields = columns(line)
    assert len(found.command.encode()) <= 8192
    assert command.startswith(found.command)
    assert fields["_cut"]["command"] == [10_000_000, sha256(command.encode()).hexdigest()]
    size = sum(len(str(value).encode()) for value in found)
    assert size < 32 * 1024


def test_our_secrets_are_taken_out_and_counted(json_line):
    request = "GET /extract_logs HTTP/1.1\r\nAuthorization: Token s3cr3t-token\r\nX-API-Key: k-1234\r\n\r\n"
    found, fields = columns(json_line("Request received", target="rustbucket::protocols::http", request=request))
    assert "s3cr3t" not in found.fields
    assert "k-1234" not in found.fields
    assert fields["_redacted"] == 2
    found, fields = columns(text("Generated instance token: abcdef0123", "rustbucket::registration"), "text")
    assert "abcdef0123" not in found.message + found.fields
    payload = 'Registration payload: RegistrationPayload { name: "x", token: "abc123", registration_key: Some("zzz9") }'
    found, _ = columns(text(payload, "rustbucket::registration"), "text")
    assert "abc123" not in found.message + found.fields
    assert "zzz9" not in found.message + found.fields


def test_attackers_own_credentials_are_evidence_and_stay(json_line):
    found, _ = columns(json_line("Request received", request="GET / HTTP/1.1\r\nAuthorization: Basic cm9vdDp4\r\n\r\n"))
    assert "cm9vdDp4" in found.fields


def test_a_forgery_fills_no_column_that_could_be_counted():
    record = text(
        'Authentication attempt event_type="auth" protocol="SSH" client_ip=6.6.6.6:1 username=root password=x '
        'auth_method="password"',
        SSH,
    )
    found, fields = columns(record, "text", trust=0.4, doubts=("back in time",))
    assert found.event_type == "forgery"
    assert (found.src_ip, found.username, found.password, found.protocol, found.counted) == (
        None,
        None,
        None,
        None,
        False,
    )
    assert fields["client_ip"] == "6.6.6.6:1"
    assert fields["_doubts"] == ["back in time"]


def test_a_key_of_the_log_never_passes_for_a_note_of_ours(json_line):
    _, fields = columns(json_line("odd", _cut="x", _flags="y"))
    assert fields == {"__cut": "x", "__flags": "y"}


def test_an_unknown_message_keeps_everything(json_line):
    found, fields = columns(
        json_line("Brand new", event_type="auth", protocol="QUIC", client_ip=5, extra={"a": [1, 2]})
    )
    assert (found.event_type, found.protocol, found.src_ip) == ("authentication", None, None)
    assert fields == {"event_type": "auth", "protocol": "QUIC", "client_ip": 5, "extra": {"a": [1, 2]}}
