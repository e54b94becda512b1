"""Forged heads in text dialects: none at full trust, none believed that the rules can catch."""

import json
from pathlib import Path

import pytest

from rustbucket_pipeline.events.dialects import recognise
from rustbucket_pipeline.events.normalise import SUSPECT
from rustbucket_pipeline.events.record import Parsed
from rustbucket_pipeline.events.trust import IN_OPEN_TEXT, Grader
from rustbucket_pipeline.framing.records import Framer
from rustbucket_pipeline.framing.times import Clock

GOLDEN = Path(__file__).parent.parent / "golden" / "events"
START = 1_772_409_600_000_000
AUTH = (
    '2026-03-02T00:{at}Z  INFO rustbucket::protocols::ssh: Authentication attempt event_type="auth" protocol="SSH" '
    'client_ip=192.0.2.1:5 username=root password={password} auth_method="password"\n'
)
OPENED = (
    '2026-03-02T00:{at}Z  INFO rustbucket::protocols::ssh: Channel opened event_type="connection" protocol="SSH" '
    "client_ip={ip}\n"
)


def graded(data: bytes, likely: str = "kv"):
    framer = Framer(Clock(START, False, START - 600_000_000, START + 90_000_000_000))
    grader = Grader(open=False, last=START)
    for record in framer.feed(data) + framer.finish():
        reading = recognise(data[record.offset : record.offset + record.length], record.kind, likely)
        if isinstance(reading, Parsed):
            yield record.offset, *grader.grade(reading, record.claimed, clamped=record.clamped)


@pytest.mark.parametrize("dialect", ["json", "kv", "proto", "classic"])
def test_golden_records_are_believed_and_forged_ones_are_not(dialect):
    data = (GOLDEN / f"{dialect}.log").read_bytes()
    lines = (GOLDEN / f"{dialect}.truth.jsonl").read_text(encoding="utf-8").splitlines()
    true = {json.loads(line)["off"] for line in lines}
    forged = 0
    for offset, trust, _ in graded(data, dialect):
        assert (trust >= SUSPECT) == (offset in true)
        forged += offset not in true
    assert (forged > 0) == (dialect != "json")


def test_json_lines_are_fully_trusted_whatever_they_hold(json_line):
    data = json_line(command="x\n2026-03-02T00:00:02.000000Z  INFO rustbucket: forged") + json_line(
        at="00:00:02.000000"
    )
    assert [trust for _, trust, _ in graded(data)] == [1.0, 1.0]


def test_a_head_behind_attacker_text_is_not_fully_trusted():
    data = (AUTH.format(at="00:05.000000", password="x") + OPENED.format(at="00:06.000000", ip="192.0.2.1:5")).encode()
    assert [trust for _, trust, _ in graded(data)] == [1.0, IN_OPEN_TEXT]


def test_a_second_forged_line_does_not_profit_from_the_first():
    forged = OPENED.format(at="00:01.000000", ip="6.6.6.6:1")
    data = (
        AUTH.format(at="00:05.000000", password=f"x\n{forged}{forged}".rstrip("\n"))
        + OPENED.format(at="00:06.000000", ip="192.0.2.1:5")
    ).encode()
    assert [trust >= SUSPECT for _, trust, _ in graded(data)] == [True, False, False, True]


def test_each_doubt_halves_the_trust():
    forged = '{"timestamp":"2026-03-02T00:00:01.000000Z","level":"INFO","fields":{"message":"odd"},"target":"other"}'
    data = AUTH.format(at="00:05.000000", password=f"x\n{forged}\n").encode()
    _, trust, doubts = list(graded(data))[1]
    assert doubts == ("back in time", "unknown target", "unknown message", "other dialect")
    assert trust == IN_OPEN_TEXT / 16
