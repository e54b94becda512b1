"""Health of what makes everything run: the daemon's parts, the jobs' punctuality, and runs that never end."""

from collections.abc import Iterator
from datetime import timedelta

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.upkeep.dagster_seen import Heartbeat
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

SILENCE = timedelta(minutes=5)
"""A part's heart beats every 30 seconds, and a long tick may hold it up."""

LONGEST_RUN = timedelta(hours=2, minutes=15)
"""Run monitoring ends runs of two hours; what still goes on then, nobody ends."""

LONGEST_WAIT = timedelta(hours=1)
"""How long a run may wait in the queue."""

_WAITING = frozenset({"QUEUED", "NOT_STARTED", "STARTING"})


def look_at_daemon(bench: Bench) -> Iterator[Finding]:
    """Whether each part of the daemon was heard lately."""
    beats = bench.dagster.heartbeats()
    heard = [one for one in beats if _heard(one, bench)]
    if beats and not heard:
        newest = max((one.heard for one in beats if one.heard), default=None)
        since = f"since {newest:%Y-%m-%d %H:%M} UTC" if newest else "ever"
        yield Finding(
            "daemon", "daemon", Health.ERROR, f"Dagster's daemon wasn't heard {since}: nothing runs by itself",
            "`rustbucket up`, or start its service", Kind.DAEMON_SILENT,
        )  # fmt: skip
        return
    for one in beats:
        if one not in heard:
            since = f"since {one.heard:%Y-%m-%d %H:%M} UTC" if one.heard else "ever"
            why = f"the daemon's {one.part} wasn't heard {since}, though other parts were"
            yield Finding("daemon", one.part, Health.ERROR, why, "start the daemon again", Kind.DAEMON_SILENT)
        elif one.errors:
            why = f"the daemon's {one.part} tells of errors: {one.errors[0]}"
            yield Finding("daemon", one.part, Health.WARNING, why, "its log has more")
    if heard:
        yield Finding("daemon", "daemon", Health.OK, f"{len(heard)} of {len(beats)} parts were heard")


def look_at_jobs(bench: Bench) -> Iterator[Finding]:
    """Jobs that are late or switched off, and runs that go on or wait for too long."""
    jobs = bench.dagster.jobs(bench.now)
    late = [one for one in jobs if one.overdue_since is not None]
    for one in late:
        why = f"due since {one.overdue_since:%Y-%m-%d %H:%M} UTC; its last success was " + (
            f"{one.last_success:%Y-%m-%d %H:%M} UTC" if one.last_success else "never"
        )
        do = f"`rustbucket jobs show {one.name}` says why"
        yield Finding("jobs", one.name, Health.ERROR, why, do, Kind.JOB_LATE)
    for one in jobs:
        if not one.on:
            do = f"`rustbucket jobs enable {one.name}`"
            yield Finding("jobs", one.name, Health.WARNING, "its schedule is switched off", do)
    stuck = dict(_stuck(bench))
    for job, why in stuck.items():
        yield Finding("jobs", f"runs of {job}", Health.ERROR, why, "`rustbucket jobs kill RUN` ends it", Kind.RUN_STUCK)
    if not late and not stuck:
        yield Finding("jobs", "jobs", Health.OK, f"{sum(one.on for one in jobs)} jobs are on, none is late")


def _heard(one: Heartbeat, bench: Bench) -> bool:
    return one.heard is not None and bench.now - one.heard < SILENCE


def _stuck(bench: Bench) -> Iterator[tuple[str, str]]:
    for run in bench.dagster.unfinished():
        waits = run.status in _WAITING
        begun = run.created if waits or run.started is None else run.started
        if bench.now - begun > (LONGEST_WAIT if waits else LONGEST_RUN):
            yield run.job, f"run {run.id[:8]} is {run.status} since {begun:%Y-%m-%d %H:%M} UTC"
