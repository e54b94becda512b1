"""What assets are handed: settings, database, archive, S3. Each is opened when a run starts, never on import.

Assets see plain objects of our own rooms; only this file knows them as Dagster resources.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import dagster as dg
from sqlalchemy import Engine

from rustbucket_pipeline.control.jobs import Job
from rustbucket_pipeline.control.success import last_success
from rustbucket_pipeline.errors import PermanentError
from rustbucket_pipeline.settings import Settings, load_settings
from rustbucket_pipeline.storage.objects import Archive, open_archive
from rustbucket_pipeline.storage.postgres import open_database

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Clock = Callable[[], datetime]

LastSuccess = Callable[[Job], datetime | None]
"""Since when everything is new to a job (UTC): its last success that counts began then; None: it never succeeded."""

S3_ATTEMPTS = 4
"""How often boto3 tries a request in all: some seconds of backing off, then the next pull tries again."""


class S3(Protocol):
    """Opens S3 clients."""

    def __call__(self, region: str | None) -> "S3Client":
        """A client of that region; without one it asks S3, once for each bucket, and follows it there."""
        ...


@contextmanager
def once(context: dg.InitResourceContext) -> Generator[None]:
    """Open a resource. A run that only a person can put right isn't started again: Dagster itself can't tell."""
    try:
        yield
    except PermanentError:
        if context.instance is not None and context.run is not None:
            context.instance.add_run_tags(context.run.run_id, {"dagster/max_retries": "0"})
        raise


class SettingsResource(dg.ConfigurableResource[Settings]):
    """The settings as they are when the run starts."""

    def create_resource(self, context: dg.InitResourceContext) -> Settings:
        """Read the environment and the home."""
        with once(context):
            return load_settings()


class DatabaseResource(dg.ConfigurableResource[Engine]):
    """The project's PostgreSQL; the embedded one is started if need be."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Engine]:
        """An engine for the length of the run."""
        with once(context):
            engine = open_database(load_settings())
        try:
            yield engine
        finally:
            engine.dispose()


class ArchiveResource(dg.ConfigurableResource[Archive]):
    """The archive's object store."""

    def create_resource(self, context: dg.InitResourceContext) -> Archive:
        """Open it; nothing is contacted before the first object."""
        with once(context):
            return open_archive(load_settings())


class S3Sources(dg.ConfigurableResource[S3]):
    """S3 clients for sources, by boto3's credential chain through dagster-aws; one a region, made on first use."""

    def create_resource(self, context: dg.InitResourceContext) -> S3:
        """A function that opens a region's client. Threads share it: making one takes 50 ms and isn't thread-safe."""
        endpoint, clients, making = load_settings().s3_endpoint, dict[str | None, "S3Client"](), Lock()

        def client(region: str | None) -> "S3Client":
            from dagster_aws.s3 import S3Resource

            with making:
                if region not in clients:
                    opened = S3Resource(endpoint_url=endpoint, region_name=region, max_attempts=S3_ATTEMPTS)
                    clients[region] = opened.get_client()
                return clients[region]

        return client


class WallClock(dg.ConfigurableResource[Clock]):
    """The time, UTC: the only clock the assets look at."""

    def create_resource(self, context: dg.InitResourceContext) -> Clock:
        """A function that says what time it is."""
        return lambda: datetime.now(UTC)


class LastSuccesses(dg.ConfigurableResource[LastSuccess]):
    """When a job last succeeded, by Dagster's records of the runs before this one."""

    def create_resource(self, context: dg.InitResourceContext) -> LastSuccess:
        """A function that asks when it is called."""
        instance = context.instance
        if instance is None:
            raise dg.DagsterInvariantViolationError("without an instance nothing is known of earlier runs")
        return partial(last_success, instance)


@dg.definitions
def resources() -> dg.Definitions:
    """The resources by the names the assets ask for."""
    return dg.Definitions(
        executor=dg.in_process_executor,
        resources={
            "settings": SettingsResource(),
            "database": DatabaseResource(),
            "archive": ArchiveResource(),
            "s3": S3Sources(),
            "clock": WallClock(),
            "last_success": LastSuccesses(),
        },
    )
