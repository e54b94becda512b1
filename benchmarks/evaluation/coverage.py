"""How many command sessions of public Cowrie honeypots the rules give no technique: those of `sessions.yaml`."""

from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.text import Text

from rustbucket_pipeline.analysis.matching import rules_of_lines
from rustbucket_pipeline.analysis.rules import FieldName

GOAL = 0.05
"""Share of the sessions that may stay without a technique."""

_FILE = Path(__file__).with_name("sessions.yaml")


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sessions(_Read):
    """So many sessions of the same commands."""

    times: int
    commands: tuple[str, ...]

    @property
    def has_technique(self) -> bool:
        """Whether any command of it matches a rule."""
        return any(rules_of_lines(self.commands, FieldName.COMMAND, "command"))


class Observed(_Read):
    """What one report lists."""

    source: str
    when: str
    sessions: tuple[Sessions, ...]


def measure_coverage() -> None:
    """Print the share, and the sessions without a technique."""
    observed = [Observed.model_validate(entry) for entry in yaml.safe_load(_FILE.read_text(encoding="utf-8"))]
    sessions = [one for report in observed for one in report.sessions]
    bare = [one for one in sessions if not one.has_technique]
    share = _times(bare) / _times(sessions)
    console = Console(width=160, highlight=False)
    met = "met" if share < GOAL else "MISSED"
    told = f"{_times(bare)} of {_times(sessions)} real command sessions without a technique"
    console.print(f"{told}: {share:.1%}, goal {GOAL:.0%} {met}")
    for one in bare:
        console.print(Text(f"  {one.times}x {'; '.join(one.commands)!r}"))


def _times(sessions: Sequence[Sessions]) -> int:
    return sum(one.times for one in sessions)
