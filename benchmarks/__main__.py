"""`make bench`: our hot path against yardsticks, side by side in one run. What and why: `benchmarks/README.md`."""

import os
import shutil
import tempfile
from pathlib import Path

from benchmarks.archiving import compare_archiving
from benchmarks.framing import compare_framing
from benchmarks.loading import JSON, TEXT, compare_loading
from benchmarks.logs import hours_of_log
from benchmarks.measure import show
from rustbucket_pipeline.demo.home import environment
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.embedded import shared
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.storage.postgres import open_database

ARCHIVED_BYTES = 200_000_000
FRAMED_HOURS = 8


def main() -> None:
    """Measure in a home of its own, which is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="rustbucket-bench-"))
    try:
        os.environ.update(environment(home))  # as the demo: never a database or archive that is configured
        with shared(home):
            _measure(load_settings(), home / "logs")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _measure(settings: Settings, folder: Path) -> None:
    hours = hours_of_log(ARCHIVED_BYTES)
    folder.mkdir()
    engine, archive = open_database(settings), open_archive(settings)
    comparisons = compare_framing(b"".join(list(hours.values())[:FRAMED_HOURS]))
    comparisons.append(compare_archiving(engine, archive, folder, hours))
    engine.dispose()
    for writing in (JSON, TEXT):
        comparisons += compare_loading(writing)
    show(comparisons)


if __name__ == "__main__":
    main()
