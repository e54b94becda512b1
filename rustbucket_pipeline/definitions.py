"""The only entry point for Dagster: assembles what is under `defs/`, and nothing else.

Loading it starts nothing, writes nothing, and needs no environment variable.
"""

import warnings
from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Every asset, check, job, schedule, sensor and resource of the project.

    Of its own folder only: `load_from_defs_folder` imports all components that come with dagster-aws, too, which costs
    every run 0.4 s of processor time, and every process 12 MiB.
    """
    tree = dg.ComponentTree.for_project(Path(__file__).parent)
    with warnings.catch_warnings():
        for kind in (dg.PreviewWarning, dg.BetaWarning):
            warnings.simplefilter("ignore", kind)  # of Dagster's own loader, which silences them, too
        return tree.build_defs(tree.defs_module_path)
