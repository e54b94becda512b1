"""`parsed_logs[H]`: an hour of archived segments → its rows, in one transaction that replaces what was there.

A function of the segments and the parser version alone. The planner, partitions and retries are not its business.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, update

from rustbucket_pipeline.events.alarms import sound, sound_drift
from rustbucket_pipeline.events.canary import fly, without_canary
from rustbucket_pipeline.events.drift import Drift
from rustbucket_pipeline.events.own import Networks
from rustbucket_pipeline.events.sessions import build_sessions
from rustbucket_pipeline.events.shares import Loaded, Share, load_shares, loaded_shares, remove_all_but, shares_of
from rustbucket_pipeline.events.tally import Tally
from rustbucket_pipeline.events.version import PARSER_VERSION
from rustbucket_pipeline.model.version import version_of
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.builds import Build, build_of, inputs_version, record_build
from rustbucket_pipeline.storage.closed_days import hold_windows, require_open
from rustbucket_pipeline.storage.event_days import ensure_event_partition
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.tables import hour_counts

ASSET = "parsed_logs"


@dataclass(frozen=True, slots=True)
class HourOutcome:
    """What an hour's build did; `version` is that of its rows, `unchanged`: built from the same as the time before.

    `loaded` counts the rustbuckets whose rows were loaded; those of the others were what they should be already.

    `suspects` are events taken for forgeries, `unknown_messages` events of no known template (format drift). Of the
    parts of sessions, `ambiguous_parts` may be of more than one; `unjoined` events are of some connection that no part
    lists.
    """

    window: Window
    rustbuckets: int
    loaded: int
    segments: int
    archived_bytes: int
    events: int
    quarantined: int
    duplicates: int
    event_bytes: int
    quarantined_bytes: int
    duplicate_bytes: int
    suspects: int
    unknown_messages: int
    counted: int
    refused: int
    own: int
    redacted: int
    session_parts: int
    ambiguous_parts: int
    unjoined: int
    version: str
    unchanged: bool

    def metadata(self) -> dict[str, int | str]:
        """The numbers, for whoever shows them."""
        numbers = {name: value for name, value in asdict(self).items() if isinstance(value, int)}
        return {"dagster/row_count": self.events, **numbers}


def build_hour(
    engine: Engine,
    archive: Archive,
    window: Window,
    now: datetime,
    run_id: str | None,
    collectors: Networks = (),
) -> HourOutcome:
    """Make the hour's rows, entries and sums those of its segments; visits from `collectors` are our own.

    A rustbucket's share that is loaded as it should be stays; every other is removed, and loaded anew.

    Raises:
        WindowClosed: the hour is frozen or expired; nothing is changed.
        IntegrityError: an object isn't what its segment says, or the sums disagree; nothing is changed then.
    """
    collectors = tuple(collectors)
    with engine.begin() as connection:
        hold_windows(connection, ASSET, [window])
        require_open(connection, [window])
        inputs = inputs_version(connection, ASSET, window, str(PARSER_VERSION))
        before = build_of(connection, ASSET, window)
        shares, canaries = without_canary(shares_of(connection, window, collectors))
        loaded = _kept(shares, loaded_shares(connection, window))
        missing = [share for share in shares if share.rustbucket_id not in loaded]
        remove_all_but(connection, window, loaded)
        ensure_event_partition(connection, window.start.date())
        drifts: dict[str, Drift] = {}
        anew = load_shares(connection, archive, [(window, share) for share in missing], collectors)
        for share, (one, drift) in zip(missing, anew, strict=True):
            loaded[share.rustbucket_id], drifts[share.rustbucket_id] = one, drift
        flown = [fly(connection, archive, window, share, collectors, now) for share in canaries]
        joined = build_sessions(connection, window)
        sound_drift(connection, window, drifts, now)
        sound(connection, window, {key: one.tally for key, one in loaded.items()}, now)
        output = version_of([*(f"{key} {loaded[key].output}" for key in sorted(loaded)), *flown])
        record_build(connection, Build(ASSET, window, inputs, output, str(PARSER_VERSION), run_id), now)
    sums = [asdict(one.tally) for one in loaded.values()]
    return HourOutcome(
        window=window,
        rustbuckets=len(shares),
        loaded=len(missing),
        segments=sum(len(share.segments) for share in shares),
        session_parts=joined.parts,
        ambiguous_parts=joined.ambiguous,
        unjoined=joined.unjoined,
        version=output,
        unchanged=before is not None and before.inputs_version == inputs,
        **{name: sum(tally[name] for tally in sums) for name in asdict(Tally())},
    )


def forget_hour(connection: Connection, window: Window) -> None:
    """Have the next build load the whole hour, whatever it was made of."""
    connection.execute(update(hour_counts).where(hour_counts.c.hour == window.start).values(inputs_version=""))


def _kept(shares: Iterable[Share], loaded: Mapping[str, Loaded]) -> dict[str, Loaded]:
    """The shares that are loaded as they should be."""
    now = {share.rustbucket_id: share.inputs for share in shares}
    return {key: one for key, one in loaded.items() if now.get(key) == one.inputs}
