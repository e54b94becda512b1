"""The running system that cronrun's behaviours are tried on, and what is asked of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from rustbucket_pipeline.control.jobs import PARSE_LOGS
from rustbucket_pipeline.model.window import HOUR, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.e2e.checkout import Checkout, graphql
from rustbucket_pipeline_tests.e2e.running import Running

YESTERDAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
GOOD = tuple(Window(YESTERDAY + hour * HOUR, HOUR) for hour in (0, 1, 2, 12))
BAD, MARKED = (Window(YESTERDAY + hour * HOUR, HOUR) for hour in (3, 6))
"""Hours whose every build fails; a person says of the second that it is done."""

PATIENCE_SECONDS = 300.0

MATERIALIZED = """query ($asset: AssetKeyInput!, $keys: [String!]) { assetNodeOrError(assetKey: $asset) {
  ... on AssetNode { assetMaterializations(partitions: $keys) { timestamp runId } } } }"""


@dataclass(frozen=True)
class System:
    """What is asked and looked at. `running`: what GraphQL tells."""

    checkout: Checkout
    settings: Settings
    engine: Engine
    running: Running

    def built_at(self, asset: str, window: Window) -> datetime | None:
        """When the window was last built."""
        query = text("SELECT built_at FROM window_builds WHERE asset = :asset AND window_start = :start")
        with self.engine.connect() as connection:
            return connection.execute(query, {"asset": asset, "start": window.start}).scalar()

    def materialized(self, asset: str, window: Window | None = None) -> list[float]:
        """When it was materialized, by what GraphQL tells, oldest first; in seconds since 1970."""
        keys = [window.key] if window else None
        node = graphql(self.running.port, MATERIALIZED, asset={"path": [asset]}, keys=keys)["assetNodeOrError"]
        return sorted(float(one["timestamp"]) / 1000 for one in node["assetMaterializations"])


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, what it printed, what it complained of."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


def planned(command: Command, window: Window) -> Mapping[str, Any] | None:
    """What `rustbucket plan` tells of an hour's rows; None when they are as they should be."""
    items = json.loads(command("plan", "--json").out)
    own = (item for item in items if (item["job"], item["window"]) == (PARSE_LOGS.name, window.key))
    return next(own, None)
