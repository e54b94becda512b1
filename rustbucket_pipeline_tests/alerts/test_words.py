"""What a message says: plain text that acts in no channel, however hostile the words it is made of."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbucket_pipeline.alerts.kinds import Kind, Severity
from rustbucket_pipeline.alerts.words import LONGEST_BODY, LONGEST_LINE, Told, digest_of, inert, message_of

OPENED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PIECES = [
    *("http://", "HTTPS://", "hTtp:", "ftp://", "evil.example", "@everyone", "<@U123>", "<!here>", "](", "[x](y)", "`"),
    *("203.0.113.9", "//user:pw@", "**b**", "||s||", "\x1b]0;x\x07", "\r\n", "\u202e", "\ud800", "&lt;", "#", "_"),
]
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=30), max_size=40).map("".join)


def told(number: int = 1, state: str = "opened", kind: Kind = Kind.POLL_FAILED, **more: str) -> Told:
    values = {"severity": kind.severity.value, "subject": f"BKT{number}", "cause": "hung", **more}
    return Told(id=number, state=state, kind=kind.value, count=1, opened_at=OPENED, **values)


@given(hostile)
def test_nothing_in_a_strangers_text_acts(text: str) -> None:
    said = inert(text)
    assert said.isprintable()
    assert len(said) <= LONGEST_LINE
    assert not re.search(r"https?:|://|[@<>`*|]|\]\(", said, re.IGNORECASE)
    assert not re.search(r"\w\.[A-Za-z]{2}", said)
    said.encode()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("wget http://1.2.3.4/x.sh", "wget hxxp[:]//1.2.3[.]4/x[.]sh"),
        ("mail @channel <b>", "mail (at)channel ‹b›"),
        ("postgresql://user:pw@host/db", "postgresql[:]//…(at)host/db"),
        ("half a second: 0.5 s; 99.9 %", "half a second: 0.5 s; 99.9 %"),
        ("parse_logs: StoreUnavailable", "parse_logs: StoreUnavailable"),
    ],
)
def test_what_is_told_stays_readable(written: str, said: str) -> None:
    assert inert(written) == said


@given(
    st.lists(st.builds(told, st.integers(1, 9), st.sampled_from(["opened", "closed"]), subject=hostile, cause=hostile))
)
def test_a_message_is_bounded_whatever_is_in_it(some: list[Told]) -> None:
    for message in (message_of(some), digest_of(some)):
        assert len(message.body) <= LONGEST_BODY
        assert "\n" not in message.title
        assert all(line.isprintable() for line in message.body.split("\n"))


def test_the_worst_comes_first_and_every_kind_has_its_turn() -> None:
    many = [told(number) for number in range(500)]
    message = message_of([*many, told(1, kind=Kind.RESTORE_FAILED), told(2, state="closed")])
    lines = message.body.splitlines()
    assert lines[0].startswith("• critical: restore_failed – BKT1")
    assert lines[4] == "… and 497 more: poll_failed, opened"
    assert lines[5].startswith("• over: poll_failed – BKT2")
    assert (message.title, message.severity) == ("Critical: 501 new, 1 over (Rustbucket alerts)", Severity.CRITICAL)


def test_what_doesn_t_fit_is_counted() -> None:
    everything = [told(number, kind=kind, cause="x" * 400) for kind in Kind for number in range(3)]
    last = message_of(everything).body.splitlines()[-2]
    assert re.fullmatch(r"… and \d+ lines more", last)
