"""Precision and recall of the rules on the labelled behaviours: `python -m benchmarks.evaluation rules`.

Each behaviour is told in a window of its own; what the rules find there is compared with its label, technique by
technique. *Loose* counts a technique as its parent (T1059.004 as T1059).
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.evaluation.behaviours import WINDOW, Behaviour, load_behaviours, tell
from benchmarks.evaluation.database import database
from rustbucket_pipeline.analysis.findings import find
from rustbucket_pipeline.analysis.rules import load_rules

SHOWN = 150
"""Characters of a behaviour in the list of misses."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A behaviour, and the techniques the rules see in it."""

    behaviour: Behaviour
    found: frozenset[str]

    @property
    def missed(self) -> list[str]:
        """Labelled, not found."""
        return sorted(set(self.behaviour.techniques) - self.found)

    @property
    def wrong(self) -> list[str]:
        """Found, not labelled."""
        return sorted(self.found - set(self.behaviour.techniques))


@dataclass(frozen=True, slots=True)
class Score:
    """Of so many labels `labelled`, so many techniques `found`, so many `right`."""

    labelled: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """Share of what was found that is right."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of what was labelled that is found."""
        return self.right / self.labelled if self.labelled else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def measure_rules() -> None:
    """Print scores, a table of techniques, and every miss."""
    judged = judge(load_behaviours())
    console = Console(width=160, highlight=False)
    exact, loose = score(judged), score(judged, _parent)
    labels = sum(len(one.behaviour.techniques) for one in judged)
    console.print(f"{len(load_rules())} rules on {len(judged)} labelled behaviours with {labels} labels")
    for name, one in (("exact", exact), ("loose", loose)):
        console.print(f"  {name}: precision {one.precision:.3f}, recall {one.recall:.3f}, micro-F1 {one.f1:.3f}")
    harmless = [one for one in judged if not one.behaviour.techniques]
    console.print(f"  harmless: {sum(not one.found for one in harmless)} of {len(harmless)} left alone")
    console.print(_table(judged))
    for one in judged:
        if one.missed or one.wrong:
            marks = " ".join([f"-{name}" for name in one.missed] + [f"+{name}" for name in one.wrong])
            console.print(Text(f"{marks:<28} {one.behaviour.shown[:SHOWN]!r}"), soft_wrap=True)


def judge(behaviours: Iterable[Behaviour]) -> list[Judged]:
    """What the rules find in each."""
    judged: list[Judged] = []
    with database(WINDOW.start) as engine, engine.connect() as connection:
        for behaviour in behaviours:
            tell(connection, behaviour)
            found = {finding.technique for finding in find(connection, WINDOW) if finding.technique}
            judged.append(Judged(behaviour, frozenset(found)))
            connection.rollback()
    return judged


def score(judged: Iterable[Judged], seen_as: Callable[[str], str] = str) -> Score:
    """Over all behaviours together (micro-averaged)."""
    labelled = found = right = 0
    for one in judged:
        labels, told = set(map(seen_as, one.behaviour.techniques)), set(map(seen_as, one.found))
        labelled, found, right = labelled + len(labels), found + len(told), right + len(labels & told)
    return Score(labelled, found, right)


def _parent(technique: str) -> str:
    return technique.partition(".")[0]


def _table(judged: list[Judged]) -> Table:
    labelled = Counter(name for one in judged for name in one.behaviour.techniques)
    found = Counter(name for one in judged for name in one.found)
    right = Counter(name for one in judged for name in one.found.intersection(one.behaviour.techniques))
    table = Table("technique", "labels", "precision", "recall", box=None, pad_edge=False)
    for name in sorted(labelled | found):
        one = Score(labelled[name], found[name], right[name])
        table.add_row(name, str(one.labelled), f"{one.precision:.2f}", f"{one.recall:.2f}")
    return table
