"""The bytes are those a rustbucket writes; the literal lines are from real ones."""

from random import Random

import pytest

from rustbucket_pipeline.demo.acts import Command, Login, Request, Step, Upload, Visit
from rustbucket_pipeline.demo.dialects import DIALECTS
from rustbucket_pipeline.demo.dialects.emission import Emission, Pace, Quoted, Told, as_json, as_text, rust_debug

AT = 1_765_325_342_222_595
SAID = Told("other")


def lines(dialect: str, protocol: str, *steps: Step, source: str = "2001:db8:2::2:e7") -> list[str]:
    visit = Visit(AT, protocol, source, 26026, steps, leaves=True)  # pyright: ignore[reportArgumentType]
    chosen = DIALECTS[dialect]
    return [chosen.encode(emission).decode()[28:] for emission in chosen.visit(visit, Pace(AT, Random(1)))]


def test_a_structured_record_in_both_writings() -> None:
    fields = {"event_type": Quoted("auth"), "client_ip": "[2001:db8::1]:4444", "username": "x", "width": 80, "on": True}
    emission = Emission(AT, "::protocols::ssh", "Authentication attempt", SAID, fields)
    assert as_text(emission) == (
        b"2025-12-10T00:09:02.222595Z  INFO rustbucket::protocols::ssh: Authentication attempt"
        b' event_type="auth" client_ip=[2001:db8::1]:4444 username=x width=80 on=true\n'
    )
    assert as_json(emission) == (
        b'{"timestamp":"2025-12-10T00:09:02.222595Z","level":"INFO","fields":{"message":"Authentication attempt",'
        b'"event_type":"auth","client_ip":"[2001:db8::1]:4444","username":"x","width":80,"on":true},'
        b'"target":"rustbucket::protocols::ssh"}\n'
    )


def test_text_escapes_controls_in_the_message_only_and_line_breaks_nowhere() -> None:
    emission = Emission(AT, "::handler", "Received data: \x1b[2J\x9b\nx", SAID, {"username": "\x1b[2J"})
    assert as_text(emission).endswith(rb": Received data: \x1b[2J\u{9b}" + b"\nx username=\x1b[2J\n")


def test_json_is_one_line_and_raw_beyond_ascii() -> None:
    record = as_json(Emission(AT, "", "nul\0 esc\x1b del\x7f \u2028 \x85 \n", SAID))
    assert record.count(b"\n") == 1
    assert "nul\\u0000 esc\\u001b del\x7f \u2028 \x85 \\n".encode() in record


def test_rust_debug_strings() -> None:
    assert rust_debug('a"b\\\n\x1b\0é') == r'"a\"b\\\n\u{1b}\0é"'


def test_kv_tells_an_ftp_login_in_capitals_and_the_command_as_typed() -> None:
    told = lines("kv", "FTP", Login("anonymous", "Guest  1"))
    assert (
        ' INFO rustbucket: New connection event_type="connection" protocol="FTP" client_ip=2001:db8:2::2:e7\n' in told
    )
    assert (
        ' INFO rustbucket::protocols: Command received event_type="command" protocol="FTP" command=PASS Guest  1\n'
        in told
    )
    assert (
        ' INFO rustbucket::protocols::ftp: Authentication attempt event_type="auth" protocol="FTP"'
        ' username=Some("ANONYMOUS") password=GUEST 1\n' in told
    )


def test_one_ssh_command_is_told_three_times() -> None:
    told = [line for line in lines("kv", "SSH", Login("root", "x"), Command("id")) if "command=id" in line]
    assert [line.split(": ")[1].split(" event_type")[0] for line in told] == [
        "Exec request",
        "Command received",
        "Using native response",
    ]
    assert "client_ip=[2001:db8:2::2:e7]:26026" in told[0]
    assert "client_ip" not in told[1]


@pytest.mark.parametrize("dialect", ["proto", "classic"])
def test_the_oldest_dialects_name_no_address(dialect: str) -> None:
    told = "".join(lines(dialect, "FTP", Login("root", "x"), Upload("a.php")))
    assert "2001:db8" not in told


def test_proto_prints_a_sentence_per_event() -> None:
    told = lines("proto", "FTP", Login("admin", "12345678"))
    assert ' INFO rustbucket::protocols::ftp: FTP PASS: 12345678 (username: Some("ADMIN"))\n' in told
    assert " INFO rustbucket::protocols: FTP: Using native response for command: USER admin\n" in told
    assert told[-1].startswith(" INFO rustbucket::protocols: FTP session ended. Commands: 3, LLM calls: 0, Duration: ")


def test_proto_has_no_ssh_and_classic_meets_it_on_an_unexpected_port() -> None:
    assert lines("proto", "SSH", Login("root", "x")) == []
    assert lines("classic", "SSH", Login("root", "x")) == ["ERROR rustbucket: Actor connected to an unexpected port.\n"]


def test_classic_prints_reads_raw_with_their_line_breaks() -> None:
    told = lines("classic", "HTTP", Request("GET", "/.env", "curl/7.88.1"))
    received = next(line for line in told if "Received data: " in line)
    assert received.startswith(" INFO rustbucket::handler: Received data: GET /.env HTTP/1.1\r\nHost: ")
    assert received.endswith("\r\n\r\n\n")
    order = [line.split(": ")[1].split(" ")[0] for line in told]
    assert order == ["Actor", "Actor", "We", "ChatGPT", "Received", "Response", "Connection"]
