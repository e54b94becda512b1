"""Arguments of a job: what its ops declare, by name and kind; everything else is refused in one line."""

import dagster as dg
import pytest

from rustbucket_pipeline.control.arguments import arguments_of, run_config
from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, JOBS, PARSE_LOGS
from rustbucket_pipeline.control.runs import load_definitions
from rustbucket_pipeline.errors import UsageError


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return load_definitions()


@pytest.fixture(scope="module")
def typed() -> dg.Definitions:
    """A job whose step takes a value of each kind."""

    class Taken(dg.Config):
        count: int = 1
        share: float = 0.5
        sure: bool = False
        name: str = ""
        perhaps: int | None = None

    @dg.asset(name="parsed_logs")
    def asset(config: Taken) -> None: ...

    job = dg.define_asset_job(PARSE_LOGS.name, selection=["parsed_logs"])
    return dg.Definitions(assets=[asset], jobs=[job])


def test_every_job_can_be_asked_what_it_takes(definitions: dg.Definitions) -> None:
    taken = {job.name: {one.name for one in arguments_of(definitions, job)} for job in JOBS}
    assert taken["analyse_windows"] == {"claude_models", "claude_effort"}
    assert taken["archive_logs"] == set()


def test_an_argument_becomes_the_config_of_its_op(definitions: dg.Definitions) -> None:
    config = run_config(definitions, ANALYSE_WINDOWS, ["claude_effort=high", "claude_models=a=b,c"])
    step = {"config": {"claude_effort": "high", "claude_models": "a=b,c"}}
    assert config == {"ops": {"window_digest__log_analysis": step}}
    assert run_config(definitions, ANALYSE_WINDOWS, []) == {}


def test_values_are_of_the_kind_the_op_declares(typed: dg.Definitions) -> None:
    written = ["count=3", "share=0.25", "sure=true", "name=3", "perhaps=null"]
    config = {"count": 3, "share": 0.25, "sure": True, "name": "3", "perhaps": None}
    assert run_config(typed, PARSE_LOGS, written) == {"ops": {"parsed_logs": {"config": config}}}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("nothing=1", "it takes count, name, perhaps, share, sure"),
        ("count", "NAME=VALUE"),
        ("count=many", "is no Int"),
        ("count=1.5", "correct --arg"),
        ("sure=3", "correct --arg"),
    ],
)
def test_what_the_job_doesn_t_take_is_refused(typed: dg.Definitions, written: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        run_config(typed, PARSE_LOGS, [written])
    assert "\n" not in str(refused.value)
