"""The upkeep's tests: settings with some variables set."""

from collections.abc import Callable

import pytest

from rustbucket_pipeline.settings import Settings


@pytest.fixture
def changed(settings: Settings) -> Callable[..., Settings]:
    """The test's settings with some variables set, as the environment would set them."""
    assert settings.database_url is not None
    base = {"RUSTBUCKET_HOME": settings.home, "RUSTBUCKET_DATABASE_URL": settings.database_url}
    return lambda **variables: Settings(**base, **variables)
