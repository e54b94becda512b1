"""The task `health_report`: every half hour how everything is, with alerts that open and close; once a day in full."""

from collections import Counter
from datetime import timedelta

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.upkeep.health import Component, Finding, Health, examine, note
from rustbucket_pipeline.upkeep.health_backups import look_at_backups
from rustbucket_pipeline.upkeep.health_canary import look_at_canary
from rustbucket_pipeline.upkeep.health_claude import look_at_claude
from rustbucket_pipeline.upkeep.health_clocks import look_at_clocks
from rustbucket_pipeline.upkeep.health_dagster import look_at_daemon, look_at_jobs
from rustbucket_pipeline.upkeep.health_disk import look_at_room
from rustbucket_pipeline.upkeep.health_fleet import look_at_rustbuckets
from rustbucket_pipeline.upkeep.health_logs import look_at_logs, look_at_reports
from rustbucket_pipeline.upkeep.health_stores import look_at_archive, look_at_database
from rustbucket_pipeline.upkeep.task import Bench, Figure, Task, Told

EVERY = timedelta(minutes=30)
FULL_HOUR = 2
"""The run at that hour (UTC) looks at everything, whatever is selected, and names what is well, too."""

COMPONENTS = (
    Component("rustbuckets", look_at_rustbuckets, frozenset({Kind.UPLOADS_STOPPED})),
    Component("logs", look_at_logs, frozenset({Kind.LATE_DATA, Kind.CLOCK_SKEW, Kind.VOLUME_CHANGED})),
    Component("reports", look_at_reports, frozenset({Kind.CLAUDE_CITATION_FAILED, Kind.INJECTION_ATTEMPT})),
    Component("database", look_at_database, frozenset({Kind.DATABASE_UNAVAILABLE})),
    Component("archive", look_at_archive, frozenset({Kind.STORE_UNAVAILABLE})),
    Component("claude", look_at_claude, frozenset({Kind.CLAUDE_BUDGET_SPENT})),
    Component("disk", look_at_room, frozenset({Kind.DISK_OR_DATABASE_SIZE})),
    Component("clock", look_at_clocks, frozenset({Kind.CLOCKS_DISAGREE})),
    Component("daemon", look_at_daemon, frozenset({Kind.DAEMON_SILENT})),
    Component("jobs", look_at_jobs, frozenset({Kind.JOB_LATE, Kind.RUN_STUCK})),
    Component("backups", look_at_backups),
    Component("canary", look_at_canary, frozenset({Kind.CANARY_LOST})),
)


def findings_of(bench: Bench) -> list[Finding]:
    """How every component is that is selected; nothing is noted."""
    return examine(bench, _chosen(bench))


def run(bench: Bench) -> Told:
    """Look at every component that is selected, and note what is wrong."""
    components = _chosen(bench)
    findings = examine(bench, components)
    with bench.engine.begin() as connection:
        note(connection, components, findings, bench.now)
    return _told(findings, in_full=_in_full(bench))


def dry_run(bench: Bench) -> Told:
    """Look, and note nothing."""
    return _told(findings_of(bench), in_full=_in_full(bench))


def _in_full(bench: Bench) -> bool:
    return bench.now.hour == FULL_HOUR and bench.now.minute < EVERY // timedelta(minutes=1)


def _chosen(bench: Bench) -> list[Component]:
    return [one for one in COMPONENTS if _in_full(bench) or one.name in bench.settings.health_components]


def _told(findings: list[Finding], *, in_full: bool) -> Told:
    counts = Counter(finding.health for finding in findings)
    figures: dict[str, Figure] = {str(health): counts[health] for health in Health}
    for finding in findings:
        figures.update(finding.figures)
    named = [finding for finding in findings if in_full or finding.health is not Health.OK]
    lines = tuple(f"{one.health}: {one.component}, {one.subject}: {one.why}" for one in named)
    summary = ", ".join(f"{counts[health]} {health}" for health in Health if counts[health]) or "nothing was looked at"
    return Told(summary, figures, lines)


HEALTH_REPORT = Task(
    name="health_report",
    what="How everything is: rustbuckets, database, archive, Claude, disks, clocks, daemon, runs; alerts follow.",
    cron="*/30 * * * *",
    every=EVERY,
    run=run,
    dry_run=dry_run,
    deps=("fleet_status", "log_archives", "parsed_logs", "log_analysis"),
)
