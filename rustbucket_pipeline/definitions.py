"""The only entry point for Dagster: assembles what is under `defs/`, and nothing else.

Loading it starts nothing, writes nothing, and needs no environment variable.
"""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Every asset, check, job, schedule, sensor and resource of the project."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
