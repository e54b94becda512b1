"""A Claude on loopback, and settings that ask it."""

from collections.abc import Iterator

import pytest

from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.analysis.claude_server import KEY, ClaudeServer, serving


@pytest.fixture
def claude() -> Iterator[ClaudeServer]:
    with serving() as server:
        yield server


@pytest.fixture
def with_claude(settings: Settings, claude: ClaudeServer) -> Settings:
    """Settings with a key whose Claude is the one on loopback."""
    return changed(settings, ANTHROPIC_API_KEY=KEY, CLAUDE_BASE_URL=claude.url)


def changed(settings: Settings, **variables: object) -> Settings:
    """The same settings with some variables set, as the environment would set them."""
    assert settings.database_url is not None
    base = {"RUSTBUCKET_HOME": settings.home, "RUSTBUCKET_DATABASE_URL": settings.database_url}
    return Settings(**base, **variables)  # type: ignore[arg-type]
