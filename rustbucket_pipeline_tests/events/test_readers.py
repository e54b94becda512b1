"""Shares read by two processes come to what they come to in one; what goes wrong in the other is told in this one."""

import os
import signal
import subprocess
import sys

import pytest

from rustbucket_pipeline.errors import IntegrityError, ReaderLost
from rustbucket_pipeline.events.beside import beside
from rustbucket_pipeline.events.readers import Readers
from rustbucket_pipeline.events.reading import Source, read_share
from rustbucket_pipeline.events.shares import segments_of


@pytest.fixture
def sources(hour, json_line):
    """Twelve shares, some with entries of quarantine."""
    for number in range(12):
        lines = [json_line(at=f"00:{minute:02}:00.000000", command=f"{number} {minute}") for minute in range(40)]
        hour.log(b"".join(lines) + b"garbage\n" * number, f"BKT{number + 1}")
    with hour.database.connect() as connection:
        segments = segments_of(connection, hour.window)
    ids = sorted({segment.rustbucket_id for segment in segments})
    return [Source(one, [segment for segment in segments if segment.rustbucket_id == one], ()) for one in ids]


def alone(source, archive):
    came = []
    rows = b"".join(read_share(source, archive, came.append))
    return rows, came[0]


def numbers(came):
    return {place: (one.version, one.tally, one.refused) for place, one in came.items()}


def test_two_processes_read_what_one_reads(hour, sources):
    reading = Readers(sources, hour.archive)
    rows = b"".join(reading.rows())
    with beside() as other:
        both = Readers(sources, hour.archive, other)
        rows_of_both = b"".join(both.rows())
        assert not both.left
        assert numbers(both.take()) == numbers(reading.take())
    assert len(rows_of_both) == len(rows)
    assert all(alone(source, hour.archive)[0][:200] in rows_of_both for source in sources)


def test_the_other_process_reads_some_of_them(hour, sources):
    with beside() as other:
        reading = Readers(sources, hour.archive, other)
        rows = reading.rows()
        next(rows)
        assert other.asked == 2
        assert sum(1 for _ in rows) > 0
        assert other.asked == 0


def test_when_many_entries_are_held_the_rows_end_and_go_on_when_asked_again(hour, sources):
    reading = Readers(sources, hour.archive, held=5)
    parts = []
    while reading.left:
        parts.append((b"".join(reading.rows()), reading.take()))
    assert len(parts) > 3
    whole = Readers(sources, hour.archive)
    assert b"".join(rows for rows, _ in parts) == b"".join(whole.rows())
    assert numbers({place: one for _, came in parts for place, one in came.items()}) == numbers(whole.take())


def test_an_object_that_is_not_what_was_archived_is_told_by_either_process(hour, sources):
    for source in sources:
        hour.archive.replace(source.segments[0].object_key, b"not what was archived")
    with beside() as other:
        other.ask(sources[0], {sources[0].segments[0].object_key: b"nor here"}, print)
        with pytest.raises(IntegrityError, match="can't be decompressed"):
            b"".join(other.rest())
    with pytest.raises(IntegrityError, match="can't be decompressed"):
        b"".join(Readers(sources, hour.archive).rows())


def test_a_process_that_is_killed_is_worth_another_try(hour, sources):
    def ask_time_and_again(other):
        while True:
            other.ask(sources[0], objects, print)
            b"".join(other.rest())

    objects = {one.object_key: hour.archive.get(one.object_key) for one in sources[0].segments}
    with beside() as other:
        os.kill(other.pid, signal.SIGKILL)
        with pytest.raises(ReaderLost, match="run it again"):
            ask_time_and_again(other)


def test_the_process_ends_with_whoever_asked_whatever_it_does(hour, sources):
    with beside() as other:
        for source in sources:
            objects = {one.object_key: hour.archive.get(one.object_key) for one in source.segments}
            other.ask(source, objects, print)
        pid = other.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


STARTS_AND_DIES = """
import os, signal, sys
from rustbucket_pipeline.events.beside import beside
with beside() as other:
    print(other.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_process_ends_when_whoever_asked_is_killed():
    starter = subprocess.Popen([sys.executable, "-c", STARTS_AND_DIES], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    with starter.stdout as output:
        pid = int(output.readline())
        assert output.read() == ""  # at its end only when both have ended: the other holds it open, too
    assert starter.wait() == -signal.SIGKILL
    assert pid > 0


def test_what_nobody_expected_in_the_other_process_is_told_here_with_its_traceback(hour, sources):
    with beside() as other:
        other.ask(sources[0], {}, print)
        with pytest.raises(RuntimeError, match="KeyError"):
            b"".join(other.rest())
