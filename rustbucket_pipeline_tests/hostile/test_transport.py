"""Cases 13 to 22: answers without end, without hurry, without truth. A run ends in time, small, and says why."""

import gzip
import io
import json
import socket
import struct
import zipfile
from dataclasses import asdict

import pytest
from sqlalchemy import insert, select

from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.storage.tables import rustbuckets, source_files
from rustbucket_pipeline_tests.hostile.collector import (
    FILE_LOG,
    HTTP_LOG,
    NOW,
    SINCE,
    Collector,
    Ran,
    by_folder,
    by_path,
    served,
)
from rustbucket_pipeline_tests.hostile.conftest import Serve
from rustbucket_pipeline_tests.net.loopback import (
    VITALS,
    Behaviour,
    Peer,
    answer,
    continue_for_ever,
    drip,
    endless,
    hang,
    raw,
)

TEXT = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def _run(collector: Collector, serve: Serve, vitals: Behaviour, log: Behaviour) -> tuple[Ran, str]:
    """A run beside a rustbucket that answers so; nothing of its log may be archived."""
    with serve(by_path(vitals, log)) as server:
        hostile = collector.register("hostile", base_url=server.url)
        ran = collector.run()
    assert collector.archived(hostile) == b""
    return ran, hostile


def _allowed(collector: Collector, rustbucket_id: str) -> bool:
    with collector.engine.connect() as connection:
        return registry.get(connection, rustbucket_id).http_allowed


def test_case_13_an_endless_log_stops_at_the_cap_and_isnt_asked_for_again(collector: Collector, serve: Serve) -> None:
    ran, hostile = _run(collector, serve, answer(VITALS), endless)
    assert ran.failed[hostile] == "its answer is larger than the 4194304 bytes allowed"
    assert ("contract_broken", hostile) in ran.alerts
    assert not _allowed(collector, hostile)


def test_case_13_an_endless_answer_to_a_poll_stops_at_the_cap(collector: Collector, serve: Serve) -> None:
    ran, hostile = _run(collector, serve, endless, endless)
    assert ran.outcomes[hostile] == ("invalid", "its answer is larger than the 65536 bytes allowed")
    assert not _allowed(collector, hostile)


def _drip_text(peer: Peer) -> None:
    peer.send(TEXT + b"Content-Length: 10000\r\n\r\n")
    while not peer.wait(0.02):
        peer.send(b".")


def test_case_14_a_byte_now_and_then_stops_at_the_total_deadline(collector: Collector, serve: Serve) -> None:
    ran, hostile = _run(collector, serve, drip, _drip_text)
    assert ran.outcomes[hostile] == ("timeout", "it didn't finish before its deadline")
    assert ran.failed[hostile] == "it didn't finish before its deadline"
    assert {("poll_failed", hostile), ("source_failed", hostile)} <= ran.alerts.keys()


def test_case_15_an_absurd_announced_size_is_refused_at_once(collector: Collector, serve: Serve) -> None:
    ran, hostile = _run(
        collector, serve, answer(VITALS), raw(TEXT + b"Content-Length: 1000000000000\r\n\r\n" + HTTP_LOG)
    )
    assert "larger than" in ran.failed[hostile]


def test_case_15_less_than_was_announced_is_no_log(collector: Collector, serve: Serve) -> None:
    ran, hostile = _run(collector, serve, answer(VITALS), raw(TEXT + b"Content-Length: 1000000\r\n\r\n" + HTTP_LOG))
    assert ran.failed[hostile] == "it hung up before its answer was complete"


def test_case_15_more_than_was_announced_isnt_read_and_comes_with_the_next_pull(
    collector: Collector, serve: Serve
) -> None:
    half = HTTP_LOG.index(b"\n", len(HTTP_LOG) // 2) + 1
    with serve(by_path(answer(VITALS), raw(TEXT + b"Content-Length: %d\r\n\r\n" % half + HTTP_LOG))) as server:
        hostile = collector.register("hostile", base_url=server.url)
        collector.run()
        assert collector.archived(hostile) == HTTP_LOG[:half]
        server.behaviour = served(HTTP_LOG)
        collector.run()
    assert collector.archived(hostile) == HTTP_LOG


def test_case_16_a_compressed_answer_is_refused_unread(collector: Collector, serve: Serve) -> None:
    bomb, codings = gzip.compress(bytes(50_000_000)), {"1": "gzip", "2": "gzip, gzip", "3": "deflate", "4": "br"}
    behaviours = {
        folder: by_path(answer(VITALS), answer(bomb, "text/plain", headers=f"Content-Encoding: {coding}\r\n"))
        for folder, coding in codings.items()
    }
    with serve(by_folder(behaviours)) as server:
        ids = [collector.register(folder, base_url=f"{server.url}/{folder}") for folder in codings]
        ran = collector.run()
    assert {ran.failed[one] for one in ids} == {"it compressed its answer, which wasn't asked for"}
    assert [(_allowed(collector, one), collector.archived(one)) for one in ids] == [(False, b"")] * 4


@pytest.mark.parametrize("packed_twice", [False, True])
def test_case_16_a_log_that_unpacks_without_measure_ends_at_the_ratio(
    collector: Collector, serve: Serve, *, packed_twice: bool
) -> None:
    bomb = gzip.compress(HTTP_LOG + b"x" * 100_000_000, mtime=0)
    data = gzip.compress(bomb, mtime=0) if packed_twice else bomb
    with serve(served(data)) as server:
        hostile = collector.register("hostile", base_url=server.url)
        collector.run()
    assert len(collector.archived(hostile)) < 50_000_000
    assert "no log does" in _unarchived(collector, hostile) or packed_twice


def _unarchived(collector: Collector, rustbucket_id: str) -> str:
    query = select(source_files.c.unarchived).where(source_files.c.rustbucket_id == rustbucket_id)
    with collector.engine.connect() as connection:
        return connection.execute(query).scalar_one() or ""


def test_case_16_an_archive_of_many_files_is_no_log_and_isnt_opened(collector: Collector, serve: Serve) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for n in range(10_000):
            archive.writestr(str(n), b"")
    with serve(served(packed.getvalue())) as server:
        hostile = collector.register("hostile", base_url=server.url)
        collector.run()
    assert packed.getvalue().startswith(collector.archived(hostile))


def test_case_17_headers_without_end_are_no_answer(collector: Collector, serve: Serve) -> None:
    many = answer(VITALS, headers="".join(f"X-{n}: 1\r\n" for n in range(10_000)))
    ran, hostile = _run(collector, serve, many, many)
    assert ran.outcomes[hostile][0] == "invalid"
    long = answer(HTTP_LOG, "text/plain", headers=f"X-Long: {'a' * 1_000_000}\r\n")
    with serve(by_path(answer(VITALS), long)) as server:
        second = collector.register("second", base_url=server.url)
        assert collector.run().failed[second] == "its answer isn't proper HTTP"


def test_case_17_interim_answers_without_end_end_with_the_deadline(collector: Collector, serve: Serve) -> None:
    ran, hostile = _run(collector, serve, answer(VITALS), continue_for_ever)
    assert ran.failed[hostile] in {"it didn't finish before its deadline", "it sent more bytes than allowed"}


PORTAL = answer(b"<html>Please log in to the hotel's network</html>", "text/html; charset=utf-8")


@pytest.mark.parametrize("vitals", [PORTAL, answer(VITALS)], ids=["for both", "for the log only"])
def test_case_18_a_page_is_no_log_and_ends_http(collector: Collector, serve: Serve, vitals: Behaviour) -> None:
    ran, hostile = _run(collector, serve, vitals, PORTAL)
    assert "its decoy answered" in ran.alerts["decoy_answered", hostile]
    assert not _allowed(collector, hostile)


def _reset(peer: Peer) -> None:
    peer.send(TEXT + b"Content-Length: %d\r\n\r\n" % len(HTTP_LOG) + HTTP_LOG[:1000])
    peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


_CUT = raw(TEXT + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(HTTP_LOG) + HTTP_LOG[:1000])


@pytest.mark.parametrize("broken", [_reset, _CUT], ids=["reset", "chunks cut off"])
def test_case_19_a_log_that_breaks_off_is_fetched_again_and_counts_once(
    collector: Collector, serve: Serve, broken: Behaviour
) -> None:
    ran, hostile = _run(collector, serve, answer(VITALS), broken)
    assert ran.failed[hostile] in {
        "the connection broke; it is asked again",
        "it hung up before its answer was complete",
    }
    with serve(served(HTTP_LOG)) as server:
        well = collector.register("well-again", base_url=server.url)
        collector.run()
        server.behaviour = by_path(answer(VITALS), broken)
        assert well in collector.run().failed
        server.behaviour = served(HTTP_LOG)
        assert well not in collector.run().failed
    assert collector.archived(well) == HTTP_LOG


def test_case_20_who_asks_for_patience_gets_a_pause_of_our_own_choosing(collector: Collector, serve: Serve) -> None:
    times = ("99999999", "Fri, 31 Dec 2099 23:59:59 GMT")
    asking = [(status, time) for status in ("429 -", "503 -") for time in times]
    busy = [answer(b"", status=status, headers=f"Retry-After: {time}\r\n") for status, time in asking]
    with serve(by_folder({str(n): one for n, one in enumerate(busy)})) as server:
        ids = [collector.register(f"busy-{n}", base_url=f"{server.url}/{n}") for n in range(len(busy))]
        runs = [collector.run() for _ in range(6)]
    for one in ids:
        assert [ran.outcomes[one][0] for ran in runs] == [*["http_error"] * 4, "paused", "http_error"]
        assert "failed 4 times in a row" in runs[4].failed[one]
        assert "failed 5 times in a row" in runs[5].alerts["source_failed", one]
    assert len(server.requests) == len(ids) * 2 * 5


def test_case_21_an_answer_never_changes_name_address_place_or_token(collector: Collector, serve: Serve) -> None:
    evil = {"s3_bucket_name": "theirs", "ip_address": "6.6.6.6", "name": "evil", "id": "BKT100001", "token": "theirs"}
    vitals = answer(json.dumps({**json.loads(VITALS), **evil, "base_url": "https://6.6.6.6"}).encode())
    with serve(by_path(vitals, answer(HTTP_LOG, "text/plain", headers="X-Logs-Url: s3://theirs\r\n"))) as server:
        hostile = collector.register("hostile", base_url=server.url)
        before = _row(collector, hostile)
        assert collector.run().outcomes[hostile][0] == "ok"
    after = _row(collector, hostile)
    assert {key for key in before if before[key] != after[key]} == {"last_seen", "last_log_at"}
    assert after["last_seen"] == NOW


def _row(collector: Collector, rustbucket_id: str) -> dict[str, object]:
    with collector.engine.connect() as connection:
        return asdict(registry.get(connection, rustbucket_id))


def test_case_22_a_hundred_and_ninety_nine_that_hang_hold_up_nobody(collector: Collector, serve: Serve) -> None:
    with serve(hang) as server:
        rows = [
            {"id": f"BKT{n}", "name": f"hangs-{n}", "base_url": f"{server.url}/{n}", "registered_at": SINCE}
            for n in range(200_001, 200_200)
        ]
        common = {"status": "active", "http_allowed": True, "plain_http": True}
        with collector.engine.begin() as connection:
            connection.execute(insert(rustbuckets).values(common), rows)
        ran = collector.run()
    assert [ran.outcomes[row["id"]][0] for row in rows] == ["timeout"] * 199
    assert {ran.failed[row["id"]] for row in rows} == {"it didn't finish before its deadline"}


def test_case_22_a_rustbucket_whose_endpoints_fail_still_brings_its_files(collector: Collector, serve: Serve) -> None:
    folder = collector.write("both", HTTP_LOG).parent
    with serve(raw(b"")) as server:
        hostile = collector.register("both", base_url=server.url, logs_url=folder.as_uri())
        runs = [collector.run() for _ in range(4)]
        collector.write("both", HTTP_LOG + FILE_LOG)
        runs.append(collector.run())
    assert [ran.outcomes[hostile][0] for ran in runs] == [*["unreachable"] * 4, "paused"]
    assert collector.archived(hostile) == HTTP_LOG + FILE_LOG
