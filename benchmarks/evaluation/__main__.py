"""`make eval`, or `python -m benchmarks.evaluation [measure …]`: how good the analysis is, whatever the figures are."""

import sys
from collections.abc import Callable

from benchmarks.evaluation.coverage import measure_coverage
from benchmarks.evaluation.rules import measure_rules

MEASURES: dict[str, Callable[[], None]] = {"rules": measure_rules, "coverage": measure_coverage}
"""Each is one file here; it prints its figures. A new one is one line more."""


def main() -> None:
    """Print the measures that are named, or all."""
    unknown = [name for name in sys.argv[1:] if name not in MEASURES]
    if unknown:
        sys.exit(f"no such measure: {', '.join(unknown)}; there are: {', '.join(MEASURES)}")
    for name in sys.argv[1:] or MEASURES:
        MEASURES[name]()


if __name__ == "__main__":
    main()
