"""Killed anywhere, with failing stores, changing sources and a lost flush: archived bytes = source bytes, each once."""

from pathlib import Path

import pytest

from rustbucket_pipeline.archive.steps import Step
from rustbucket_pipeline_tests.chaos.conftest import SEEDS
from rustbucket_pipeline_tests.chaos.run import Broken, Deed, Run, Stage

SHORT = 20

COMMAND = "repeat it: .venv/bin/python -m pytest '{file}::test_whatever_happens_the_archive_is_the_sources[{seed}]'"


@pytest.mark.parametrize(
    "seed", [*range(SHORT), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(SHORT, SEEDS))]
)
def test_whatever_happens_the_archive_is_the_sources(fresh_stage: Stage, seed: int, tmp_path: Path) -> None:
    try:
        Run(fresh_stage, seed, tmp_path).play()
    except Broken as broken:
        pytest.fail(
            f"{broken}\n{COMMAND.format(file=Path(__file__).relative_to(Path.cwd()), seed=seed)}", pytrace=False
        )


@pytest.mark.parametrize("step", [Step.BUILT, Step.COMMITTED, Step.PULLED])
def test_a_power_loss_around_the_commit_costs_nothing_that_the_ledger_names(
    fresh_stage: Stage, step: Step, tmp_path: Path
) -> None:
    Run(fresh_stage, 1, tmp_path).pull_once(Deed("power", step))


def test_a_ledger_that_is_committed_before_its_objects_are_durable_is_noticed(
    fresh_stage: Stage, tmp_path: Path
) -> None:
    run = Run(fresh_stage, 1, tmp_path, reversed_order=True)
    with pytest.raises(Broken, match="the ledger names"):
        run.pull_once(Deed("power", Step.COMMITTED))
