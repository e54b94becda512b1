"""How a stage's outcome becomes Dagster events: one materialization per window, as soon as the window is built.

Assets with windows yield these events, not results: in a range run those would come once, at the end, and the same for
every window. Anything from a log goes in as plain text or JSON, never as Markdown, which Dagster would render.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

import dagster as dg

from rustbucket_pipeline.errors import RustbucketError
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.builds import UPSTREAM

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


OBSERVED = "raw_bucket_logs"
"""What isn't ours and only observed: the archive holds all of it there was, so it makes nothing stale by itself."""

NEVER = "NULL"
"""Dagster's own word for: there was no event."""

Fact = int | float | str | dg.JsonMetadataValue


def facts_of(outcome: "DataclassInstance", rows: int) -> dict[str, Fact]:
    """A stage's outcome as metadata: its numbers and words by their own names, and the rows it wrote."""
    named = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
    return {
        "dagster/row_count": rows,
        **{name: value for name, value in named.items() if isinstance(value, int | float | str)},
    }


def provenance(context: dg.AssetExecutionContext, asset: str, window: Window) -> dict[str, str]:
    """What Dagster needs to tell whether the window becomes stale: our code, and how far upstream was.

    Ask before the data is read: what arrives in between then makes the window stale, never silently fresh.
    """
    return lineage(context.instance, asset, window, context.assets_def.code_versions_by_key[dg.AssetKey(asset)] or "")


def lineage(instance: dg.DagsterInstance, asset: str, window: Window, code_version: str) -> dict[str, str]:
    """The same, of a window built outside of a step."""
    tags = {"dagster/code_version": code_version, "dagster/data_version_is_user_provided": "true"}
    if asset in UPSTREAM:
        keys = {part.key for part in window.parts(UPSTREAM[asset].length)}
        ids = instance.get_latest_storage_id_by_partition(
            dg.AssetKey(UPSTREAM[asset].asset), dg.DagsterEventType.ASSET_MATERIALIZATION, keys
        )
        return tags | _pointer(UPSTREAM[asset].asset, str(max(ids.values())) if ids else NEVER)
    return tags | _pointer(OBSERVED, NEVER)


def _pointer(upstream: str, storage_id: str) -> dict[str, str]:
    """Dagster compares data versions of events after this one with the one here; the version itself isn't read."""
    return {
        f"dagster/input_event_pointer/{upstream}": storage_id,
        f"dagster/input_data_version/{upstream}": storage_id,
    }


def materialized(
    asset: str, window: Window, version: str, metadata: Mapping[str, Fact], provenance: Mapping[str, str]
) -> dg.AssetMaterialization:
    """The window's materialization; `version` is what downstream compares to know whether it is stale."""
    tags = {"dagster/data_version": version, **provenance}
    return dg.AssetMaterialization(asset, partition=window.key, metadata=metadata, tags=tags)


def observed(asset: str, window: Window, version: str) -> dg.AssetObservation:
    """What an asset that isn't ours held for the window when it was asked."""
    return dg.AssetObservation(asset, partition=window.key, tags={"dagster/data_version": version})


@contextmanager
def as_failure() -> Generator[None]:
    """Turn our errors into Dagster's: permanent ones aren't retried, and people read the message, not a traceback."""
    try:
        yield
    except RustbucketError as error:
        raise dg.Failure(description=str(error), allow_retries=error.transient) from error


def each_window(
    context: dg.AssetExecutionContext,
    windows: Iterable[Window],
    build: Callable[[Window], Iterator[dg.AssetMaterialization]],
) -> Iterator[dg.AssetMaterialization]:
    """Build every window, each on its own; fail at the end with the names of those that failed.

    Raises:
        dagster.Failure: at least one window failed; retried only if every failure was transient.
    """
    failed: dict[str, RustbucketError] = {}
    for window in windows:
        try:
            yield from build(window)
        except RustbucketError as error:
            failed[window.key] = error
            context.log.error("%s: %s", window, error)  # noqa: TRY400 (our errors say it all in one line)
    if failed:
        named = "; ".join(f"{key}: {error}" for key, error in failed.items())
        raise dg.Failure(
            description=f"{len(failed)} windows failed: {named}",
            metadata={"failed_windows": dg.MetadataValue.json(sorted(failed))},
            allow_retries=all(error.transient for error in failed.values()),
        )
