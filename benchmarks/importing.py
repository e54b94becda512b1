"""What our definitions cost over Dagster itself: `python -m benchmarks.importing [times]` (5).

Measured: a fresh interpreter each time, `import dagster` and loading our definitions in turns; the fastest of each
counts. Every run and every code server pays this. Then which of our imports take longest, by Python's own count.
"""

import os
import re
import subprocess
import sys
import time
from resource import RUSAGE_CHILDREN, getrusage

from benchmarks.running import load, own_home

BARE = "import dagster"
OURS = "from rustbucket_pipeline.definitions import defs; defs()"
SHOWN = 12

_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


def measured(code: str) -> tuple[float, float]:
    """Seconds on the clock, and of processor time."""
    before, begun = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    took, after = time.perf_counter() - begun, getrusage(RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def packages() -> list[tuple[float, str]]:
    """Seconds that loading our definitions spends in each package's own modules, without those they import."""
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", OURS], check=True, capture_output=True, text=True)
    found: dict[str, int] = {}
    for line in done.stderr.splitlines():
        if match := _LINE.match(line):
            package = match[4].partition(".")[0]
            found[package] = found.get(package, 0) + int(match[1])
    return sorted(((micros / 1e6, package) for package, micros in found.items()), reverse=True)


def main() -> None:
    """Measure in a home of its own."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with own_home():
        os.environ["PYTHONDONTWRITEBYTECODE"] = ""
        measured(OURS)  # compiles, and makes the home
        rounds = [(measured(BARE), measured(OURS)) for _ in range(times)]
        bare, ours = (min(seconds for seconds, _ in column) for column in zip(*rounds, strict=True))
        bare_cpu, ours_cpu = (min(cpu for _, cpu in column) for column in zip(*rounds, strict=True))
        print(f"import dagster       {bare:5.2f} s  {bare_cpu:5.2f} s of processor")
        print(f"our definitions      {ours:5.2f} s  {ours_cpu:5.2f} s of processor")
        print(f"over bare Dagster    {ours - bare:5.2f} s  {ours_cpu - bare_cpu:5.2f} s of processor  ({load()})")
        for seconds, package in packages()[:SHOWN]:
            print(f"  {package:24} {seconds:5.2f} s")


if __name__ == "__main__":
    main()
