"""The archive's tests: one rustbucket's directory and its archive."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline_tests.archive.fleet_on_disk import FleetOnDisk


@pytest.fixture
def fleet(database: Engine, archive: Archive, tmp_path: Path) -> FleetOnDisk:
    return FleetOnDisk(tmp_path / "sources", database, archive)
