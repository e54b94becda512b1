"""`make eval`, or `rustbucket eval [measure …]`: how good the analysis is, whatever the figures are."""

import argparse
from collections.abc import Callable

from benchmarks.evaluation.cost import measure_cost
from benchmarks.evaluation.coverage import measure_coverage
from benchmarks.evaluation.grounding import measure_grounding
from benchmarks.evaluation.live import measure_live
from benchmarks.evaluation.options import Options
from benchmarks.evaluation.recall import measure_recall
from benchmarks.evaluation.rules import measure_rules
from benchmarks.evaluation.twins import measure_twins

MEASURES: dict[str, Callable[[Options], None]] = {
    "rules": lambda _: measure_rules(),
    "coverage": lambda _: measure_coverage(),
    "grounding": measure_grounding,
    "twins": lambda _: measure_twins(),
    "cost": measure_cost,
    "recall": measure_recall,
    "live": measure_live,
}
"""Each is one file here; it prints its figures. A new one is one line more."""


def main() -> None:
    """Print the measures that are named, or all that need no key."""
    parser = argparse.ArgumentParser(prog="rustbucket eval", description=__doc__)
    parser.add_argument("measures", nargs="*", help=", ".join(MEASURES))
    parser.add_argument("--windows", type=int, default=2, help="windows of each kind, with fresh seeds")
    parser.add_argument("--events", type=int, default=50_000, help="events of a window's background")
    parser.add_argument("--full", action="store_true", help="a window of a million events, too: some minutes more")
    parser.add_argument("--live", action="store_true", help="ask the model, too: needs a key, costs some cents")
    told = parser.parse_args()
    unknown = [name for name in told.measures if name not in MEASURES]
    if unknown:
        parser.error(f"no such measure: {', '.join(unknown)}; there are: {', '.join(MEASURES)}")
    options = Options(told.windows, told.events, told.full, told.live)
    wanted = told.measures or [name for name in MEASURES if name != "live" or options.live]
    for name in wanted:
        print(f"\n{name}", flush=True)
        MEASURES[name](options)


if __name__ == "__main__":
    main()
