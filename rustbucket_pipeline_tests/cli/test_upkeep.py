"""`rustbucket upkeep …` as a person types it, without a daemon: on a real database and Dagster instance."""

import json

import pytest

from rustbucket_pipeline.upkeep.tasks import TASKS
from rustbucket_pipeline_tests.cli.conftest import Command


@pytest.fixture
def upkeep(recorded: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("HEALTH_CHECK_COMPONENTS", "disk")
    return recorded


def test_every_task_is_listed_with_its_cron(upkeep: Command) -> None:
    listed = json.loads(upkeep("upkeep", "list", "--json").out)
    assert [(one["task"], one["cron"]) for one in listed] == [(task.name, task.cron) for task in TASKS]


def test_a_dry_run_tells_and_leaves_no_run_behind_and_a_run_is_one_like_any_other(upkeep: Command) -> None:
    tried = upkeep("upkeep", "run", "health_report", "--dry-run", "--json")
    assert tried.code == 0, tried.err
    assert json.loads(tried.out)["figures"]["ok"] == 2
    assert json.loads(upkeep("jobs", "show", "health_report", "--json").out)["runs"] == []
    ran = upkeep("upkeep", "run", "health_report")
    assert ran.code == 0, ran.err
    assert "2 ok" in ran.out
    (run,) = json.loads(upkeep("jobs", "show", "health_report", "--json").out)["runs"]
    assert (run["status"], run["asked_by"], run["forced"]) == ("SUCCESS", "person", False)
    assert "2 ok" in upkeep("jobs", "logs", "health_report").out


def test_a_task_that_there_is_none_of_is_a_person_s_mistake_with_all_names(upkeep: Command) -> None:
    ended = upkeep("upkeep", "run", "helth_report")
    assert ended.code == 2
    assert "health_report" in ended.err
