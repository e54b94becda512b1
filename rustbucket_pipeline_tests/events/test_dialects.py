"""Each dialect against golden records with their truth, and hostile JSON."""

import json
import re
from pathlib import Path

import pytest

from rustbucket_pipeline.events.dialects import likely_dialect, recognise
from rustbucket_pipeline.events.record import Parsed, Refused

GOLDEN = Path(__file__).parent.parent / "golden" / "events"
TEXT = ("kv", "proto", "classic")
ALL = ("json", *TEXT)
NEXT_HEAD = re.compile(rb"\n(?=\d{4}-\d\d-\d\dT[0-9:.]{15}Z {1,2}[A-Z]|\{\"timestamp\":\"\d{4}-)")
SANITISED = re.compile("[\x07\x08\x0c\x1b\x7f-\x9f]")


def golden(dialect):
    data = (GOLDEN / f"{dialect}.log").read_bytes()
    for line in (GOLDEN / f"{dialect}.truth.jsonl").read_text(encoding="utf-8").splitlines():
        truth = json.loads(line)
        yield truth, data[truth["off"] : truth["off"] + truth["len"]]


def sanitised(message):
    """As tracing-subscriber 0.3.20 writes a message in text; it can't be undone."""

    def escape(found):
        code = ord(found[0])
        return f"\\x{code:02x}" if code < 0x80 else f"\\u{{{code:x}}}"

    return SANITISED.sub(escape, message)


def read(dialect, record, likely=None):
    return recognise(record, "json" if dialect == "json" else "text", likely or dialect)


@pytest.mark.parametrize("dialect", ALL)
def test_every_golden_record_is_read_as_it_was_logged(dialect):
    for truth, record in golden(dialect):
        parsed = read(dialect, record)
        assert isinstance(parsed, Parsed)
        assert parsed.dialect == dialect
        assert (parsed.level, parsed.target) == (truth["level"], truth["target"])
        assert parsed.message == (truth["message"] if dialect in {"json", "kv"} else sanitised(truth["message"]))
        assert parsed.meaning.known, parsed.message


@pytest.mark.parametrize("dialect", ["json", "kv"])
def test_fields_are_verbatim_and_typed(dialect):
    for truth, record in golden(dialect):
        parsed = read(dialect, record)
        assert isinstance(parsed, Parsed)
        injected = dialect == "kv" and " password=" in str(truth["fields"].get("username"))
        assert injected or parsed.fields == truth["fields"]


@pytest.mark.parametrize("dialect", TEXT)
def test_the_dialect_of_most_records_is_told_from_their_heads(dialect):
    assert likely_dialect((GOLDEN / f"{dialect}.log").read_bytes()) == dialect


def test_injected_pairs_never_move_the_source_address():
    record = (
        b'2026-03-02T00:00:01.000000Z  INFO rustbucket::protocols::ssh: Authentication attempt event_type="auth" '
        b'protocol="SSH" client_ip=[2001:db8::1]:4444 username=x password=forged client_ip=6.6.6.6:1 username=root '
        b'auth_method="password" message="Session ended" password=y auth_method="password"\n'
    )
    parsed = read("kv", record)
    assert isinstance(parsed, Parsed)
    assert parsed.fields["client_ip"] == "[2001:db8::1]:4444"
    assert set(parsed.fields) == {"event_type", "protocol", "client_ip", "username", "password", "auth_method"}


def test_a_span_before_the_target_is_not_the_target():
    record = (
        b"2026-03-02T00:00:01.000000Z DEBUG invoke{service=s3 operation=PutObject id=3}:try_op:try_attempt: "
        b"aws_smithy_runtime::client::identity: loaded identity\n"
    )
    parsed = read("kv", record)
    assert isinstance(parsed, Parsed)
    assert (parsed.target, parsed.message) == ("aws_smithy_runtime::client::identity", "loaded identity")
    assert not parsed.meaning.known


def test_a_span_in_json_is_kept_in_the_fields():
    record = (
        b'{"timestamp":"2026-03-02T02:02:56.932862Z","level":"DEBUG","fields":{"message":"loaded identity"},'
        b'"target":"aws","span":{"name":"try_attempt"},"spans":[{"id":"3","name":"invoke"}]}\n'
    )
    parsed = read("json", record)
    assert isinstance(parsed, Parsed)
    assert parsed.fields == {"span": {"name": "try_attempt"}, "spans": [{"id": "3", "name": "invoke"}]}


HEAD = b'{"timestamp":"2026-03-02T00:00:01.000000Z","level":"INFO",'


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (b'"fields":{"a":' + b"[" * 100_000, "cut, glued"),
        (b'"fields":{"message":"","a":' + b"[" * 40 + b"]" * 40 + b'},"target":"x"}', "too deeply"),
        (b'"fields":{"message":"","a":NaN},"target":"x"}', "NaN"),
        (b'"fields":{"message":"","a":1e400},"target":"x"}', "out of range"),
        (b'"fields":{"message":"","a":' + b"9" * 5000 + b'},"target":"x"}', "out of range"),
        (b'"fields":{"message":"cut', "cut, glued"),
        (b'"fields":{"message":""},"target":"x"}{"timestamp":"2026"}', "cut, glued"),
        (b'"fields":{"message":5},"target":"x"}', "no log record"),
        (b'"fields":[],"target":"x"}', "no log record"),
        (b'"fields":{"message":""},"target":"x"}\0\0\0', "cut, glued"),
    ],
)
def test_json_that_cannot_be_trusted_is_refused_with_a_reason(rest, reason):
    refused = recognise(HEAD + rest + b"\n", "json", "classic")
    assert isinstance(refused, Refused)
    assert reason in refused.reason


def test_of_a_repeated_key_the_first_counts_and_it_is_flagged():
    parsed = read(
        "json", HEAD + b'"fields":{"message":"m","client_ip":"192.0.2.1","client_ip":"6.6.6.6"},"target":"x"}\n'
    )
    assert isinstance(parsed, Parsed)
    assert parsed.fields == {"client_ip": "192.0.2.1"}
    assert parsed.flags == ["repeated key"]


def test_blanks_crlf_and_bad_utf8_lose_nothing_else():
    for record in (
        HEAD + b'"fields": {"message": "m", "a": "b"}, "target": "x"}\r\n',
        HEAD + b'"fields":{"message":"m","a":"b"},"target":"x"}\r\n',
    ):
        parsed = read("json", record)
        assert isinstance(parsed, Parsed)
        assert (parsed.message, parsed.fields) == ("m", {"a": "b"})
    parsed = read("json", HEAD + b'"fields":{"message":"m","a":"\x80\xff"},"target":"x"}\n')
    assert isinstance(parsed, Parsed)
    assert (parsed.fields, parsed.dirty) == ({"a": "\udc80\udcff"}, True)
