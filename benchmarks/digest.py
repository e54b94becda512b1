"""What digesting a window and judging it by the rules takes: `python -m benchmarks.digest [events] [flood]`.

A window of synthetic sessions (`attacks.py`; 1,000,000 events, no flood) in the real embedded PostgreSQL, with a week
before it; done by a process of its own, twice. Goals for a million events: 20 s for both, 600 MB in that process.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from random import Random

from benchmarks.attacks import WINDOW, background, campaigns, flood, load, load_week, novelties, numbering
from rustbucket_pipeline.analysis.digest import build_digest, digest_of
from rustbucket_pipeline.analysis.findings import find
from rustbucket_pipeline.analysis.prompt import question_of
from rustbucket_pipeline.demo.home import environment
from rustbucket_pipeline.settings import PROJECT_ROOT, load_settings
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.postgres import open_database

GOAL_SECONDS, GOAL_MEGABYTES = 20.0, 600.0
SEED = 7


def fill(events: int, kind: str | None) -> int:
    """Write the window and the week before it; how many rows the window has."""
    engine, random, numbers = open_database(load_settings()), Random(SEED), numbering()
    load_week(engine, random, events // 10, numbers)
    seeded = [session for campaign in campaigns(random, "indicator") for session in campaign.sessions]
    flooded = flood(random, kind) if kind else iter(())
    rows = load(engine, WINDOW, chain(background(random, events), novelties(random, 1000), seeded, flooded), numbers)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()
    return rows


def digest() -> bool:
    """Digest and judge the window twice, in this process; the first time notes the week. Whether the goals are met."""
    engine = open_database(load_settings())
    with engine.connect() as connection:
        server = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    seconds = 0.0
    for what in ("with the week before it", "with the week noted"):
        with timed(f"digest {what}", server) as digested:
            outcome = build_digest(engine, WINDOW, WINDOW.end, None)
        with timed("rules", server) as judged, engine.connect() as connection:
            findings = find(connection, WINDOW)
        seconds = digested[0] + judged[0]
    print(
        f"{outcome.clusters:,} clusters, {outcome.indicators:,} indicators, {len(findings)} findings; {seconds:.1f} s"
    )
    with engine.connect() as connection, connection.begin() as transaction:
        size = len(question_of(digest_of(connection, WINDOW), findings).document)
        transaction.rollback()
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"prompt {size:,} bytes; at most {megabytes:.0f} MB in this process")
    engine.dispose()
    return seconds < GOAL_SECONDS and megabytes < GOAL_MEGABYTES


@contextmanager
def timed(what: str, server: int) -> Iterator[list[float]]:
    """Print what the block takes; the list holds its seconds afterwards."""
    begun, worked, seconds = time.perf_counter(), processor_seconds(server), list[float]()
    yield seconds
    seconds.append(time.perf_counter() - begun)
    print(f"{what:31} {seconds[0]:6.1f} s, {processor_seconds(server) - worked:5.1f} s of processor", flush=True)


def processor_seconds(server: int) -> float:
    """What this process and its connection's server process have computed so far, parallel workers aside. Linux."""
    words = Path(f"/proc/{server}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return time.process_time() + (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure in a home of its own, which is thrown away."""
    if sys.argv[1:] == ["digest"]:
        return 0 if digest() else 1
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    home = Path(tempfile.mkdtemp(prefix="rustbucket-bench-"))
    try:
        os.environ.update({**environment(home), "DAGSTER_HOME": str(PROJECT_ROOT)})
        with shared(home):
            print(f"{fill(events, sys.argv[2] if len(sys.argv) > 2 else None):,} rows")
            return subprocess.run([sys.executable, "-m", "benchmarks.digest", "digest"], check=False).returncode
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
