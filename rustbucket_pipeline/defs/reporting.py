"""How a stage's outcome becomes Dagster events: one materialization per window, as soon as the window is built.

Assets with windows yield these events, not results: in a range run those would come once, at the end, and the same for
every window. Anything from a log goes in as plain text or JSON, never as Markdown, which Dagster would render.
"""

from dataclasses import fields
from typing import TYPE_CHECKING

import dagster as dg

from rustbucket_pipeline.control.lineage import Fact, lineage
from rustbucket_pipeline.model.window import Window

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


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


def observed(asset: str, window: Window, version: str) -> dg.AssetObservation:
    """What an asset that isn't ours held for the window when it was asked."""
    return dg.AssetObservation(asset, partition=window.key, tags={"dagster/data_version": version})
