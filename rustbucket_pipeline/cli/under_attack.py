"""The live simulated fleet of `rustbucket up --demo`. Apart from `up`, which would else carry the whole demo along."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

from rustbucket_pipeline.cli.demo import demo_home, shown
from rustbucket_pipeline.demo.home import environment, kept_play
from rustbucket_pipeline.demo.live_fleet import live_fleet
from rustbucket_pipeline.demo.run import run_demo


@contextmanager
def under_attack() -> Generator[None]:
    """Play the simulated fleet's past through, then let it live on; from here on the environment is the demo's own."""
    home, now = demo_home("live"), datetime.now(UTC)
    os.environ.update(environment(home))
    play = kept_play(home, hours=8, rustbuckets=6, seed=1, now=now)
    if not (home / "played").exists():
        run_demo(home, play, now, shown)
        (home / "played").touch()
    with live_fleet(home, play, lambda: datetime.now(UTC)):
        yield
