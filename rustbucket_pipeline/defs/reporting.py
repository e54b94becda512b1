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

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


Fact = int | float | str | dg.JsonMetadataValue


def facts_of(outcome: "DataclassInstance", rows: int) -> dict[str, Fact]:
    """A stage's outcome as metadata: its numbers and words by their own names, and the rows it wrote."""
    named = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
    return {
        "dagster/row_count": rows,
        **{name: value for name, value in named.items() if isinstance(value, int | float | str)},
    }


def materialized(asset: str, window: Window, version: str, metadata: Mapping[str, Fact]) -> dg.AssetMaterialization:
    """The window's materialization; `version` is what downstream compares to know whether it is stale."""
    return dg.AssetMaterialization(
        asset, partition=window.key, metadata=metadata, tags={"dagster/data_version": version}
    )


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
