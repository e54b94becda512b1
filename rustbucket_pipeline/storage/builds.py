"""What was built from what: the table `window_builds`, and from which versions.

Stale means: the inputs' versions differ from those built from. Ids and times are never compared (DESIGN section 3).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.model.version import version_of
from rustbucket_pipeline.model.window import FOUR_HOURS, HALF_HOUR, HOUR, Window
from rustbucket_pipeline.storage.tables import window_builds


@dataclass(frozen=True, slots=True)
class Build:
    """One window of one asset: from what it was built (`inputs_version`), and what came out."""

    asset: str
    window: Window
    inputs_version: str
    output_version: str
    code_version: str
    run_id: str | None


EMPTY = version_of([])
"""Output version of a window that holds nothing."""

FORGOTTEN = ""
"""Inputs version of a build that an operator forgot: what came out stays, and the window is due again."""


def record_build(connection: Connection, build: Build, now: datetime) -> None:
    """Note the build, inside the transaction that writes its data."""
    record_builds(connection, [build], now)


def record_builds(connection: Connection, builds: Iterable[Build], now: datetime) -> None:
    """Note many at once: this statement takes longer to compile than to run."""
    rows = [
        {
            "asset": build.asset,
            "window_start": build.window.start,
            "inputs_version": build.inputs_version,
            "output_version": build.output_version,
            "code_version": build.code_version,
            "run_id": build.run_id,
            "built_at": now,
        }
        for build in builds
    ]
    if not rows:
        return
    statement = insert(window_builds)
    key = [window_builds.c.asset, window_builds.c.window_start]
    written = {name: statement.excluded[name] for name in rows[0] if window_builds.c[name] not in key}
    connection.execute(
        statement.on_conflict_do_update(index_elements=key, set_={**written, "attempts": window_builds.c.attempts + 1}),
        rows,
    )


@dataclass(frozen=True, slots=True)
class Versions:
    """What a window was built from, and what came out."""

    inputs: str
    output: str


def versions_between(connection: Connection, asset: str, start: datetime, end: datetime) -> dict[datetime, Versions]:
    """The versions of the asset's built windows that begin in `[start, end)`, by their start (UTC)."""
    rows = connection.execute(
        select(window_builds.c.window_start, window_builds.c.inputs_version, window_builds.c.output_version).where(
            window_builds.c.asset == asset, window_builds.c.window_start >= start, window_builds.c.window_start < end
        )
    )
    return {row.window_start: Versions(row.inputs_version, row.output_version) for row in rows}


def build_of(connection: Connection, asset: str, window: Window) -> Build | None:
    """The last build of that window, or None when there is none."""
    row = connection.execute(
        select(window_builds).where(window_builds.c.asset == asset, window_builds.c.window_start == window.start)
    ).one_or_none()
    if row is None:
        return None
    return Build(asset, window, row.inputs_version, row.output_version, row.code_version, row.run_id)


@dataclass(frozen=True, slots=True)
class Upstream:
    """Which asset an asset's windows are built from, and the length of that asset's windows."""

    asset: str
    length: timedelta


UPSTREAM = {
    "parsed_logs": Upstream("log_archives", HALF_HOUR),
    "window_digest": Upstream("parsed_logs", HOUR),
    "log_analysis": Upstream("window_digest", FOUR_HOURS),
}
"""What each built asset is a function of, besides its own code."""


def inputs_version(connection: Connection, asset: str, window: Window, code_version: str) -> str:
    """Version of what the window would be built from now: its upstream windows' outputs, and the code.

    Read it before the data: what arrives in between then makes the window stale, never silently built.
    """
    built = versions_between(connection, UPSTREAM[asset].asset, window.start, window.end)
    return inputs_version_from(asset, window, code_version, built)


def inputs_version_from(asset: str, window: Window, code_version: str, built: Mapping[datetime, Versions]) -> str:
    """The same, from upstream versions already read; a window never built is as good as one that is empty."""
    parts = window.parts(UPSTREAM[asset].length)
    return version_of([code_version, *(built[part.start].output if part.start in built else EMPTY for part in parts)])
