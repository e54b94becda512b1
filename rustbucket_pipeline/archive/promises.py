"""The archive's promises, looked at: nothing missing between segments or hours, no row without its object."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, select

from rustbucket_pipeline.archive.cat import content
from rustbucket_pipeline.archive.completeness import GAPS, SETTLED, Arrival, hours_between
from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.model.promise import Promise
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.objects import Archive
from rustbucket_pipeline.storage.postgres import load_sql
from rustbucket_pipeline.storage.tables import rustbuckets, segments

NEWEST = 500
"""How many of the newest segments' objects are looked up: a request each."""

READ = 50
"""How many of these are read and hashed; `rustbucket archive verify` reads all."""

REPORTING = timedelta(hours=72)
"""How far back an hour is looked for that must be known: a daily file's is due 26 hours after it."""

MOST_NAMED = 10


def chains_unbroken(connection: Connection, since: datetime) -> Promise:
    """Whether the segments of every log pulled since then follow each other without gap, overlap or broken link."""
    query = load_sql("rustbucket_pipeline.archive", "broken_chains")
    row = connection.execute(query, {"since": since}).one()
    numbers = {"segments": row.segments, "gaps": row.gaps, "broken_links": row.broken_links}
    if not row.segments:
        return Promise(kept=False, why="nothing was archived lately: nothing is known", numbers=numbers)
    if row.gaps or row.broken_links:
        return Promise(kept=False, why=f"{row.gaps} gaps and {row.broken_links} broken links", numbers=numbers)
    return Promise(kept=True, why=f"{row.segments} segments follow each other byte by byte", numbers=numbers)


def unchained_windows(connection: Connection, windows: Collection[Window]) -> set[datetime]:
    """Which of these windows, by their start, hold a segment that doesn't follow the one before in its log."""
    starts = {"starts": [window.start for window in windows]}
    return set(connection.execute(load_sql("rustbucket_pipeline.archive", "unchained_windows"), starts).scalars())


def segments_match_store(connection: Connection, archive: Archive) -> Promise:
    """Whether the newest segments' objects are in the store with their size, and the newest of all with their bytes."""
    rows = connection.execute(
        select(segments).where(segments.c.expired_at.is_(None)).order_by(segments.c.id.desc()).limit(NEWEST)
    ).all()
    missing = [row.object_key for row in rows if archive.size(row.object_key) != row.stored_bytes]
    altered = [row.object_key for row in rows[:READ] if row.object_key not in missing and not _intact(archive, row)]
    numbers = {"segments": len(rows), "missing": len(missing), "altered": len(altered)}
    if not rows:
        return Promise(kept=False, why="nothing is archived yet: nothing is known", numbers=numbers)
    if missing or altered:
        wrong = f"{len(missing)} objects missing or cut, {len(altered)} altered, e.g. {(missing + altered)[0]}"
        return Promise(kept=False, why=wrong, numbers=numbers)
    why = f"the newest {len(rows)} segments have their objects; {min(READ, len(rows))} were read and hashed"
    return Promise(kept=True, why=why, numbers=numbers)


def no_gaps(connection: Connection, since: datetime, now: datetime) -> Promise:
    """Whether no hour since then is missing, or expired at its source; not kept while nothing is known yet."""
    states = hours_between(connection, since, now, now)
    count = Counter(state.arrival for state in states)
    numbers = {str(arrival): count[arrival] for arrival in Arrival}
    gaps = [state for state in states if state.arrival in GAPS]
    if gaps:
        named = f"{gaps[0].rustbucket_id} {gaps[0].hour:%Y-%m-%d %H:%M} UTC"
        why = f"{len(gaps)} of {len(states)} hours missing or expired, e.g. {named}; `rustbucket windows` shows them"
        return Promise(kept=False, why=why, numbers=numbers)
    if not any(count[arrival] for arrival in SETTLED):
        return Promise(kept=False, why=f"nothing is known yet of {len(states)} hours", numbers=numbers)
    why = f"{len(states) - count[Arrival.PENDING]} hours received, proved quiet or waived; the rest may still come"
    return Promise(kept=True, why=why, numbers=numbers)


def everybody_reporting(connection: Connection, now: datetime) -> Promise:
    """Whether the newest hour that must be known of each active rustbucket is; one of which nothing is known isn't."""
    active = connection.execute(select(rustbuckets.c.id).where(rustbuckets.c.status == "active")).scalars().all()
    newest: dict[str, Arrival] = {}
    for state in hours_between(connection, now - REPORTING, now, now):
        if state.arrival is not Arrival.PENDING:
            newest[state.rustbucket_id] = state.arrival
    silent = [one for one in active if newest.get(one) in GAPS]
    unknown = [one for one in active if one not in newest]
    numbers = {"active": len(active), "silent": len(silent), "unknown": len(unknown)}
    if silent or unknown or not active:
        why = f"{len(silent)} silent{_named(silent)}, {len(unknown)} of which nothing is known{_named(unknown)}"
        return Promise(kept=False, why=why if active else "no rustbucket is active", numbers=numbers)
    return Promise(kept=True, why=f"all {len(active)} active rustbuckets are heard of", numbers=numbers)


def _intact(archive: Archive, row: Row[tuple[object, ...]]) -> bool:
    try:
        content(archive, row.object_key, row.redacted_sha256 or row.sha256, row.byte_end - row.byte_start)
    except IntegrityError:
        return False
    return True


def _named(some: Sequence[str]) -> str:
    more = ", …" if len(some) > MOST_NAMED else ""
    return f" ({', '.join(some[:MOST_NAMED])}{more})" if some else ""
