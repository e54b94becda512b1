"""A window's materialization, with what Dagster needs to tell whether the window becomes stale.

Steps report by it what they built (`defs/reporting.py`), the heal sensor what was never reported, and operators what
they marked: all three look the same to whatever is downstream.
"""

from collections.abc import Mapping

import dagster as dg

from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.builds import UPSTREAM

OBSERVED = "raw_bucket_logs"
"""What isn't ours and only observed: the archive holds all of it there was, so it makes nothing stale by itself."""

NEVER = "NULL"
"""Dagster's own word for: there was no event."""

Fact = int | float | str | dg.JsonMetadataValue


def lineage(instance: dg.DagsterInstance, asset: str, window: Window, code_version: str) -> dict[str, str]:
    """Tags that say which code made the window, and how far upstream was.

    Ask before the data is read: what arrives in between then makes the window stale, never silently fresh.
    """
    tags = {"dagster/code_version": code_version, "dagster/data_version_is_user_provided": "true"}
    if asset in UPSTREAM:
        keys = {part.key for part in window.parts(UPSTREAM[asset].length)}
        ids = instance.get_latest_storage_id_by_partition(
            dg.AssetKey(UPSTREAM[asset].asset), dg.DagsterEventType.ASSET_MATERIALIZATION, keys
        )
        return tags | _pointer(UPSTREAM[asset].asset, str(max(ids.values())) if ids else NEVER)
    return tags | _pointer(OBSERVED, NEVER)


def materialized(
    asset: str, window: Window, version: str, metadata: Mapping[str, Fact], provenance: Mapping[str, str]
) -> dg.AssetMaterialization:
    """The window's materialization; `version` is what downstream compares to know whether it is stale."""
    tags = {"dagster/data_version": version, **provenance}
    return dg.AssetMaterialization(asset, partition=window.key, metadata=metadata, tags=tags)


def _pointer(upstream: str, storage_id: str) -> dict[str, str]:
    """Dagster compares data versions of events after this one with the one here; the version itself isn't read."""
    return {
        f"dagster/input_event_pointer/{upstream}": storage_id,
        f"dagster/input_data_version/{upstream}": storage_id,
    }
