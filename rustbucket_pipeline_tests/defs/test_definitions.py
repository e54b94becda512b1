"""The definitions as a whole: they load from nothing and touch nothing, and say enough for a newcomer."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest
from dagster._utils.schedules import cron_string_iterator

from rustbucket_pipeline.control.jobs import CHAIN as CHAIN_OF_JOBS
from rustbucket_pipeline.control.jobs import JOBS
from rustbucket_pipeline.control.runs import load_definitions
from rustbucket_pipeline.control.timetable import Change, reschedule
from rustbucket_pipeline.settings import PROJECT_ROOT, load_settings
from rustbucket_pipeline.upkeep.task import Task
from rustbucket_pipeline.upkeep.tasks import TASKS

CHAIN = {
    "fleet_status": {"rustbuckets"},
    "log_archives": {"raw_bucket_logs"},
    "parsed_logs": {"log_archives"},
    "window_digest": {"parsed_logs"},
    "log_analysis": {"window_digest"},
}

LOAD = """
import sys
opened = []
def watch(event, args):
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        opened.append(args[0])
    if event in {"socket.connect", "subprocess.Popen", "os.mkdir"} and args[0] != "file":  # asked by a library
        opened.append((event, str(args)))
sys.addaudithook(watch)
sys.dont_write_bytecode = True
from rustbucket_pipeline.definitions import defs
loaded = defs()
assert loaded.resolve_job_def("archive_logs")
print([name for name in opened if not isinstance(name, str) or "/dev/null" not in name])
"""


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return load_definitions()


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def test_they_load_in_a_fresh_interpreter_without_any_variable_and_touch_nothing(tmp_path: Path) -> None:
    bare = {"PATH": os.defpath, "PYTHONPATH": str(PROJECT_ROOT), "HOME": str(tmp_path)}
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=tmp_path, env=bare, capture_output=True, text=True, check=False
    )
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.strip() == "[]"
    assert list(tmp_path.iterdir()) == []


def test_the_lineage_is_the_design_s_chain(specs: dict[str, dg.AssetSpec]) -> None:
    for asset, upstream in CHAIN.items():
        assert {dep.asset_key.to_user_string() for dep in specs[asset].deps} == upstream


def test_every_asset_has_group_owner_kinds_and_a_description(specs: dict[str, dg.AssetSpec]) -> None:
    others = {"rustbuckets", "raw_bucket_logs", "archive_manifest", "dagster_history", "dashboard_page"}
    assert set(specs) == set(CHAIN) | others | {task.name for task in TASKS}
    for name, spec in specs.items():
        assert spec.group_name in {"fleet", "archive", "events", "analysis", "upkeep"}, name
        assert spec.owners, name
        assert spec.kinds, name
        assert len(spec.description or "") > 60, name


def test_every_built_asset_shows_its_columns_and_holds_a_pool(
    definitions: dg.Definitions, specs: dict[str, dg.AssetSpec]
) -> None:
    for asset in CHAIN:
        assert "dagster/column_schema" in specs[asset].metadata
        assert definitions.resolve_assets_def(asset).op.pool


def test_the_dashboard_s_page_is_in_the_lineage_with_its_address(specs: dict[str, dg.AssetSpec]) -> None:
    page = specs["dashboard_page"]
    assert [dep.asset_key.to_user_string() for dep in page.deps] == ["dashboard"]
    assert page.metadata["url"] == dg.MetadataValue.url((load_settings().home / "dashboard.html").as_uri())


def test_every_job_of_the_table_has_a_schedule_that_is_on(definitions: dg.Definitions) -> None:
    for job in JOBS:
        schedule = definitions.resolve_schedule_def(job.name)
        assert schedule.cron_schedule == job.cron
        assert schedule.execution_timezone == "UTC"
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_the_cadences_are_15_and_30_minutes_one_hour_and_four_and_upkeep_is_daily() -> None:
    crons = ["*/15 * * * *", "1,31 * * * *", "10 * * * *", "20 2-22/4 * * *", "40 0 * * *", "25 3 * * *"]
    assert [job.cron for job in JOBS] == [*crons, *(task.cron for task in TASKS)]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_s_cron_is_as_often_as_it_says_and_its_words_are_its_own(task: Task) -> None:
    ticks = cron_string_iterator(datetime(2026, 3, 1, tzinfo=UTC).timestamp(), task.cron, "UTC")
    moments = [next(ticks) for _ in range(9)]
    assert {later - earlier for earlier, later in pairwise(moments)} == {task.every}
    assert task.what.endswith(".")
    assert task.deps


def test_schedules_tick_as_the_home_s_timetable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTBUCKET_HOME", str(tmp_path))
    what = Change(job="parse_logs", by="me", at=datetime.now(UTC), cron="7 * * * *", timezone="Asia/Tokyo", on=False)
    reschedule(load_settings(), what)
    schedule = load_definitions().resolve_schedule_def("parse_logs")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("7 * * * *", "Asia/Tokyo")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_in_test_mode_every_schedule_ticks_each_5_minutes_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTBUCKET_TEST_MODE", "1")
    for job in JOBS:
        schedule = load_definitions().resolve_schedule_def(job.name)
        assert schedule.cron_schedule == "*/5 * * * *"
        assert "TEST MODE" in (schedule.description or "")


def test_every_asset_that_is_built_has_a_freshness_policy_and_its_windows_a_check_beside_it(
    definitions: dg.Definitions, specs: dict[str, dg.AssetSpec]
) -> None:
    checked = {key.asset_key.to_user_string() for key in check_keys(definitions) if key.name == "newest_windows_built"}
    assert checked == {asset for job in CHAIN_OF_JOBS for asset in job.assets}
    for job in JOBS:
        for asset in job.assets:
            policy = specs[asset].freshness_policy
            assert policy is not None
            assert policy.fail_window.to_timedelta() == job.late_after  # type: ignore[union-attr]


def check_keys(definitions: dg.Definitions) -> set[dg.AssetCheckKey]:
    return set(definitions.resolve_asset_graph().asset_check_keys)


def test_each_module_of_the_glue_imports_without_a_warning() -> None:
    names = [
        f"rustbucket_pipeline.defs.{path.stem}" for path in (PROJECT_ROOT / "rustbucket_pipeline/defs").glob("*.py")
    ]
    modules = ", ".join(name.removesuffix(".__init__") for name in names)
    imported = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import {modules}"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert imported.returncode == 0, imported.stderr


def test_failures_and_alerts_have_a_sensor_each_that_is_on(definitions: dg.Definitions) -> None:
    for name in ("heal", "failures", "alerts"):
        assert definitions.resolve_sensor_def(name).default_status is dg.DefaultSensorStatus.RUNNING
