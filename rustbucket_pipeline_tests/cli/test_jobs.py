"""`rustbucket jobs …` as a person types it, without a daemon: on a real fleet, database and Dagster instance."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.control.instance import dagster_instance
from rustbucket_pipeline.control.jobs import JOBS
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.fleet.entry import Entry
from rustbucket_pipeline.model.window import HOUR, Window, window_at
from rustbucket_pipeline.settings import PROJECT_ROOT, load_settings
from rustbucket_pipeline_tests.archive.fleet_on_disk import hour_of_lines
from rustbucket_pipeline_tests.cli.conftest import Command

NOW = datetime.now(UTC)
SINCE = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
FIRST, SECOND = Window(SINCE, HOUR), Window(SINCE + HOUR, HOUR)
UNTIL = Window(SECOND.end, HOUR).key
JSON_DOC = (PROJECT_ROOT / "docs" / "jobs.md").read_text(encoding="utf-8")


@pytest.fixture
def jobs(recorded: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command; windows began yesterday."""
    monkeypatch.setenv("RUSTBUCKET_SINCE", SINCE.isoformat())
    return recorded


@pytest.fixture
def fleet(jobs: Command, database: Engine) -> Iterator[Path]:
    """The logs of a rustbucket that sent yesterday's first two hours; they are archived."""
    settings = load_settings()
    folder = settings.home / "sources" / "one" / "instance"
    folder.mkdir(parents=True)
    for hour in (FIRST, SECOND):
        (folder / f"rustbucket.log.{hour.start:%Y-%m-%d-%H}").write_bytes(hour_of_lines(hour.start))
    with database.begin() as connection:
        added = registry.add(connection, settings, Entry(name="one", logs_url=folder.parent.as_uri()), SINCE)
        registry.approve(connection, added.id, SINCE)
    ran = jobs(
        "jobs", "run", "archive_logs", "--from", FIRST.key, "--to", (SECOND.start + HOUR).strftime("%Y-%m-%d-%H:%M")
    )
    assert ran.code == 0, ran.out
    return settings.home


def listed(jobs: Command) -> dict[str, Any]:
    return {one["job"]: one for one in json.loads(jobs("jobs", "list", "--json").out)}


def lose_objects(home: Path, hour: Window) -> None:
    """Take the hour's archived objects away: its rows can't be built any more."""
    for half in (hour.start, hour.start + HOUR / 2):
        shutil.rmtree(
            home / "archive" / "raw" / "BKT100001" / f"{half:%Y}" / f"{half:%m}" / f"{half:%d}" / f"{half:%H%M}"
        )


def test_help_needs_no_dagster() -> None:
    code = (
        "import sys; sys.argv = ['rustbucket', 'jobs', '--help']\n"
        "from rustbucket_pipeline.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print({'dagster', 'sqlalchemy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
    assert "mark-success" in done.stdout


def test_every_job_is_listed_with_all_that_the_documentation_names(jobs: Command) -> None:
    lines = [line.split("\t") for line in jobs("jobs", "list").out.splitlines()]
    assert [line[0] for line in lines] == [job.name for job in JOBS]
    assert all(line[3] == "never" for line in lines)
    board = listed(jobs)
    for entry in board.values():
        for name in (*entry, *entry["schedule"]):
            assert f"`{name}`" in JSON_DOC
    assert board["poll_fleet"]["missed"] is None
    assert board["archive_logs"]["missed"] == len(board["archive_logs"]["missed_windows"]) > 40
    assert board["parse_logs"] | {"next_run": "", "does": ""} == {
        "job": "parse_logs",
        "does": "",
        "assets": ["parsed_logs"],
        "owner": "team:honeypots",
        "schedule": {
            "cron": "10 * * * *",
            "timezone": "UTC",
            "on": True,
            "test_mode": False,
            "changed_by": None,
            "changed_at": None,
        },
        "last_run": None,
        "last_success": None,
        "succeeded_at": None,
        "last_error": None,
        "next_run": "",
        "running": [],
        "running_since": None,
        "missed": 0,
        "missed_windows": [],
        "waiting": 0,
    }


def test_test_mode_is_told_above_the_list(jobs: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTBUCKET_TEST_MODE", "1")
    assert jobs("jobs", "list").out.startswith("TEST MODE: every job ticks each 5 minutes")
    assert listed(jobs)["poll_fleet"]["schedule"]["test_mode"] is True


@pytest.mark.usefixtures("fleet")
def test_a_run_builds_what_is_due_and_the_board_knows_of_it(jobs: Command) -> None:
    ran = jobs("jobs", "run", "parse_logs", "--follow")
    assert ran.code == 0
    assert f"parsed_logs {SECOND.key}: built, 60 rows" in ran.out
    assert "parse_logs, " in ran.out.splitlines()[-1]
    assert "120 rows" in ran.out.splitlines()[-1]
    entry = listed(jobs)["parse_logs"]
    run = entry["last_run"]
    assert (run["status"], run["asked_by"], run["forced"]) == ("SUCCESS", "person", False)
    assert (run["first_window"], run["last_window"]) == (FIRST.key, SECOND.key)
    assert entry["last_success"] == run
    assert (entry["succeeded_at"], entry["missed"]) == (run["started_at"], 0)
    (shown,) = json.loads(jobs("jobs", "show", "parse_logs", "--json").out)["runs"]
    assert shown == run | {"rows": 120, "error": None}
    with dagster_instance() as instance:
        record = instance.get_run_record_by_id(run["id"])
        assert record is not None
        assert (record.dagster_run.status.value, record.dagster_run.job_name) == ("SUCCESS", "parse_logs")


@pytest.mark.usefixtures("fleet")
def test_what_is_built_is_not_run_again_unless_forced_and_then_it_is_no_slot(jobs: Command) -> None:
    jobs("jobs", "run", "parse_logs")
    before = listed(jobs)["parse_logs"]
    again = jobs("jobs", "run", "parse_logs", "--window", FIRST.key)
    assert (again.code, "not run: built from what is there" in again.out) == (0, True)
    assert jobs("jobs", "run", "parse_logs").out == "parse_logs: nothing is due\n"
    forced = jobs("jobs", "run", "parse_logs", "--window", FIRST.key, "--force")
    assert (forced.code, "done in" in forced.out) == (0, True)
    after = listed(jobs)["parse_logs"]
    assert after["last_run"]["forced"] is True
    assert (after["last_success"], after["succeeded_at"]) == (before["last_success"], before["succeeded_at"])


def test_a_run_that_fails_says_why_and_the_exit_code_too_until_its_window_is_built(jobs: Command, fleet: Path) -> None:
    aside = fleet / "aside"
    shutil.copytree(fleet / "archive", aside)
    lose_objects(fleet, SECOND)
    ran = jobs("jobs", "run", "parse_logs")
    assert ran.code == 1
    assert "FAILURE" in ran.out
    assert SECOND.key in ran.out
    entry = listed(jobs)["parse_logs"]
    assert entry["last_error"]["run"] == entry["last_run"]["id"]
    assert SECOND.key in entry["last_error"]["message"]
    assert "\n" not in entry["last_error"]["message"]
    jobs("jobs", "run", "parse_logs", "--window", FIRST.key, "--force")
    assert listed(jobs)["parse_logs"]["last_error"] == entry["last_error"]
    shutil.copytree(aside, fleet / "archive", dirs_exist_ok=True)
    assert jobs("jobs", "run", "parse_logs", "--window", SECOND.key).code == 0
    assert listed(jobs)["parse_logs"]["last_error"] is None


def test_a_backfill_in_order_stops_at_the_first_window_that_fails(jobs: Command, fleet: Path) -> None:
    lose_objects(fleet, FIRST)
    ordered = jobs("jobs", "backfill", "parse_logs", "--from", FIRST.key, "--to", UNTIL, "--in-order")
    assert ordered.code == 1
    assert f"stopped at {FIRST}; 1 windows after it weren't tried" in ordered.out
    whole = jobs("jobs", "backfill", "parse_logs", "--from", FIRST.key, "--to", UNTIL)
    assert whole.code == 1
    runs = json.loads(jobs("jobs", "show", "parse_logs", "--json").out)["runs"]
    assert [(run["first_window"], run["last_window"], run["rows"]) for run in runs] == [
        (FIRST.key, SECOND.key, 60),
        (FIRST.key, FIRST.key, None),
    ]


@pytest.mark.usefixtures("fleet")
def test_all_that_is_due_runs_each_job_after_those_it_builds_on(jobs: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_VERIFY_COMPONENTS", "objects")  # a restore takes as long as all the rest
    monkeypatch.setenv("HEALTH_CHECK_COMPONENTS", "disk")
    ran = jobs("jobs", "run", "--all-due")
    assert ran.code == 0, ran.out
    done = [line.split(",")[0].split(":")[0] for line in ran.out.splitlines() if ": done in" in line]
    assert list(dict.fromkeys(done)) == [name for name in (job.name for job in JOBS) if name in done]
    assert {"poll_fleet", "archive_logs", "parse_logs", "sign_archive"} <= set(done)
    jobs("jobs", "run", "--all-due")  # the canary that entered meanwhile
    again = jobs("jobs", "run", "--all-due").out
    assert "poll_fleet: not run: it ran at " in again or "poll_fleet: done" in again  # a tick may have come meanwhile
    assert "parse_logs: nothing is due" in again


@pytest.mark.usefixtures("fleet")
def test_windows_are_marked_and_reset_and_each_word_is_told(jobs: Command) -> None:
    marked = jobs("jobs", "mark-success", "parse_logs", FIRST.key, "--reason", "a test of ours")
    assert marked.out == f"parse_logs, {FIRST}: marked; not due until its inputs change\n"
    assert (
        "wasn't due; nothing was marked" in jobs("jobs", "mark-success", "parse_logs", FIRST.key, "--reason", "x").out
    )
    assert FIRST.key not in listed(jobs)["parse_logs"]["missed_windows"]
    reset = jobs("jobs", "reset", "parse_logs", FIRST.key)
    four = window_at(FIRST.start, 4 * HOUR)
    assert reset.out.splitlines() == [
        f"parse_logs: {FIRST} reset; what was built stays until it is built again",
        f"gap: {FIRST} due again",
        f"until then wait, if they are due: analyse_windows, {four}",
    ]
    assert FIRST.key in listed(jobs)["parse_logs"]["missed_windows"]
    assert jobs("jobs", "reset", "parse_logs", FIRST.key).out.endswith("nothing to reset\n")


@pytest.mark.usefixtures("fleet")
def test_an_archive_is_marked_by_a_waiver(jobs: Command) -> None:
    third = Window(SECOND.start + HOUR, HOUR)
    marked = jobs("jobs", "mark-success", "archive_logs", third.key, "--reason", "the uplink was down")
    assert marked.out.splitlines()[0] == f"BKT100001, {third}: waived; it never counts as received"
    states = json.loads(jobs("windows", "--json").out)
    assert {state["arrival"] for state in states if state["hour"] == third.start.isoformat()} == {"waived"}


def test_a_job_without_windows_is_marked_reset_and_run(jobs: Command) -> None:
    assert jobs("jobs", "mark-success", "sign_archive", "--reason", "by hand").code == 0
    assert "not run: it ran at" in jobs("jobs", "run", "sign_archive").out
    assert listed(jobs)["sign_archive"]["succeeded_at"] is not None
    assert "it is due now" in jobs("jobs", "reset", "sign_archive").out
    assert listed(jobs)["sign_archive"]["succeeded_at"] is None
    assert "done in" in jobs("jobs", "run", "sign_archive").out


def test_a_switched_off_job_has_no_next_run_and_is_not_healed(jobs: Command) -> None:
    assert jobs("jobs", "disable", "archive_logs").out.startswith("archive_logs: switched off")
    entry = listed(jobs)["archive_logs"]
    assert (entry["schedule"]["on"], entry["next_run"]) == (False, None)
    assert {item["standing"] for item in json.loads(jobs("plan", "--json").out) if item["job"] == "archive_logs"} == {
        "off"
    }
    assert "was already off" in jobs("jobs", "disable", "archive_logs").out
    assert jobs("jobs", "enable", "archive_logs").out.startswith("archive_logs: switched on; next tick ")
    assert listed(jobs)["archive_logs"]["schedule"]["on"] is True


def test_a_job_s_log_is_printed_for_people_and_as_it_is(jobs: Command) -> None:
    assert jobs("jobs", "logs", "poll_fleet").raw == b""
    jobs("jobs", "run", "poll_fleet")
    lines = jobs("jobs", "logs", "poll_fleet").out.splitlines()
    assert lines[0].endswith("run began")
    assert lines[-1].endswith("run succeeded")
    kept = [json.loads(line) for line in jobs("jobs", "logs", "poll_fleet", "--json").out.splitlines()]
    assert [one["message"] for one in kept][-1] == "run succeeded"
    assert {one["run"] for one in kept} == {listed(jobs)["poll_fleet"]["last_run"]["id"]}
    assert len(jobs("jobs", "logs", "poll_fleet", "-n", "1").out.splitlines()) == 1


def test_a_job_that_never_ran_says_so(jobs: Command) -> None:
    assert jobs("jobs", "show", "parse_logs").out.splitlines()[-1] == "it never ran"


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nightly"),
        ("run", "nightly"),
        ("backfill", "nightly", "--from", "1d"),
        ("mark-success", "nightly", "--reason", "x"),
        ("reset", "nightly"),
        ("enable", "nightly"),
        ("disable", "nightly"),
        ("logs", "nightly"),
        ("schedule", "nightly", "--every", "1h"),
    ],
)
def test_a_name_that_is_no_job_s_is_always_told(jobs: Command, arguments: tuple[str, ...]) -> None:
    ran = jobs("jobs", *arguments)
    assert (ran.code, ran.raw, ran.err.count("\n")) == (2, b"", 1)
    assert "no job 'nightly'; there are poll_fleet," in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run",), "which job?"),
        (("run", "poll_fleet", "--all-due"), "leave out everything"),
        (("run", "poll_fleet", "--window", FIRST.key), "has no windows"),
        (("run", "parse_logs", "--window", "2999-01-01-00:00"), "isn't over"),
        (("run", "parse_logs", "--to", "1h"), "--to needs --from"),
        (("run", "parse_logs", "--window", FIRST.key, "--from", "3h"), "use one of them"),
        (("run", "parse_logs", "--arg", "depth=3"), "takes no argument 'depth'"),
        (("backfill", "parse_logs"), "since when?"),
        (("mark-success", "parse_logs"), "which windows of parse_logs?"),
        (("mark-success", "parse_logs", FIRST.key), "--reason"),
        (("reset", "parse_logs", "soon"), "is no window"),
        (("kill", "00000000"), "no run '00000000'"),
    ],
)
def test_every_mistake_is_one_clear_line(jobs: Command, arguments: tuple[str, ...], said: str) -> None:
    ran = jobs("jobs", *arguments)
    assert (ran.code, ran.raw, ran.err.count("\n")) == (2, b"", 1)
    assert said in ran.err
