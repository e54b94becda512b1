"""One pull in a process of its own, as `volume` starts it: nothing else counts into its time and memory.

Arguments: the home, the directory of logs, the time of the pull. Prints one line of JSON.
"""

import json
import resource
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.archiving import RUSTBUCKET
from rustbucket_pipeline.archive.fleet_pull import pull_fleet
from rustbucket_pipeline.archive.pull import PullContext
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline.storage.postgres import open_database

KILOBYTE = 1024


def main() -> None:
    """Pull, and print the seconds it took, the bytes it brought and the most memory that was resident."""
    home, folder, at = sys.argv[1:]
    settings, now = Settings(RUSTBUCKET_HOME=Path(home)), datetime.fromisoformat(at)
    engine, archive = open_database(settings), open_archive(settings)
    context = PullContext(engine, archive, now - timedelta(days=30), now, None)
    begun = time.perf_counter()
    pulled = pull_fleet(context, {RUSTBUCKET: lambda: [DirectorySource(Path(folder))]}, ())
    seconds = time.perf_counter() - begun
    assert not pulled.failed, pulled.failed
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTE
    print(json.dumps({"seconds": seconds, "bytes": pulled.new_bytes, "peak": peak}))


if __name__ == "__main__":
    main()
