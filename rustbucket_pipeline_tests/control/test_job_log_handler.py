"""What runs say and print, in their job's log: by the project's own `dagster.yaml`, on real runs."""

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from rustbucket_pipeline.control import printed
from rustbucket_pipeline.control.job_log import JobLog, Line, directory_of
from rustbucket_pipeline.control.job_log_handler import JobLogHandler, job_of_step
from rustbucket_pipeline.control.job_log_reading import last_lines
from rustbucket_pipeline.control.jobs import ANALYSE_WINDOWS, PARSE_LOGS, SIGN_ARCHIVE
from rustbucket_pipeline.control.runs import QUIET
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def instance(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance as `dagster.yaml` makes it, in a home of the test's own."""
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
    with dg.DagsterInstance.get() as instance:
        yield instance


def run(instance: dg.DagsterInstance, body: object, **tags: str) -> bool:
    """Run a job of the name of one of ours, with that body."""

    @dg.op(name="parsed_logs")
    def step(context: dg.OpExecutionContext) -> None:
        body(context)  # type: ignore[operator]

    @dg.job(name=PARSE_LOGS.name)
    def job() -> None:
        step()

    return job.execute_in_process(instance=instance, tags=tags, run_config=QUIET, raise_on_error=False).success


def said(settings: Settings) -> list[Line]:
    return last_lines(directory_of(settings), PARSE_LOGS.name, 1000)


def test_what_a_step_logs_is_in_its_job_s_log_with_run_and_window(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    def body(context: dg.OpExecutionContext) -> None:
        context.log.info("read %s files", 3)
        context.log.warning("one was torn")
        context.log.debug("for developers only")

    assert run(instance, body, **{"dagster/partition": "2026-03-02-00:00"})
    lines = said(settings)
    assert [(one.level, one.message) for one in lines] == [
        ("INFO", "run began"),
        ("INFO", "read 3 files"),
        ("WARNING", "one was torn"),
        ("INFO", "run succeeded"),
    ]
    assert [one.state for one in lines] == ["began", None, None, "succeeded"]
    (run_id,) = {one.run for one in lines}
    assert instance.has_run(str(run_id))
    assert {(one.first_window, one.last_window) for one in lines} == {("2026-03-02-00:00", "2026-03-02-00:00")}
    assert {one.step for one in lines} == {None, "parsed_logs"}


def test_why_a_step_failed_is_in_the_log_on_one_line(instance: dg.DagsterInstance, settings: Settings) -> None:
    def body(_: dg.OpExecutionContext) -> None:
        raise dg.Failure("the store\nis gone", allow_retries=False)

    assert not run(instance, body)
    errors = [one.message for one in said(settings) if one.level == "ERROR"]
    assert r"the store\nis gone" in errors


def test_a_traceback_that_a_step_logs_is_kept(instance: dg.DagsterInstance, settings: Settings) -> None:
    def body(context: dg.OpExecutionContext) -> None:
        try:
            int("seven")
        except ValueError:
            context.log.exception("unexpected")

    run(instance, body)
    (told,) = [one.message for one in said(settings) if one.level == "ERROR"]
    assert told.startswith("unexpected")
    assert told.endswith("invalid literal for int() with base 10: 'seven'")


def test_a_log_that_can_t_be_written_fails_no_run(
    instance: dg.DagsterInstance, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)  # as in production: the failure itself isn't printed
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / "logs").write_text("in the way")
    assert run(instance, lambda context: context.log.info("lost"))


def test_a_run_of_no_job_of_ours_has_no_log(instance: dg.DagsterInstance, settings: Settings) -> None:
    @dg.op
    def other(context: dg.OpExecutionContext) -> None:
        context.log.info("nobody's")

    @dg.job
    def foreign() -> None:
        other()

    foreign.execute_in_process(instance=instance)
    assert not directory_of(settings).exists()


def test_a_step_of_a_run_that_named_assets_is_its_job_s() -> None:
    assert job_of_step("__ASSET_JOB", "parsed_logs") is PARSE_LOGS
    assert job_of_step("__ASSET_JOB", "window_digest__log_analysis") is ANALYSE_WINDOWS
    assert job_of_step("__ASSET_JOB", "somebody_else_s") is None
    assert job_of_step(SIGN_ARCHIVE.name, None) is SIGN_ARCHIVE


def test_records_that_are_not_dagster_s_are_left_alone(settings: Settings) -> None:
    JobLogHandler().emit(logging.makeLogRecord({"msg": "of a library"}))
    assert not directory_of(settings).exists()


def test_what_is_printed_meanwhile_is_copied_line_by_line_and_nothing_before(tmp_path: Path) -> None:
    log = JobLog(tmp_path / "logs", compress_after=7, keep=None, secrets=("hush-hush",))
    path = tmp_path / "step.out"
    path.write_text("of the first try\n")
    empty = Line(time=NOON, level="INFO", job=PARSE_LOGS.name, run="r1", message="")
    with printed.copied(path, log, empty, lambda: NOON), path.open("ab") as out:
        out.write(b"one\r\n\n\xfftwo hush-hush\n" + b"y" * 50_000 + b"\nno end")
    messages = [one.message for one in last_lines(log.directory, PARSE_LOGS.name, 100)]
    assert messages[0] == "one"
    assert messages[1] == "\ufffdtwo [redacted]"
    assert set(messages[2]) == {"y", "…"}
    assert messages[-1] == "no end"


def test_a_step_that_prints_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "MOST_LINES", 5)
    log = JobLog(tmp_path / "logs", compress_after=7, keep=None, secrets=())
    path = tmp_path / "step.out"
    with printed.copied(path, log, Line(time=NOON, level="INFO", job="j", message=""), lambda: NOON):
        path.write_text("".join(f"{number}\n" for number in range(100)))
    messages = [one.message for one in last_lines(log.directory, "j", 100)]
    assert messages[:4] == ["0", "1", "2", "3"]
    assert messages[4:] == ["… it prints more; the run's compute log has all of it"]


def test_a_step_s_own_prints_are_in_its_job_s_log(
    instance: dg.DagsterInstance, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    with capfd.disabled():  # the real standard output, which Dagster captures
        assert run(instance, lambda _: os.write(1, b"printed by a library\n"))
    assert "printed by a library" in [one.message for one in said(settings)]
