"""Forged heads in text: none at full trust, none believed that the rules can catch, none that hides true ones."""

import json
from pathlib import Path

import pytest

from rustbucket_pipeline.events.trust import IN_OPEN_TEXT
from rustbucket_pipeline.events.witnesses import WITNESSES
from rustbucket_pipeline_tests.events.reading import believed

GOLDEN = Path(__file__).parent.parent / "golden" / "events"


def line(body: str, at: str, target: str = "rustbucket::protocols::ssh", level: str = " INFO") -> str:
    return f"2026-03-02T00:{at}Z {level} {target}: {body}\n"


def auth(at: str, password: str = "x", username: str = "root") -> str:
    return line(
        f'Authentication attempt event_type="auth" protocol="SSH" client_ip=192.0.2.1:5 username={username} '
        f'password={password} auth_method="password"',
        at,
    )


def opened(at: str, ip: str = "192.0.2.1:5") -> str:
    return line(f'Channel opened event_type="connection" protocol="SSH" client_ip={ip}', at)


def command(at: str, text: str) -> str:
    return line(f'Command received event_type="command" protocol="FTP" command={text}', at, "rustbucket::protocols")


def native(at: str, text: str) -> str:
    return line(
        f'Using native response event_type="response" protocol="FTP" command={text} response_type="native"',
        at,
        "rustbucket::protocols",
    )


def trusts(*lines: str) -> list[float]:
    return [one.trust for one in believed("".join(lines).encode())]


def suspects(*lines: str) -> list[bool]:
    return [one.suspect for one in believed("".join(lines).encode())]


@pytest.mark.parametrize("dialect", ["kv", "proto", "classic"])
def test_golden_records_are_believed_and_forged_ones_are_not(dialect):
    truth = (GOLDEN / f"{dialect}.truth.jsonl").read_text(encoding="utf-8").splitlines()
    true = {json.loads(record)["off"] for record in truth}
    found = believed((GOLDEN / f"{dialect}.log").read_bytes())
    assert {one.record.offset for one in found if not one.suspect} == true
    assert [one for one in found if one.suspect]


def test_json_lines_are_fully_trusted_whatever_they_hold(json_line):
    data = json_line(command="x\n2026-03-02T00:00:02.000000Z  INFO rustbucket: forged") + json_line(
        at="00:00:02.000000"
    )
    assert [one.trust for one in believed(data)] == [1.0, 1.0]


def test_a_head_behind_attacker_text_is_not_fully_trusted():
    assert trusts(auth("00:05.000000"), opened("00:06.000000")) == [1.0, IN_OPEN_TEXT]


def test_a_second_forged_line_does_not_profit_from_the_first():
    forged = opened("00:01.000000", ip="6.6.6.6:1") + opened("00:01.000001", ip="6.6.6.6:1")
    password = f"x\n{forged}".rstrip("\n")
    assert suspects(auth("00:05.000000", password), opened("00:06.000000")) == [False, True, True, False]


def test_behind_a_line_that_may_be_forged_nothing_is_fully_trusted():
    plausible = opened("00:05.000100", ip="6.6.6.6:1") + opened("00:05.000200", ip="6.6.6.7:1")
    found = trusts(command("00:05.000000", f"x\n{plausible}".rstrip("\n")), opened("00:06.000000"))
    assert found == [1.0, IN_OPEN_TEXT, IN_OPEN_TEXT, IN_OPEN_TEXT]


def test_each_doubt_halves_the_trust():
    forged = '{"timestamp":"2026-03-02T00:00:01.0Z","level":"INFO","fields":{"message":"odd"},"target":"other"}'
    _, one, _ = believed((auth("00:05.000000", f"x\n{forged}\n") + opened("00:06.000000")).encode())
    assert one.doubts == (
        "back in time",
        "written otherwise",
        "unknown target",
        "unknown message",
        "other dialect",
        "in an unfinished record",
    )
    assert one.trust == IN_OPEN_TEXT / 64


def test_what_stands_inside_an_unfinished_record_is_forged_however_well():
    data = auth("00:05.000000", username=f"x\n{opened('00:05.000001')}".rstrip("\n")) + auth("00:06.000000")
    first, forged, after = believed(data.encode())
    assert (forged.doubts, forged.suspect) == (("in an unfinished record",), True)
    assert not first.suspect
    assert not after.suspect


def test_a_record_is_written_once_so_a_line_that_stands_in_two_tellings_is_forged():
    text = f"PASS x\n{opened('00:05.000050', ip='6.6.6.6:1')}".rstrip("\n")
    found = suspects(command("00:05.000000", text), native("00:05.000100", text), opened("00:06.000000"))
    assert found == [False, True, False, True, False]


@pytest.mark.parametrize("head", ["2026-03-02T00:00:05.0001Z  INFO", "2026-03-02T00:00:05.000100Z INFO"])
def test_a_head_written_otherwise_than_the_honeypot_does_is_forged(head):
    forged = opened("00:05.000100").replace("2026-03-02T00:00:05.000100Z  INFO", head).rstrip("\n")
    assert suspects(command("00:05.000000", f"x\n{forged}"), opened("00:06.000000")) == [False, True, False]


def test_a_forged_time_ahead_does_not_make_the_following_records_look_late():
    forged = opened("01:35.000000", ip="6.6.6.6:1").rstrip("\n")
    after = [command(f"00:{second:02}.000000", "ls") for second in range(6, 30)]
    found = suspects(command("00:05.000000", f"x\n{forged}"), *after)
    assert found == [False, True, *(False for _ in after)]


def test_many_forged_lines_do_not_outvote_those_that_follow():
    forged = "".join(opened(f"00:01.{n:06}", ip="6.6.6.6:1") for n in range(40)).rstrip("\n")
    after = [command(f"{n // 60:02}:{n % 60:02}.000000", "ls") for n in range(10, 10 + WITNESSES)]
    found = suspects(command("00:05.000000", f"x\n{forged}"), *after)
    assert found == [False, *(True for _ in range(40)), *(False for _ in after)]


def test_a_clock_that_was_set_back_does_not_make_what_follows_forged():
    later = [command(f"00:{second}.000000", "ls") for second in range(30, 40)]
    earlier = [command(f"00:{second}.000000", "id") for second in range(10, 30)]
    assert not any(suspects(*later, *earlier))


def test_a_log_that_goes_on_in_another_dialect_is_believed(json_line):
    text = command("00:05.000000", "ls").encode()
    lines = b"".join(json_line(at=f"00:00:{second}.000000", command="id") for second in range(10, 20))
    assert not any(one.suspect for one in believed(text + lines + text.replace(b"00:05", b"00:20")))


def test_records_of_one_action_may_be_a_little_out_of_order():
    assert suspects(command("00:05.600000", "TYPE I"), native("00:05.100000", "TYPE I")) == [False, False]
    assert suspects(command("00:05.600000", "TYPE I"), native("00:05.100000", "TYPE A")) == [False, True]
