"""What Socorro's cronrun did, row by row, on our own system: the daemon or the command acts, GraphQL tells what it did.

The numbers are those of its behaviours; what it did wrong is in `test_bugs.py`.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import dagster as dg

from rustbucket_pipeline.control.jobs import JOBS, PARSE_LOGS
from rustbucket_pipeline.control.plan import PAUSES
from rustbucket_pipeline.control.timetable import load_timetable
from rustbucket_pipeline.model.window import HALF_HOUR, HOUR, Window
from rustbucket_pipeline.storage.objects import open_archive
from rustbucket_pipeline_tests.control.cronrun.system import (
    BAD,
    GOOD,
    MARKED,
    PATIENCE_SECONDS,
    Command,
    System,
    planned,
)
from rustbucket_pipeline_tests.e2e.checkout import graphql
from rustbucket_pipeline_tests.e2e.running import SeenRun, agreed, eventually

SCHEDULES = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  schedules { name cronSchedule executionTimezone } } } } }"""
SUCCEEDED = """query ($job: String!) { runsOrError(filter: { pipelineName: $job, statuses: [SUCCESS] }) {
  ... on Runs { results { runId startTime tags { key } } } } }"""
PARTITION = """query ($asset: AssetKeyInput!) { assetNodeOrError(assetKey: $asset) { ... on AssetNode {
  assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } } } } }"""
LATEST = """query ($asset: AssetKeyInput!) { assetNodeOrError(assetKey: $asset) { ... on AssetNode {
  assetMaterializations(limit: 1) { runId metadataEntries {
    label ... on BoolMetadataEntry { boolValue } ... on IntMetadataEntry { intValue } } } } } }"""


def runs_of(system: System, job: str) -> list[SeenRun]:
    """Oldest first."""
    return [run for run in system.running.runs() if run.job == job]


def entry_of(command: Command, job: str) -> Mapping[str, Any]:
    """What `jobs list --json` tells of the job."""
    return next(entry for entry in json.loads(command("jobs", "list", "--json").out) if entry["job"] == job)


def test_01_a_job_that_fails_ends_neither_the_loop_nor_the_other_jobs(system: System) -> None:
    failed = max(run.ended or 0.0 for run in runs_of(system, PARSE_LOGS.name) if run.status == "FAILURE")

    def ticked_since() -> bool:
        return any(tick["timestamp"] > failed and tick["status"] != "FAILURE" for tick in system.running.ticks("heal"))

    eventually(ticked_since, PATIENCE_SECONDS, lambda: system.running.ticks("heal"))
    assert all(system.built_at("parsed_logs", hour) for hour in GOOD)


def test_02_every_job_of_the_table_is_a_schedule_of_its_own(system: System) -> None:
    found = graphql(system.running.port, SCHEDULES)["repositoriesOrError"]["nodes"][0]["schedules"]
    told = {(one["name"], one["cronSchedule"], one["executionTimezone"]) for one in found}
    assert told == {(job.name, job.cron, "UTC") for job in JOBS}


def test_03_a_job_that_never_ran_is_due_at_once_and_then_from_its_next_tick_on(
    system: System, command: Command
) -> None:
    before = len(runs_of(system, "sign_archive"))
    command("jobs", "reset", "sign_archive")
    assert ": done" in command("jobs", "run", "sign_archive").out
    again = command("jobs", "run", "sign_archive")
    assert "not run: it ran at" in again.out
    assert len(runs_of(system, "sign_archive")) == before + 1
    tick = load_timetable(system.settings)["sign_archive"].tick(datetime.now(UTC))
    assert f"due at {tick:%Y-%m-%d %H:%M} UTC" in again.out
    assert load_timetable(system.settings)["sign_archive"].tick(tick) == tick, "at the tick itself it is due"


def test_04_missed_slots_are_built_oldest_first_and_there_may_be_none(system: System, command: Command) -> None:
    morning = [system.materialized("parsed_logs", hour)[0] for hour in GOOD[:3]]
    assert morning == sorted(morning)
    assert "nothing is due" in command("jobs", "run", PARSE_LOGS.name).out


def test_05_in_order_each_slot_is_a_run_of_its_own_up_to_the_first_that_fails(system: System, command: Command) -> None:
    before = {run.id for run in runs_of(system, PARSE_LOGS.name)}
    span = ("--from", GOOD[2].key, "--to", Window(BAD.end + HOUR, HOUR).key)
    ended = command("jobs", "backfill", PARSE_LOGS.name, "--in-order", *span)
    assert ended.code == 1
    assert f"stopped at {BAD}; 1 windows after it weren't tried" in ended.out
    ran = [run for run in runs_of(system, PARSE_LOGS.name) if run.id not in before]
    assert [(run.windows, run.status) for run in ran] == [({GOOD[2]}, "SUCCESS"), ({BAD}, "FAILURE")]


def test_06_when_a_job_last_succeeded_is_when_that_run_began(system: System, command: Command) -> None:
    told = entry_of(command, "archive_logs")
    succeeded = graphql(system.running.port, SUCCEEDED, job="archive_logs")["runsOrError"]["results"]
    newest = next(run for run in succeeded if {"key": "rustbucket/forced"} not in run["tags"])
    assert told["last_success"]["id"] == newest["runId"]
    assert datetime.fromisoformat(told["succeeded_at"]).timestamp() == newest["startTime"]


def test_07_after_a_success_the_next_run_is_the_next_tick_and_no_error_is_left(
    system: System, command: Command
) -> None:
    told = entry_of(command, "archive_logs")
    assert told["last_error"] is None
    assert told["missed"] == 0
    assert agreed(system.checkout, system.running)


def test_08_after_an_error_it_is_tried_again_after_a_pause_and_the_error_is_kept(
    system: System, command: Command
) -> None:
    told = entry_of(command, PARSE_LOGS.name)
    assert BAD.key in told["last_error"]["message"] or MARKED.key in told["last_error"]["message"]
    assert told["last_error"]["run"] in {run.id for run in system.running.runs() if run.status == "FAILURE"}
    item = planned(command, BAD)
    assert item is not None
    assert item["tries"] >= 1
    with system.engine.connect() as connection:
        asked = connection.exec_driver_sql(
            f"SELECT times, asked_at FROM window_requests WHERE job = 'parse_logs' AND window_start = '{BAD.start}'"
        ).one()
    if item["standing"] == "paused" and asked.times <= len(PAUSES):
        assert f"again at {asked.asked_at + PAUSES[asked.times - 1]:%Y-%m-%d %H:%M}" in item["detail"]


def test_09_a_window_that_is_being_built_is_not_built_a_second_time_until_that_ends(
    system: System, command: Command, instance: dg.DagsterInstance
) -> None:
    hour = GOOD[1]
    tags = {"dagster/partition": hour.key}
    running = instance.add_run(
        dg.DagsterRun(PARSE_LOGS.name, run_id=str(uuid4()), tags=tags, status=dg.DagsterRunStatus.STARTED)
    )
    command("jobs", "reset", PARSE_LOGS.name, hour.key)
    ended = command("jobs", "run", PARSE_LOGS.name, "--window", hour.key)
    assert "not run: building: a run is building it" in ended.out
    instance.report_run_canceled(running)
    assert ": done" in command("jobs", "run", PARSE_LOGS.name, "--window", hour.key).out


def test_10_one_job_by_name_and_forced_runs_that_do_not_count(system: System, command: Command) -> None:
    unknown = command("jobs", "run", "nope")
    assert (unknown.code, "no job 'nope'" in unknown.err) == (2, True)
    refused = command("jobs", "run", "sign_archive", "--arg", "nope=1")
    assert (refused.code, "takes no argument 'nope'" in refused.err) == (2, True)
    before = entry_of(command, "sign_archive")["succeeded_at"]
    assert ": done" in command("jobs", "run", "sign_archive", "--force").out
    told = entry_of(command, "sign_archive")
    assert told["last_run"]["forced"]
    assert told["succeeded_at"] == before
    assert runs_of(system, "sign_archive")[-1].id == told["last_run"]["id"]


def test_11_every_job_is_listed_whether_it_ran_or_not_and_every_run_is_kept(system: System, command: Command) -> None:
    listed = [entry["job"] for entry in json.loads(command("jobs", "list", "--json").out)]
    assert listed == [job.name for job in JOBS]
    kept = json.loads(command("jobs", "show", PARSE_LOGS.name, "--json", "-n", "1000").out)["runs"]
    assert {run["id"] for run in kept} == {run.id for run in runs_of(system, PARSE_LOGS.name)}
    failed = [run for run in kept if run["status"] == "FAILURE"]
    assert all(run["error"] and run["first_window"] for run in failed)
    assert all(run["seconds"] > 0 for run in failed if run["started_at"])


def test_12_what_a_run_says_is_in_its_job_s_log(system: System, command: Command) -> None:
    lines = [
        json.loads(line) for line in command("jobs", "logs", PARSE_LOGS.name, "-n", "1000", "--json").out.splitlines()
    ]
    own = {run.id for run in runs_of(system, PARSE_LOGS.name)}
    assert {line["run"] for line in lines if line["run"]} <= own
    assert any(BAD.key in line["message"] or str(BAD) in line["message"] for line in lines)


def test_13_the_list_tells_schedule_last_run_last_success_next_run_and_error(system: System, command: Command) -> None:
    lines = {line.split("\t")[0]: line.split("\t") for line in command("jobs", "list").out.splitlines()}
    told = {entry["job"]: entry for entry in json.loads(command("jobs", "list", "--json").out)}
    for job in JOBS:
        _, cron, _, last_run, success, next_run, _, missed, error = lines[job.name]
        assert cron == job.cron
        assert (last_run == "never") == (told[job.name]["last_run"] is None)
        assert (success == "never") == (told[job.name]["succeeded_at"] is None)
        assert next_run != "–"
        assert (missed == "–") == (job.window is None)
        assert (error == "–") == (told[job.name]["last_error"] is None)


def test_14_a_reset_window_is_due_again_its_history_stays(system: System, command: Command) -> None:
    hour = GOOD[0]
    before, built = len(system.materialized("parsed_logs", hour)), system.built_at("parsed_logs", hour)
    ended = command("jobs", "reset", PARSE_LOGS.name, hour.key)
    assert f"gap: {hour} due again" in ended.out
    assert len(system.materialized("parsed_logs", hour)) == before
    command("jobs", "run", PARSE_LOGS.name, "--window", hour.key)
    again = system.built_at("parsed_logs", hour)
    assert built is not None
    assert again is not None
    assert again > built
    assert len(system.materialized("parsed_logs", hour)) == before + 1


def test_15_a_window_marked_as_done_is_not_due_any_more_and_it_is_kept_why(system: System, command: Command) -> None:
    assert command("jobs", "mark-success", PARSE_LOGS.name, MARKED.key).code == 2
    ended = command("jobs", "mark-success", PARSE_LOGS.name, MARKED.key, "--reason", "we know")
    assert f"{MARKED}: marked; not due until its inputs change" in ended.out
    assert planned(command, MARKED) is None
    ranges = graphql(system.running.port, PARTITION, asset={"path": ["parsed_logs"]})["assetNodeOrError"]
    done = [one for one in ranges["assetPartitionStatuses"]["ranges"] if one["status"] == "MATERIALIZED"]
    assert any(one["startKey"] <= MARKED.key <= one["endKey"] for one in done)


def test_16_old_history_goes_and_a_dry_run_only_counts(system: System, command: Command) -> None:
    before = {run.id for run in system.running.runs()}
    ended = command("jobs", "run", "prune_history", "--force", "--arg", "dry_run=true")
    assert ": done" in ended.out
    (latest,) = graphql(system.running.port, LATEST, asset={"path": ["dagster_history"]})["assetNodeOrError"][
        "assetMaterializations"
    ]
    facts = {one["label"]: one.get("boolValue", one.get("intValue")) for one in latest["metadataEntries"]}
    assert facts["dry_run"] is True
    assert facts["runs"] == 0, "nothing is half a year old"
    assert {run.id for run in system.running.runs()} == before | {latest["runId"]}


def test_17_what_the_archive_lacks_is_found_and_fetched_again(system: System, command: Command) -> None:
    half = Window(GOOD[-1].start, HALF_HOUR)
    with system.engine.connect() as connection:
        key = connection.exec_driver_sql(
            f"SELECT object_key FROM segments WHERE window_start = '{half.start}'"
        ).scalar_one()
    open_archive(system.settings).delete(key)
    found = command("archive", "verify")
    assert found.code == 1
    assert key in found.out or half.key in found.out or "missing" in found.out
    assert ": done" in command("jobs", "run", "archive_logs", "--window", half.key, "--force").out
    assert command("archive", "verify").code == 0
    assert system.materialized("log_archives", half)
