"""How a stage's outcome becomes Dagster events: one materialization per window, as soon as the window is built.

Assets with windows don't yield results: in a range run those would come once, at the end, and the same for every window.
Anything from a log goes in as plain text or JSON, never as Markdown, which Dagster would render."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager

import dagster as dg

from rustbucket_pipeline.errors import RustbucketError
from rustbucket_pipeline.model.window import Window

MetadataMapping = Mapping[str, dg.MetadataValue[object] | int | float | str]


def report(
    context: dg.AssetExecutionContext, asset: str, window: Window, version: str, metadata: MetadataMapping
) -> None:
    """Log the window's materialization; `version` is what downstream compares to know whether it is stale."""
    context.log_event(
        dg.AssetMaterialization(asset, partition=window.key, metadata=metadata, tags={"dagster/data_version": version})
    )


def observe(context: dg.AssetExecutionContext, asset: str, window: Window, version: str) -> None:
    """Log what an asset that isn't ours held for the window when it was asked."""
    context.log_event(
        dg.AssetObservation(asset, partition=window.key, tags={"dagster/data_version": version})
    )


@contextmanager
def as_failure() -> Generator[None]:
    """Turn our errors into Dagster's: permanent ones aren't retried, and people read the message, not a traceback."""
    try:
        yield
    except RustbucketError as error:
        raise dg.Failure(description=str(error), allow_retries=error.transient) from error


def each_window(
    context: dg.AssetExecutionContext, windows: Iterable[Window], build: Callable[[Window], None]
) -> None:
    """Build every window, each on its own; fail at the end with the names of those that failed.

    Raises:
        dagster.Failure: at least one window failed; retried only if every failure was transient.
    """
    failed: dict[str, RustbucketError] = {}
    for window in windows:
        try:
            build(window)
        except RustbucketError as error:
            failed[window.key] = error
            context.log.error(f"{window}: {error}")
    if failed:
        raise dg.Failure(
            description=f"{len(failed)} windows failed: " + "; ".join(f"{key}: {error}" for key, error in failed.items()),
            metadata={"failed_windows": dg.MetadataValue.json(sorted(failed))},
            allow_retries=all(error.transient for error in failed.values()),
        )
