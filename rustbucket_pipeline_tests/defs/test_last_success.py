"""Everything since I last ran: the asset that says so is told by Dagster's own records, forced runs left out."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from rustbucket_pipeline.control.ran import FORCED
from rustbucket_pipeline.control.runs import QUIET, load_definitions
from rustbucket_pipeline.settings import Settings


def sign(instance: dg.DagsterInstance, **tags: str) -> dict[str, object]:
    """Run the job that signs the archive; what it said of the manifest."""
    job = load_definitions().resolve_job_def("sign_archive")
    done = job.execute_in_process(instance=instance, run_config=QUIET, tags=tags)
    (made,) = done.asset_materializations_for_node("archive_manifest")
    return {name: value.value for name, value in made.metadata.items()}


def test_the_manifest_says_what_was_archived_since_the_last_success(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RUSTBUCKET_HOME", str(settings.home))
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", database_url)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        first, forced, third = sign(instance), sign(instance, **{FORCED: "true"}), sign(instance)
        newest = instance.get_run_records(dg.RunsFilter(job_name="sign_archive"), ascending=True, limit=1)[0]
    assert (first["last_success"], first["segments_since_then"]) == ("never", 0)
    assert forced["last_success"] == third["last_success"] != "never"
    assert newest.start_time is not None
    assert third["last_success"] == datetime.fromtimestamp(newest.start_time, UTC).isoformat()
