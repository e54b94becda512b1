"""Text records read by the stretch give the rows that the exact way gives, whatever stands between them."""

import tracemalloc
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rustbucket_pipeline.demo.cast import cast_fleet
from rustbucket_pipeline.demo.dialects import DIALECTS
from rustbucket_pipeline.demo.lines import hour_lines
from rustbucket_pipeline.events.lanes import Lanes, Stretch
from rustbucket_pipeline.events.pieces import PlainLines
from rustbucket_pipeline.events.read import BLOCK_BYTES, read_run
from rustbucket_pipeline.events.trust import IN_OPEN_TEXT, Grader
from rustbucket_pipeline.framing.times import microseconds
from rustbucket_pipeline.model.window import HALF_HOUR
from rustbucket_pipeline_tests.events.reading import START, OneObject
from rustbucket_pipeline_tests.events.test_bulk import at_once, one_by_one, segment_of
from rustbucket_pipeline_tests.events.text_logs import Writer


def agree(data: bytes) -> None:
    quick, exact = at_once(data), one_by_one(data)
    assert quick == exact
    assert quick[2].agrees


def read_at_once(data: bytes) -> float:
    """The share of records that are; each stretch is believed, as a parser would."""
    grader = Grader(open=False, last=microseconds(START))
    plain = others = 0
    for some in Lanes(read_run(OneObject(data), [segment_of(data)]), grader, lambda _: False):
        if isinstance(some, Stretch):
            grader.believe_text(some.calm.believed(some.start, some.end))
            plain += len(some.calm.values.rows(some.start, some.end).places)
        else:
            assert not isinstance(some, PlainLines)
            others += sum(1 for _ in some)
    return plain / (plain + others)


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.001, 0.01]), st.sampled_from([50, 300]))
@example(4772, 0.01, 300).via("a line told before, right behind a calm stretch, is in the record before it")
@settings(max_examples=60)
def test_known_messages_with_any_values_give_the_rows_of_the_exact_way(seed, oddness, records):
    agree(Writer(seed, oddness).log(records))


@given(st.integers(0, 2**32), st.sampled_from([0.01, 0.05, 0.2]))
@example(421, 0.05).via("another record of the same time, and an empty line near it, are no second telling of a line")
@settings(max_examples=40)
def test_whatever_stands_between_them(seed, oddness):
    agree(Writer(seed, oddness).log(150))


@pytest.mark.parametrize(("dialect", "share"), [("kv", 0.9), ("proto", 0.0), ("classic", 0.0)])
def test_the_quick_way_takes_what_a_rustbucket_writes(dialect, share):
    """Else it would be of no use, and all of these tests would hold."""
    rustbucket = replace(cast_fleet(1, seed=1)[0], dialect=DIALECTS[dialect])
    played = hour_lines(rustbucket, START, "window", 1)
    end = microseconds(START + HALF_HOUR)
    data = b"".join(line.data for line in sorted(played, key=lambda line: line.at) if line.at < end)
    assert read_at_once(data) >= share
    agree(data)


def line(second: float, body: str, target: str = "rustbucket::protocols::ssh_shell") -> bytes:
    return f"{START + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S.%f}Z  INFO {target}: {body}\n".encode()


def command(second: float, text: str = "ls") -> bytes:
    return line(second, f'Command received event_type="command" protocol="SSH" command={text}')


def calm(second: float, records: int = 50) -> bytes:
    return b"".join(command(second + n / 1000) for n in range(records))


@pytest.mark.parametrize(
    ("forged", "doubted"),
    [
        (command(-40, "id"), [0]),
        (command(500, "id"), [0]),
        (command(1.049), [-1, 0]),
        (line(1.5, "Odd message"), [0]),
        (line(1.5, 'Command received event_type="command" protocol="SSH" command=x', "other"), [0]),
        (line(1.5, "Received data: x", "rustbucket::handler"), [0]),
        (command(1.5).replace(b".500000Z", b".5Z"), [0]),
        (command(1.5).replace(b"  INFO", b" INFO"), [0]),
    ],
)
def test_what_stands_in_calm_text_and_does_not_belong_there_is_doubted(forged, doubted):
    data = calm(1) + forged + calm(2, 500)
    rows, _, tally = at_once(data)
    assert [number for number, row in enumerate(rows) if row["trust"] < IN_OPEN_TEXT] == [50 + at for at in doubted]
    assert tally.suspects == len(doubted)
    assert read_at_once(data) > 0.9
    agree(data)


def test_a_record_that_was_torn_by_a_forged_line_is_read_whole():
    auth = 'Authentication attempt event_type="auth" protocol="SSH" client_ip=192.0.2.1:5 username=x\n{}y password=p '
    forged = command(-40, "id").decode()
    torn = line(1.5, auth.format(forged) + 'auth_method="password"', "rustbucket::protocols::ssh")
    data = calm(1) + torn + calm(2, 500)
    rows, _, _ = at_once(data)
    assert (rows[50]["username"], rows[50]["password"]) == (f"x\n{forged}y", "p")
    assert read_at_once(data) > 0.9
    agree(data)


def test_names_are_spelled_as_they_were_typed_a_little_before():
    said = line(1.5, 'Command received event_type="command" protocol="FTP" command=USER Anna', "rustbucket::protocols")
    told = line(1.6, 'Username provided event_type="auth" protocol="FTP" username=ANNA', "rustbucket::protocols::ftp")
    data = calm(1) + said + told + calm(2, 500)
    rows, _, _ = at_once(data)
    assert (rows[51]["username"], rows[51]["fields"]) == ("Anna", '{"username":"ANNA"}')
    assert read_at_once(data) > 0.98
    agree(data)


def test_behind_a_second_block_nothing_is_lost():
    data = b"".join(command(n / 1000, "x" * (n % 200)) for n in range(1, 12_000))
    assert len(data) > 2 * BLOCK_BYTES
    assert read_at_once(data) > 0.99
    agree(data)


@pytest.mark.parametrize("name", ["x y", "a username=b", "' OR '1'='1", "x auth_method=", "ü pass", " ", "x  password"])
def test_names_with_blanks_are_told_at_once(name):
    auth = 'Authentication attempt event_type="auth" protocol="SSH" client_ip=192.0.2.1:5 username={} password={} '
    body = auth.format(name, "p password=q") + 'auth_method="password"'
    data = calm(1) + line(2, body, "rustbucket::protocols::ssh") + calm(3)
    rows, _, _ = at_once(data)
    assert (rows[50]["username"], rows[50]["password"]) == (name, "p password=q")
    assert read_at_once(data) > 0.98
    agree(data)


def test_every_level_is_told_at_once():
    levels = [b" INFO", b" WARN", b"ERROR", b"DEBUG", b"TRACE"]
    data = calm(1) + b"".join(command(2 + n).replace(b" INFO", level) for n, level in enumerate(levels)) + calm(8)
    rows, _, _ = at_once(data)
    assert [row["level"] for row in rows[50:55]] == [level.decode().strip() for level in levels]
    assert read_at_once(data) > 0.98
    agree(data)


def test_equal_times_of_many_records_are_no_burden():
    data = b"".join(command(1, f"{n:06}") for n in range(6000))
    assert read_at_once(data) > 0.99
    agree(data)


@pytest.mark.parametrize("piece", [b"\n", b"1\n", b"2026-\n", b"x" * 1000, b"x" * 1000 + b"\n"])
def test_a_record_that_does_not_end_is_read_in_memory_of_its_size(piece):
    data = calm(1) + piece * (3_000_000 // len(piece)) + calm(2)
    tracemalloc.start()
    (*_, row), _, _ = at_once(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert row["byte_length"] == len(command(1))
    assert peak < 20 * len(data)
