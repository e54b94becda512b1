"""The demo's own home: beside the real one, never in it, and shut off from whatever the environment configures.

Nothing leaves the machine: embedded database, directory archive, loopback only, no key. What was played is kept there,
so that a second run plays the same.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rustbucket_pipeline.demo.simulate import HISTORY_DAYS
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.model.window import FOUR_HOURS, window_at
from rustbucket_pipeline.storage.home import private_directory, write_once

OVERRIDDEN = (
    "RUSTBUCKET_DATABASE_URL",
    "RUSTBUCKET_ARCHIVE_URL",
    "RUSTBUCKET_S3_ENDPOINT",
    "RUSTBUCKET_SECRET_KEYS",
    "ANTHROPIC_API_KEY",
    "CLAUDE_API_KEY",
)
"""Variables that would lead out of the demo; it runs without them."""


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: `[end − hours, end)` in UTC, by so many rustbuckets, from this seed."""

    end: datetime
    hours: int
    rustbuckets: int
    seed: int

    @property
    def start(self) -> datetime:
        """Start of the hours that are played in full."""
        return self.end - timedelta(hours=self.hours)

    @property
    def since(self) -> datetime:
        """Start of the history before them."""
        return self.start - timedelta(days=HISTORY_DAYS)


def simulation_folder(home: Path) -> Path:
    """Where the simulated fleet's sources lie."""
    return home / "simulation"


def environment(home: Path) -> Mapping[str, str]:
    """The variables the demo sets, for itself and the programs it starts."""
    return {
        "RUSTBUCKET_HOME": str(home),
        "RUSTBUCKET_SOURCE_ROOTS": str(simulation_folder(home) / "sources"),
        "RUSTBUCKET_ALLOWED_NETWORKS": "127.0.0.0/8",
        **dict.fromkeys(OVERRIDDEN, ""),
        "CLAUDE_CLIENT": "anthropic",  # without a key nobody is asked; Bedrock needs none
    }


def kept_play(home: Path, hours: int, rustbuckets: int, seed: int, now: datetime) -> Play:
    """The play this home holds; the first time, one that ends at the newest 4-hour border.

    Raises:
        UsageError: the home holds another play.
    """
    asked = Play(window_at(now, FOUR_HOURS).start, hours, rustbuckets, seed)
    file = private_directory(home) / "demo.toml"
    write_once(file, "".join(f"{name} = {_toml(value)}\n" for name, value in asdict(asked).items()))
    kept = Play(**tomllib.loads(file.read_text(encoding="utf-8")))
    if (kept.hours, kept.rustbuckets, kept.seed) != (hours, rustbuckets, seed):
        options = f"--rustbuckets {kept.rustbuckets} --hours {kept.hours} --seed {kept.seed}"
        raise UsageError(f"{home} holds the demo played with {options}; use these, or --fresh to play anew")
    since = kept.since.replace(hour=0, minute=0, second=0, microsecond=0)
    write_once(home / "settings.toml", f"# The demo's first window (UTC).\nsince = {since.isoformat()!r}\n")
    return kept


def _toml(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
