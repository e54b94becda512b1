"""Logs over HTTP: only what is new is fetched where ranges are offered, and nothing is believed that doesn't fit."""

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.archive.sources.http import OVERLAP_BYTES, HttpSource
from rustbucket_pipeline.model.rustbucket import Rustbucket, Status
from rustbucket_pipeline.net.addresses import parse_networks
from rustbucket_pipeline.net.fetch import Limits
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline_tests.archive.fleet_on_disk import BKT, NINE, FleetOnDisk, hour_of_lines, json_line
from rustbucket_pipeline_tests.net.loopback import Loopback, Peer, answer, loopback

DATA = hour_of_lines(NINE, every=2)
NEXT = hour_of_lines(NINE.replace(hour=10), every=2)


@dataclass
class LogServer:
    """A rustbucket that serves its log: with ranges and an etag, or without. `sent` are the bodies' lengths."""

    log: bytes = DATA
    ranges: bool = True
    etag: str = ""
    sent: list[int] = field(default_factory=list)

    def __call__(self, peer: Peer) -> None:
        asked = re.search(rb"\r\nRange: bytes=(\d+)-\r\n", peer.request)
        tag = f"ETag: {self.etag}\r\n" if self.etag else ""
        body, status, headers = self.log, "200 OK", tag
        if self.etag and f"If-None-Match: {self.etag}\r\n".encode() in peer.request:
            body, status = b"", "304 Not Modified"
        elif asked and self.ranges:
            start = int(asked[1])
            body = self.log[start:]
            status = "206 Partial Content" if body else "416 Range Not Satisfiable"
            headers += f"Content-Range: bytes {start}-{len(self.log) - 1}/{len(self.log)}\r\n"
        self.sent.append(len(body))
        answer(body, "text/plain", status, headers)(peer)


@pytest.fixture
def log_server() -> LogServer:
    return LogServer()


@pytest.fixture
def peer_server(log_server: LogServer) -> Iterator[Loopback]:
    with loopback(log_server) as server:
        yield server


@pytest.fixture
def asked(fleet: FleetOnDisk, peer_server: Loopback) -> FleetOnDisk:
    """The fleet of one, whose rustbucket is asked over HTTP."""
    one = Rustbucket(
        BKT, BKT, Status.ACTIVE, peer_server.url, None, True, None, NINE, NINE, None, None, None, plain_http=True
    )
    guard = Guard(parse_networks(["127.0.0.0/8"]), ssl.create_default_context())
    fleet.openers[BKT] = lambda: [HttpSource(one, "s3cret-token", guard, Limits(10, 10_000_000))]
    return fleet


def pull(fleet: FleetOnDisk) -> int:
    pulled = fleet.pull()
    assert pulled.failed == {}
    return pulled.new_bytes


@pytest.mark.parametrize("ranges", [True, False])
def test_a_growing_log_is_archived_once(asked: FleetOnDisk, log_server: LogServer, ranges: bool) -> None:
    log_server.ranges = ranges
    for log, new in ((DATA, len(DATA)), (DATA, 0), (DATA + NEXT, len(NEXT)), (DATA + NEXT, 0)):
        log_server.log = log
        assert pull(asked) == new
        assert asked.archived("extract_logs") == log


def test_where_ranges_are_offered_only_what_is_new_and_a_little_before_it_is_sent(
    asked: FleetOnDisk, log_server: LogServer
) -> None:
    pull(asked)
    log_server.log = DATA + NEXT
    pull(asked)
    assert len(DATA) > 2 * OVERLAP_BYTES
    assert log_server.sent == [len(DATA), OVERLAP_BYTES + len(NEXT)]


def test_an_unmodified_log_isn_t_sent_again(asked: FleetOnDisk, log_server: LogServer, peer_server: Loopback) -> None:
    log_server.etag = '"v1"'
    assert [pull(asked), pull(asked), pull(asked)] == [len(DATA), 0, 0]
    assert log_server.sent == [len(DATA), 0, 0]
    log_server.etag, log_server.log = '"v2"', DATA + NEXT
    assert pull(asked) == len(NEXT)
    assert all(b"Authorization: Token s3cret-token" in request for request in peer_server.requests)


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("length", [100, len(DATA), 2 * len(DATA)])
def test_a_rotated_log_begins_anew_and_the_old_one_is_known_again(
    asked: FleetOnDisk, log_server: LogServer, ranges: bool, length: int
) -> None:
    log_server.ranges = ranges
    pull(asked)
    rotated = hour_of_lines(NINE, every=2, words="rotated")
    log_server.log = (rotated + rotated)[:length]
    log_server.log = log_server.log[: log_server.log.rfind(b"\n") + 1] or json_line(NINE, "short")
    assert pull(asked) == len(log_server.log)
    assert asked.archived("extract_logs") == log_server.log
    log_server.log = DATA
    assert pull(asked) == 0


def test_a_range_that_isn_t_the_one_asked_for_is_not_believed(
    asked: FleetOnDisk, peer_server: Loopback, log_server: LogServer
) -> None:
    pull(asked)
    lie = answer(NEXT, "text/plain", "206 Partial Content", "Content-Range: bytes 0-9/10\r\n")
    log_server.log = DATA + NEXT
    peer_server.behaviour = lambda peer: lie(peer) if b"Range:" in peer.request else log_server(peer)
    assert pull(asked) == len(NEXT)
    assert asked.archived("extract_logs") == DATA + NEXT


def test_a_decoy_that_answers_a_range_is_a_decoy(asked: FleetOnDisk, peer_server: Loopback) -> None:
    pull(asked)
    peer_server.behaviour = answer(b"<html>", "text/html", "206 Partial Content", "Content-Range: bytes 0-5/6\r\n")
    assert "decoy" in asked.pull().failed[BKT]
    assert asked.archived("extract_logs") == DATA


def test_a_log_that_also_comes_as_a_file_is_archived_once(asked: FleetOnDisk) -> None:
    pull(asked)
    asked.openers[BKT] = lambda: [DirectorySource(asked.root / BKT)]
    asked.write("abc/rustbucket.log.2026-03-02", DATA + NEXT)
    assert asked.pull().new_bytes == len(NEXT)
    assert asked.archived("abc/rustbucket.log.2026-03-02") == DATA + NEXT
