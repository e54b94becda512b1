"""Cases 23 to 28: names, keys, files and times that would have bytes land where they don't belong."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import RowMapping, select

from rustbucket_pipeline.events.build import build_hour
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.storage.tables import log_events, odd_keys, segments
from rustbucket_pipeline_tests.hostile.collector import LOG_NAME, NINE, NOW, STAMP, Collector, line, log_of
from rustbucket_pipeline_tests.hostile.conftest import Serve
from rustbucket_pipeline_tests.hostile.s3_server import HostileS3, client_of, precondition_failed

LOG = log_of("of the hostile one")
OUR_KEYS = re.compile(r"raw/BKT[0-9]{6}/2026/03/02/09[03]0/[0-9a-f]{64}\.log\.zst")


def _by_file(collector: Collector, name: str = "hostile") -> str:
    folder = collector.sources / "hostile"
    folder.mkdir()
    return collector.register(name, http=False, logs_url=folder.as_uri())


def _odd(collector: Collector, rustbucket_id: str) -> dict[str, str]:
    with collector.engine.connect() as connection:
        rows = connection.execute(select(odd_keys).where(odd_keys.c.rustbucket_id == rustbucket_id))
        return {row.key: row.reason for row in rows}


def _events(collector: Collector, rustbucket_id: str) -> list[RowMapping]:
    """The hour's rows, parsed anew."""
    build_hour(collector.engine, collector.archive, Window(NINE, HOUR), NOW + timedelta(hours=9), "run")
    query = select(log_events).where(log_events.c.rustbucket_id == rustbucket_id)
    with collector.engine.connect() as connection:
        return list(connection.execute(query.order_by(log_events.c.byte_offset)).mappings())


def test_case_23_whatever_a_rustbucket_its_folders_and_files_are_called_keys_are_ours(collector: Collector) -> None:
    for name in ("../../etc/cron.d/x", "x" * 300, "smile 🙂", "nul\x00", "a\nb"):
        assert "name" in " ".join(collector.refused(name=name, logs_url="s3://logs/1"))
    hostile = _by_file(collector, "CON")
    folders = [
        "CON",
        "..etc..cron.d",
        "smile 🙂",
        "n" * 255,
        "'; DROP TABLE segments; --",
        "%2e%2e",
        "a\nb",
        "\udcff\udcfe",
    ]
    for n, folder in enumerate(folders):
        collector.write(f"hostile/{folder}", LOG + line(f"{NINE + timedelta(minutes=59):{STAMP}}", f"copy {n}"))
    ran = collector.run()
    assert all(OUR_KEYS.fullmatch(key) for key in collector.archive.keys(""))
    assert [b"copy %d" % n in collector.archived(hostile) for n in range(8)] == [*[True] * 5, *[False] * 3]
    assert len(_odd(collector, hostile)) == 3
    assert "3 keys that no uploader makes" in ran.alerts["odd_files", hostile]


def test_case_24_hostile_keys_of_a_bucket_are_skipped_and_counted(collector: Collector, serve: Serve) -> None:
    good = f"one/folder/{LOG_NAME}"
    bad = [
        *(f"../{LOG_NAME}", f"other/{LOG_NAME}", f"one/../../{LOG_NAME}", f"one/%2e%2e/{LOG_NAME}"),
        *(f"one/nul\x00/{LOG_NAME}", f"one/{'x' * 1000}/{LOG_NAME}", f"/one/{LOG_NAME}", f"one//{LOG_NAME}"),
    ]
    bucket = HostileS3(dict.fromkeys((*bad, good), LOG))
    with serve(bucket) as server:
        collector.s3_client = lambda _: client_of(server)
        hostile = collector.register("hostile", http=False, logs_url="s3://logs/one")
        ran = collector.run()
    assert collector.archived(hostile) == LOG
    assert {path.partition("?")[0] for path in bucket.fetched} == {f"/logs/{good}"}
    assert len(_odd(collector, hostile)) == len(bad)
    assert f"{len(bad)} keys that no uploader makes" in ran.alerts["odd_files", hostile]


def test_case_25_a_log_twice_renamed_or_longer_brings_only_new_lines(collector: Collector) -> None:
    hostile = _by_file(collector)
    log = log_of("New connection")
    more = log + line(f"{NINE + timedelta(minutes=59):{STAMP}}")
    for folder, data in (("first", log), ("again", log), ("longer", more), ("longer-again", more)):
        collector.write(f"hostile/{folder}", data)
        collector.run()
    (collector.sources / "hostile/first").rename(collector.sources / "hostile/renamed")
    collector.run()
    assert collector.archived(hostile) == more
    assert len(_events(collector, hostile)) == 60


def test_case_26_an_object_replaced_since_it_was_listed_is_pulled_by_the_next_run(
    collector: Collector, serve: Serve
) -> None:
    bucket = HostileS3({f"one/folder/{LOG_NAME}": LOG}, instead=precondition_failed)
    with serve(bucket) as server:
        collector.s3_client = lambda _: client_of(server)
        hostile = collector.register("hostile", http=False, logs_url="s3://logs/one")
        ran = collector.run()
        assert "replaced since it was listed" in ran.failed[hostile]
        assert ("source_failed", hostile) in ran.alerts
        assert collector.archived(hostile) == b""
        bucket.etag, bucket.instead = "two", None
        assert hostile not in collector.run().failed
    assert collector.archived(hostile) == LOG
    assert b'if-match: "one"' in server.requests[1].lower()


def test_case_27_links_and_pipes_are_never_opened(collector: Collector, tmp_path: Path) -> None:
    hostile = _by_file(collector)
    (tmp_path / "secret").write_bytes(LOG)
    folder = collector.write("hostile/folder", LOG, "rustbucket.log.2026-03-02-08").parent
    (folder / LOG_NAME).symlink_to(tmp_path / "secret")
    (folder / "rustbucket.log.2026-03-02-10").symlink_to("/etc/passwd")
    (collector.sources / "hostile/link").symlink_to(collector.sources / "healthy")
    os.mkfifo(folder / "rustbucket.log.2026-03-02-07")
    ran = collector.run()
    assert collector.archived(hostile) == LOG
    assert set(_odd(collector, hostile).values()) == {"a link, a pipe or a device"}
    assert "4 keys" in ran.alerts["odd_files", hostile]


def test_case_27_a_directory_that_became_a_link_is_refused(collector: Collector) -> None:
    hostile = _by_file(collector)
    (collector.sources / "hostile").rmdir()
    (collector.sources / "hostile").symlink_to(collector.sources / "healthy")
    assert "now leads to" in collector.run().failed[hostile]
    assert collector.archived(hostile) == b""


# A rustbucket never writes an offset: the third says no time at all, and belongs to the record before it.
CLAIMS: dict[str, datetime | None] = {
    "1970-01-01T00:00:00.000000Z": datetime(1970, 1, 1, tzinfo=UTC),
    "9999-12-31T23:59:59.000000Z": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    "0001-01-01T00:00:00.000000+23:59": None,
    "2026-03-02T23:59:60.000000Z": datetime(2026, 3, 3, tzinfo=UTC),
    "2026-03-03T09:30:00.000000Z": datetime(2026, 3, 3, 9, 30, tzinfo=UTC),
}


def test_case_28_impossible_times_touch_no_other_window(collector: Collector) -> None:
    before, after = NINE + timedelta(minutes=10), NINE + timedelta(minutes=20)
    lines = map(line, (f"{before:{STAMP}}", *CLAIMS, f"{after:{STAMP}}"))
    hostile = _by_file(collector)
    collector.write("hostile/folder", b"".join(lines))
    collector.run()
    with collector.engine.connect() as connection:
        query = select(segments.c.window_start).where(segments.c.rustbucket_id == hostile)
        assert connection.execute(query).scalars().all() == [NINE]
    first, *odd, last = _events(collector, hostile)
    assert (first["event_ts"], first["clamped"], last["event_ts"], last["clamped"]) == (before, False, after, False)
    assert [row["event_ts"] for row in odd] == [before] * len(CLAIMS)
    assert [row["claimed_ts"] for row in odd] == list(CLAIMS.values())
    assert [row["clamped"] for row in odd] == [claim is not None for claim in CLAIMS.values()]
