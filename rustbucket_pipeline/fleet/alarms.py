"""Which alerts an observation opens, and which it closes. Whether anyone is told is `alerts/`' business."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rustbucket_pipeline.alerts.book import clear, open_alerts, raise_
from rustbucket_pipeline.alerts.kinds import Kind, Severity
from rustbucket_pipeline.fleet.poll import Observation
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.net.breaker import Circuit

NEVER_CAME_AFTER = timedelta(days=2, hours=2)
"""A day's file and its deadline: a rustbucket of which nothing came that long after approval is silent, too."""

KIND_OF = {
    Outcome.TIMEOUT: Kind.POLL_FAILED,
    Outcome.REFUSED: Kind.POLL_FAILED,
    Outcome.UNREACHABLE: Kind.POLL_FAILED,
    Outcome.HTTP_ERROR: Kind.POLL_FAILED,
    Outcome.BLOCKED: Kind.POLL_FAILED,
    Outcome.DECOY: Kind.DECOY_ANSWERED,
    Outcome.INVALID: Kind.CONTRACT_BROKEN,
    Outcome.SILENT: Kind.SILENT_SENSOR,
}
ENDED_BY = {
    Outcome.OK: (Kind.POLL_FAILED, Kind.SILENT_SENSOR, Kind.DECOY_ANSWERED, Kind.CONTRACT_BROKEN),
    Outcome.ARRIVAL: (Kind.SILENT_SENSOR,),
    Outcome.DECOY: (Kind.POLL_FAILED,),
    Outcome.INVALID: (Kind.POLL_FAILED,),
}


def sound(
    connection: Connection,
    observations: Sequence[Observation],
    fleet: Sequence[Rustbucket],
    circuits: Mapping[str, Circuit],
    now: datetime,
) -> None:
    """Open and close what these observations say, one alert for each rustbucket and kind.

    One whose circuit opened is an error until it answers; while it is paused its alert stays as it is.
    """
    approved = {rustbucket.id: rustbucket.approved_at for rustbucket in fleet}
    lasting = open_alerts(connection)
    for one in observations:
        for kind in ENDED_BY.get(one.outcome, ()):
            if (kind, one.rustbucket_id) in lasting:
                clear(connection, kind, one.rustbucket_id, now, f"observed: {one.outcome}")
        kind = KIND_OF.get(one.outcome)
        if one.outcome == Outcome.UNKNOWN and _overdue(approved[one.rustbucket_id], now):
            kind = Kind.SILENT_SENSOR
        if kind:
            cause, severity = _said(one, kind, circuits.get(one.rustbucket_id))
            raise_(connection, kind, one.rustbucket_id, cause, severity, now)


def _said(one: Observation, kind: Kind, circuit: Circuit | None) -> tuple[str, Severity]:
    cause = f"{one.outcome}: {one.detail}"
    return (f"{cause}; {circuit}", Severity.ERROR) if circuit and circuit.open else (cause, kind.severity)


def _overdue(approved_at: datetime | None, now: datetime) -> bool:
    return approved_at is not None and now - approved_at > NEVER_CAME_AFTER
