"""The simulated fleet under attack right now, for `rustbucket up --demo`: its past first, then the clock's pace.

It has a home of its own, apart from the demo's: a log that goes on could no longer be held against the demo's truth.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

from rustbucket_pipeline.demo.fleet import register
from rustbucket_pipeline.demo.home import Play, simulation_folder
from rustbucket_pipeline.demo.live import LiveFleet
from rustbucket_pipeline.demo.serve import serve_fleet
from rustbucket_pipeline.demo.simulate import simulate
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.postgres import open_database

STEP_SECONDS = 5.0


@contextmanager
def live_fleet(home: Path, play: Play, clock: Callable[[], datetime]) -> Generator[None]:
    """Attacks go on while the context lasts; PostgreSQL stops with the last who uses the home."""
    simulation = simulate(simulation_folder(home), play.end, play.hours, play.rustbuckets, play.seed)
    fleet, over = LiveFleet(simulation), Event()

    def go_on() -> None:
        while not over.wait(STEP_SECONDS):
            fleet.step(clock())

    fleet.step(clock())
    thread = Thread(target=go_on, name="live fleet", daemon=True)
    with shared(home), serve_fleet(simulation) as origin:
        settings = load_settings()
        engine = open_database(settings)
        register(engine, settings, simulation, origin, play.since)
        engine.dispose()
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
