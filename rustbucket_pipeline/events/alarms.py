"""Which alerts an hour's sums open, and which they close. Whether anyone is told is `alerts/`' business."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select

from rustbucket_pipeline.alerts.book import LONGEST_SUBJECT, clear, open_alerts, raise_
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.events.drift import Drift, Template
from rustbucket_pipeline.events.tally import Tally
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.drift_tables import unknown_templates
from rustbucket_pipeline.storage.tables import hour_counts

OF_AN_HOUR = (Kind.PARSE_ERROR_RATE, Kind.FORGED_RECORDS, Kind.SECRET_SEEN, Kind.SELF_TRAFFIC_SEEN)
"""Kinds whose subject is a rustbucket: over when its newest hour has none of it."""


def sound(connection: Connection, hour: Window, tallies: Mapping[str, Tally], now: datetime) -> None:
    """Open and close what the rustbuckets' sums of this hour say: one alert each, however many records it takes."""
    lasting, newest = open_alerts(connection), _newest(connection)
    for rustbucket_id, tally in sorted(tallies.items()):
        causes = dict(_causes(hour, tally))
        for kind in OF_AN_HOUR:
            if kind in causes:
                raise_(connection, kind, rustbucket_id, causes[kind], kind.severity, now)
            elif (kind, rustbucket_id) in lasting and newest.get(rustbucket_id) == hour.start:
                clear(connection, kind, rustbucket_id, now, f"hour {hour.key} has none")


def sound_drift(connection: Connection, hour: Window, drifts: Mapping[str, Drift], now: datetime) -> None:
    """Write the hour's unknown templates down; open an alert for each module that has one never met before.

    It is over when the fleet's newest hour has none of that module.
    """
    seen = [(rustbucket_id, *one) for rustbucket_id, drift in drifts.items() for one in drift.seen()]
    met = {template for _, template, _ in seen}
    new = met - _known(connection, met, hour)
    if seen:
        rows = [
            {"hour": hour.start, "rustbucket_id": rustbucket_id, **template._asdict(), "records": records}
            for rustbucket_id, template, records in seen
        ]
        connection.execute(unknown_templates.insert(), rows)
    for target in sorted({template.target for template in new}):
        own = sorted(template.template for template in new if template.target == target)
        cause = f"{len(own)} new in hour {hour.key}, like: {own[0]}"
        raise_(connection, Kind.NEW_EVENT_TEMPLATE, target, cause, Kind.NEW_EVENT_TEMPLATE.severity, now)
    _end_drift(connection, hour, now)


def _end_drift(connection: Connection, hour: Window, now: datetime) -> None:
    """Close what the hour has none of, if no hour is newer."""
    kind = Kind.NEW_EVENT_TEMPLATE.value
    lasting = {subject for open_kind, subject in open_alerts(connection) if open_kind == kind}
    if not lasting or max(_newest(connection).values(), default=hour.start) != hour.start:
        return
    rows = connection.execute(select(unknown_templates.c.target).where(unknown_templates.c.hour == hour.start))
    for target in sorted(lasting - {bounded(row.target, LONGEST_SUBJECT) for row in rows}):
        clear(connection, kind, target, now, f"hour {hour.key} has none")


def _causes(hour: Window, tally: Tally) -> Iterator[tuple[Kind, str]]:
    if tally.garbled:
        share = f"{tally.quarantined_bytes:,} of {tally.archived_bytes:,} bytes"
        yield Kind.PARSE_ERROR_RATE, f"{share} of hour {hour.key} can't be parsed: see `quarantined`"
    if tally.suspects:
        yield Kind.FORGED_RECORDS, f"{tally.suspects:,} records of hour {hour.key} are taken for forgeries"
    if tally.redacted:
        yield (
            Kind.SECRET_SEEN,
            f"{tally.redacted:,} secrets stand in hour {hour.key}; rows don't show them: replace them",
        )
    if tally.own:
        yield Kind.SELF_TRAFFIC_SEEN, f"{tally.own:,} records of hour {hour.key} are our own visits; they don't count"


def _newest(connection: Connection) -> dict[str, datetime]:
    query = select(hour_counts.c.rustbucket_id, func.max(hour_counts.c.hour).label("hour"))
    return {row.rustbucket_id: row.hour for row in connection.execute(query.group_by(hour_counts.c.rustbucket_id))}


def _known(connection: Connection, met: set[Template], hour: Window) -> set[Template]:
    """Those that another hour has, too."""
    table = unknown_templates
    if not met:
        return set()
    query = (
        select(table.c.target, table.c.template)
        .where(table.c.template.in_([template.template for template in met]), table.c.hour != hour.start)
        .distinct()
    )
    return {Template(row.target, row.template) for row in connection.execute(query)} & met
