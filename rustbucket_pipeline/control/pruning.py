"""Dagster's history, kept at a size: old runs go, with their events, tags, check results and what they printed.

What Dagster shows stays as it was. A run that still says what nothing newer says stays (`sql/ended_runs.sql`); of the
others the events that are asked for (`sql/superseded_events.sql`) stay without them (`detach`). Old ticks go by the
`retention` of `dagster.yaml`. Snapshots of jobs stay, they are few and shared; so do partitions' statuses and cursors.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, Row, TextClause, text

from rustbucket_pipeline.control.detach import RUNLESS, detach
from rustbucket_pipeline.storage.postgres import load_sql

PAGE = 50
"""Runs a transaction: some 2,000 events, half a second."""

MOST = 3000
"""Runs, and runless events, a time: a week of them. A first pruning of years takes some nights."""

BACKFILLS_ENDED = ("COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED")

_IN_RUNS = ("ASSET_MATERIALIZATION", "ASSET_OBSERVATION")
_WITHOUT_RUN = (*_IN_RUNS, "FRESHNESS_STATE_CHANGE", "FRESHNESS_STATE_EVALUATION")

ForgetOutput = Callable[[str], None]
"""Deletes what the run of that id printed; nothing if it is gone already."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went: runs; events; results of checks; backfills. `kept`: events that stay without their run.

    `more`: whether there is more to prune than one time takes.
    """

    runs: int
    events: int
    checks: int
    backfills: int
    kept: int
    more: bool


def prune(
    history: Engine, before: datetime, forget_output: ForgetOutput, *, dry_run: bool = False, most: int = MOST
) -> Pruned:
    """Delete what ended or was told before that moment (UTC) and isn't asked for any more; again changes nothing.

    Every transaction leaves a history that is whole: killed in between, the next time goes on. A dry run counts the
    same and changes nothing.

    Raises:
        DatabaseUnavailable: the connection is lost.
    """
    moment = before.astimezone(UTC).replace(tzinfo=None)  # as Dagster stores its times
    parts: list[Pruned] = []
    left = most
    for page in _pages(history, moment):
        runs = [row.run_id for row in page if row.may_go][:left]
        if not dry_run:
            for run in runs:
                forget_output(run)  # first: a run without its output is found again, output without a run never
        parts.append(_in_transaction(history, lambda connection, runs=runs: _forget_runs(connection, runs), dry_run))
        left -= len(runs)
        if left <= 0:
            break
    parts.append(_in_transaction(history, lambda connection: _forget_runless(connection, moment, most), dry_run))
    return Pruned(
        runs=sum(part.runs for part in parts),
        events=sum(part.events for part in parts),
        checks=sum(part.checks for part in parts),
        backfills=sum(part.backfills for part in parts),
        kept=sum(part.kept for part in parts),
        more=left <= 0 or parts[-1].more,
    )


def _pages(history: Engine, moment: datetime) -> Iterator[list[Row[tuple[object, ...]]]]:
    """The runs that ended before the moment, oldest first, a page at a time."""
    query, after, after_id = _sql("ended_runs"), datetime(1970, 1, 1), 0  # noqa: DTZ001 (as Dagster stores them)
    while True:
        with history.connect() as connection:
            place = {"ended": moment, "after": after, "after_id": after_id, "page": PAGE}
            page = list(connection.execute(query, place))
        if not page:
            return
        yield page
        after, after_id = page[-1].update_timestamp, page[-1].id


def _in_transaction(history: Engine, work: Callable[[Connection], Pruned], dry_run: bool) -> Pruned:
    with history.connect() as connection, connection.begin() as transaction:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('dagster history pruning'))"))
        done = work(connection)
        if dry_run:
            transaction.rollback()
    return done


def _forget_runs(connection: Connection, runs: list[str]) -> Pruned:
    """These runs, but for their events that are asked for."""
    asked = {"runs": runs, "told": None, "types": list(_IN_RUNS), "most": None}
    superseded = list(connection.execute(_sql("superseded_events"), asked).scalars())
    checks = [check.id for check in connection.execute(_sql("superseded_checks"), asked)]
    kept = {"runs": runs, "types": list(_IN_RUNS), "superseded": superseded, "checks": checks}
    keeping = list(connection.execute(_sql("kept_events"), kept).scalars())
    detach(connection, keeping)
    own = {"runs": runs}
    tags = text("DELETE FROM asset_event_tags USING event_logs WHERE event_logs.id = event_id AND run_id = ANY (:runs)")
    connection.execute(tags, own)
    events = connection.execute(text("DELETE FROM event_logs WHERE run_id = ANY (:runs)"), own).rowcount
    results = connection.execute(text("DELETE FROM asset_check_executions WHERE run_id = ANY (:runs)"), own).rowcount
    connection.execute(text("DELETE FROM run_tags WHERE run_id = ANY (:runs)"), own)
    connection.execute(text("DELETE FROM runs WHERE run_id = ANY (:runs)"), own)
    return Pruned(len(runs), events, results, 0, len(keeping), more=False)


def _forget_runless(connection: Connection, moment: datetime, most: int) -> Pruned:
    """What was told without a run and isn't asked for any more; backfills that ended."""
    asked = {"runs": [RUNLESS], "told": moment, "most": most}
    gone = list(connection.execute(_sql("superseded_events"), {**asked, "types": list(_WITHOUT_RUN)}).scalars())
    checks = connection.execute(_sql("superseded_checks"), asked).all()
    ids = {"ids": gone + [check.event for check in checks if check.event is not None]}
    connection.execute(text("DELETE FROM asset_event_tags WHERE event_id = ANY (:ids)"), ids)
    events = connection.execute(text("DELETE FROM event_logs WHERE id = ANY (:ids)"), ids).rowcount
    rows = {"ids": [check.id for check in checks]}
    connection.execute(text("DELETE FROM asset_check_executions WHERE id = ANY (:ids)"), rows)
    ended = {"ended": moment, "statuses": list(BACKFILLS_ENDED)}
    backfills = list(
        connection.execute(
            text("DELETE FROM bulk_actions WHERE status = ANY (:statuses) AND timestamp < :ended RETURNING key"), ended
        ).scalars()
    )
    connection.execute(text("DELETE FROM backfill_tags WHERE backfill_id = ANY (:keys)"), {"keys": backfills})
    return Pruned(0, events, len(checks), len(backfills), 0, more=max(len(gone), len(checks)) >= most)


def _sql(name: str) -> TextClause:
    return load_sql("rustbucket_pipeline.control", name)
