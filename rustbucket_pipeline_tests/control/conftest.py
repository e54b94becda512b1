"""A Dagster instance for whoever reads or writes its records."""

from collections.abc import Iterator

import dagster as dg
import pytest


@pytest.fixture(scope="session")
def dagster_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """One on files, for the session: making one takes two seconds."""
    with dg.instance_for_test(temp_dir=str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture
def instance(dagster_storage: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """The same without any history."""
    yield dagster_storage
    dagster_storage.wipe()
    dagster_storage.wipe_all_schedules()
