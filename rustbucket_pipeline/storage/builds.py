"""What was built from what: the table `window_builds`, and how versions are hashed.

Stale means: the inputs' versions differ from those built from. Ids and times are never compared (DESIGN section 3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from rustbucket_pipeline.model.window import Window
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


def version_of(parts: Iterable[str]) -> str:
    """A version: SHA-256 (hex) over the parts in the order given; no two different lists share one."""
    digest = sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def record_build(connection: Connection, build: Build, now: datetime) -> None:
    """Note the build, inside the transaction that writes its data."""
    values = {
        "inputs_version": build.inputs_version,
        "output_version": build.output_version,
        "code_version": build.code_version,
        "run_id": build.run_id,
        "built_at": now,
    }
    statement = insert(window_builds).values(asset=build.asset, window_start=build.window.start, **values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[window_builds.c.asset, window_builds.c.window_start],
            set_={**values, "attempts": window_builds.c.attempts + 1},
        )
    )


def output_versions(connection: Connection, asset: str, windows: Sequence[Window]) -> dict[datetime, str]:
    """Output version by window start, for those of the windows that were built."""
    rows = connection.execute(
        select(window_builds.c.window_start, window_builds.c.output_version).where(
            window_builds.c.asset == asset, window_builds.c.window_start.in_([window.start for window in windows])
        )
    )
    return {row.window_start: row.output_version for row in rows}


def build_of(connection: Connection, asset: str, window: Window) -> Build | None:
    """The last build of that window, or None when there is none."""
    row = connection.execute(
        select(window_builds).where(window_builds.c.asset == asset, window_builds.c.window_start == window.start)
    ).one_or_none()
    if row is None:
        return None
    return Build(asset, window, row.inputs_version, row.output_version, row.code_version, row.run_id)
