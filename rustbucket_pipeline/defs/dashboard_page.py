"""The dashboard's page as an external asset: what `dashboard` writes, with where it lies."""

import dagster as dg

from rustbucket_pipeline.control.jobs import OWNER
from rustbucket_pipeline.settings import load_settings
from rustbucket_pipeline.upkeep.dashboard.task import DASHBOARD, KEY, place_of


@dg.definitions
def dashboard_page() -> dg.Definitions:
    """It is looked at in a browser, never by Dagster."""
    settings = load_settings()
    spec = dg.AssetSpec(
        "dashboard_page",
        deps=[DASHBOARD.name],
        group_name="upkeep",
        owners=[OWNER],
        kinds={"html"},
        description="One page of where everything stands, written every hour by `dashboard`; it opens from disk and "
        f"asks nobody. The archive holds it as `{KEY}`. `rustbucket dashboard open` opens it.",
        metadata={"url": dg.MetadataValue.url(place_of(settings).as_uri())},
    )
    return dg.Definitions(assets=[spec])
