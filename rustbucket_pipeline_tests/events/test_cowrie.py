"""Cowrie's lines of every era: the same table, its session id kept, what it tells several times counted once."""

import json

import pytest

from rustbucket_pipeline.events.dialects import recognise
from rustbucket_pipeline.events.normalise import columns_of
from rustbucket_pipeline.events.record import Parsed, Refused
from rustbucket_pipeline.events.row import EVENT_TYPES

NEWER = {
    "eventid": "cowrie.login.success",
    "username": "root",
    "password": "",
    "message": "login attempt [root/] succeeded",
    "sensor": "s1",
    "uuid": "b1b4d1de",
    "timestamp": "2026-03-02T00:00:01.000000Z",
    "src_ip": "2001:db8::7",
    "session": "0123456789ab",
    "protocol": "telnet",
}
OLDER = (
    b'{"username": "root", "timestamp": "2017-07-04T05:01:02.123456Z", "message": "CMD: ls", "system": '
    b'"CowrieTelnetTransport,5,192.0.2.7", "isError": 0, "src_ip": "192.0.2.7", "session": "c0ffee00", '
    b'"input": "ls\\nid", "sensor": "a", "eventid": "cowrie.command.input"}\n'
)


def columns(record: bytes):
    parsed = recognise(record, "json", "classic")
    assert isinstance(parsed, Parsed), parsed
    found = columns_of(parsed, len(record), (), 1.0, secrets=False)
    assert found.event_type in EVENT_TYPES
    return found, json.loads(found.fields or "{}")


def event(eventid: str, **values: object) -> bytes:
    """A line as Cowrie writes it: only ASCII, its id first."""
    record = {"eventid": f"cowrie.{eventid}", **values, "timestamp": "2026-03-02T00:00:01.000000Z", "session": "5e55"}
    return json.dumps(record).encode() + b"\n"


def test_a_login_fills_the_columns_every_dialect_fills():
    found, fields = columns(json.dumps(NEWER, separators=(",", ":")).encode() + b"\n")
    assert (found.dialect, found.level, found.target) == ("cowrie", None, "cowrie.login.success")
    assert (found.event_type, found.protocol, found.counted) == ("authentication", "telnet", True)
    assert (found.src_ip, found.username, found.password) == ("2001:db8::7", "root", "")
    assert fields == {"sensor": "s1", "uuid": "b1b4d1de", "session": "0123456789ab"}


def test_a_line_of_2017_says_its_protocol_in_its_logger():
    found, fields = columns(OLDER)
    assert (found.protocol, found.command, found.username) == ("telnet", "ls\nid", "root")
    assert (found.event_type, found.counted, found.message) == ("command", True, "CMD: ls")
    assert (fields["session"], fields["isError"]) == ("c0ffee00", 0)


def test_a_port_of_its_own_is_the_source_port():
    found, fields = columns(event("session.connect", src_ip="192.0.2.1", src_port=55_001, dst_port=2222))
    assert (found.src_ip, found.src_port, found.event_type) == ("192.0.2.1", 55_001, "connection")
    assert fields == {"dst_port": 2222, "session": "5e55"}


@pytest.mark.parametrize("port", [-1, 70_000, True, "22"])
def test_what_can_be_no_port_stays_in_the_fields(port):
    found, fields = columns(event("session.connect", src_ip="192.0.2.1", src_port=port))
    assert (found.src_port, fields["src_port"]) == (None, port)


@pytest.mark.parametrize("duration", [12.5, "12.5"])
def test_a_length_is_a_length_whether_it_is_a_number_or_a_string(duration):
    found, _ = columns(event("session.closed", duration=duration))
    assert (found.event_type, found.duration_ms, found.counted) == ("session", 12_500.0, True)


@pytest.mark.parametrize(
    ("eventid", "kind", "counted"),
    [
        ("command.input", "command", True),
        ("command.success", "command", False),
        ("command.failed", "command", False),
        ("login.failed", "authentication", True),
        ("client.fingerprint", "authentication", False),
        ("client.version", "session", False),
        ("session.file_download", "file", True),
        ("session.file_download.failed", "file", False),
        ("session.file_upload", "file", True),
        ("direct-tcpip.request", "forward", True),
        ("direct-tcpip.ja4", "forward", False),
        ("log.closed", "session", False),
        ("virustotal.scanfile", "operational", False),
        ("telnet.option", "session", False),
    ],
)
def test_each_action_counts_once(eventid, kind, counted):
    found, _ = columns(event(eventid))
    assert (found.event_type, found.counted) == (kind, counted)


def test_a_forwarding_is_told_with_where_it_went():
    found, fields = columns(event("direct-tcpip.request", dst_ip="198.51.100.9", dst_port=443, src_ip="192.0.2.1"))
    assert (found.protocol, found.src_ip, fields["dst_ip"], fields["dst_port"]) == (
        "ssh",
        "192.0.2.1",
        "198.51.100.9",
        443,
    )


def test_a_message_that_is_no_text_stays_in_the_fields():
    found, fields = columns(event("client.kex", message=["SSH client hassh fingerprint: ", 5]))
    assert (found.message, fields["message"]) == ("cowrie.client.kex", ["SSH client hassh fingerprint: ", 5])


def test_an_id_nobody_knows_is_kept_and_watched():
    parsed = recognise(event("quantum.entangled", username="x"), "json", "classic")
    assert isinstance(parsed, Parsed)
    assert (parsed.meaning.known, parsed.meaning.event_type) == (False, "unknown")
    found, _ = columns(event("quantum.entangled", username="x"))
    assert found.username == "x"


def test_of_a_repeated_address_the_first_counts_and_it_is_flagged():
    found, fields = columns(event("session.connect", src_ip="192.0.2.1").replace(b"{", b'{"src_ip": "192.0.2.9", ', 1))
    assert (found.src_ip, fields["_flags"]) == ("192.0.2.9", ["repeated key"])


def test_what_only_mentions_cowrie_is_no_line_of_its():
    line = b'{"timestamp":"2026-03-02T00:00:01.000000Z","level":"INFO","fields":{"message":"cowrie."},"target":"x"}\n'
    parsed = recognise(line, "json", "classic")
    assert isinstance(parsed, Parsed)
    assert parsed.dialect == "json"


def test_a_damaged_line_is_refused_with_a_reason():
    assert recognise(OLDER[:-20], "json", "classic") == Refused("JSON that is cut, glued or damaged")
