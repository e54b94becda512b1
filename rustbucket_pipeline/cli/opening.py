"""How commands come to settings and database: the home is made ready first, and notes when that was."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine

from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.home import prepare_home
from rustbucket_pipeline.storage.postgres import open_database


def ready_settings() -> Settings:
    """The settings, of a home that is ready for use. Raises `ConfigurationError`."""
    prepare_home(load_settings(), datetime.now(UTC))
    return load_settings()


@contextmanager
def opened() -> Generator[tuple[Engine, Settings]]:
    """An engine on our database and the settings, closed on leaving.

    Raises `ConfigurationError`, `DatabaseUnavailable`.
    """
    settings = ready_settings()
    engine = open_database(settings)
    try:
        yield engine, settings
    finally:
        engine.dispose()
