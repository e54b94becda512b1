"""Polling a large fleet of which some hangs: `python -m benchmarks.polling [rustbuckets] [percent]`.

Measured: the real `observe_fleet`, five rounds, with its rows in an embedded PostgreSQL, against a server in a process
of its own. In the fifth, those that failed four times are paused. Goals: each round ends within the deadline of one
rustbucket plus 20 %, and is at least 100 times faster than asking one after another (what hangs counts its deadline,
what answers the mean of 100 asked alone).

Last figures (2 cores that did other work, too; 2,000 rustbuckets, 10 % hang, deadline 10 s): first round 11.9 s, 169
times faster; second to fourth 10.5 s, 190 times; fifth 1.4 s; 101 MB. An answer costs 0.4 ms of processor time.
"""

import asyncio
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import Engine, insert, select

from rustbucket_pipeline.fleet.poll import Poller
from rustbucket_pipeline.fleet.registry import active_rustbuckets
from rustbucket_pipeline.fleet.status import observe_fleet
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.postgres import open_database
from rustbucket_pipeline.storage.tables import rustbuckets

VITALS = b'{"cpu_usage": "12%", "memory_usage": "34%", "disk_space": "56%", "uptime": "1d 2h", "connections": 7}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(VITALS), VITALS)
WITHIN, FASTER = 1.2, 100


def serve(port: Connection) -> None:
    """Answer as a fleet: below `/hangs` never, elsewhere at once."""
    asyncio.run(_serve(port))


async def _serve(port: Connection) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if request.startswith(b"GET /hangs"):
            await reader.read()
        else:
            writer.write(ANSWER)
        writer.close()

    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    server = await asyncio.start_server(meet, "127.0.0.1", 0, backlog=4096)
    port.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def register(engine: Engine, origin: str, size: int, percent: int, now: datetime) -> None:
    """Approve a fleet of which every so many hang."""
    every = 100 // percent
    rows = [
        {
            "id": f"BKT{100_001 + n}",
            "name": f"edge-{n}",
            "base_url": f"{origin}/{'hangs' if n % every == every - 1 else 'answers'}/{n}",
            "http_allowed": True,
            "plain_http": True,
            "status": "active",
            "registered_at": now,
            "approved_at": now,
        }
        for n in range(size)
    ]
    with engine.begin() as connection:
        connection.execute(insert(rustbuckets), rows)


def one_after_another(engine: Engine, settings: Settings, size: int, hanging: int) -> float:
    """Seconds the round would take without any concurrency."""
    poller = Poller(Guard.of(settings), settings.poll_deadline_seconds, lambda _: None)
    answering = [one for one in active_rustbuckets(engine) if "/answers/" in (one.base_url or "")][:100]
    begun = time.perf_counter()
    for rustbucket in answering:
        poller.ask(rustbucket)
    each = (time.perf_counter() - begun) / len(answering)
    return hanging * settings.poll_deadline_seconds + (size - hanging) * each


def measure(home: Path, size: int, percent: int) -> bool:
    """Run the rounds and print a line for each; whether all goals were met."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    settings = Settings(RUSTBUCKET_HOME=home, RUSTBUCKET_ALLOWED_NETWORKS="127.0.0.0/8")
    good = True
    with shared(home, durable=False):
        engine = open_database(settings)
        now = datetime.now(UTC)
        register(engine, f"http://127.0.0.1:{ours.recv()}", size, percent, now)
        alone = one_after_another(engine, settings, size, size * percent // 100)
        print(f"{size} rustbuckets, {percent} % hang, deadline {settings.poll_deadline_seconds:.0f} s")
        print(f"one after another      {alone:7.1f} s")
        for n in range(5):
            outcome = observe_fleet(engine, settings, now + n * timedelta(minutes=15))
            good &= outcome.seconds <= WITHIN * settings.poll_deadline_seconds and alone >= FASTER * outcome.seconds
            print(
                f"round {n + 1}                {outcome.seconds:7.1f} s  {alone / outcome.seconds:5.0f} times faster",
                end="",
            )
            print(f"  {outcome.counts}")
        with engine.connect() as connection:
            assert len(connection.execute(select(rustbuckets.c.id)).all()) == size
        engine.dispose()
    server.terminate()
    print(f"peak memory            {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:7.0f} MB")
    print("goals met" if good else "goals NOT met")
    return good


def main() -> int:
    """Measure in a home of its own, which is thrown away."""
    size, percent = (int(text) for text in (*sys.argv[1:], *("2000", "10")[len(sys.argv) - 1 :]))
    home = Path(tempfile.mkdtemp(prefix="rustbucket-bench-"))
    try:
        return 0 if measure(home, size, percent) else 1
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
