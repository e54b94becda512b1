"""Every kind of alert there is: how severe it is, what it means, and what closes it. A new kind is one entry here.

`docs/alerts.md` has them as a table: `python -m docs.alerts` writes it anew.
"""

from enum import StrEnum


class Severity(StrEnum):
    """How much it matters, from worth knowing to act now."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def at_least(self) -> frozenset["Severity"]:
        """This one and every worse one."""
        order = list(Severity)
        return frozenset(order[order.index(self) :])


class Kind(StrEnum):
    """What is wrong. The subject of an alert says with which rustbucket, job or module; `ends`, what closes it."""

    severity: Severity
    meaning: str
    ends: str

    def __new__(cls, value: str, severity: Severity, meaning: str, ends: str) -> "Kind":
        """A name with its severity, its meaning, and its end."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.severity = severity
        kind.meaning = meaning
        kind.ends = ends
        return kind

    POLL_FAILED = (
        "poll_failed",
        Severity.WARNING,
        "a rustbucket that may be asked over HTTP didn't answer",
        "it answers, or mustn't be asked any more",
    )
    CONTRACT_BROKEN = (
        "contract_broken",
        Severity.ERROR,
        "it answered, but not as agreed; HTTP is off for it",
        "it answers as agreed, or is approved anew",
    )
    DECOY_ANSWERED = (
        "decoy_answered",
        Severity.ERROR,
        "the honeypot's decoy answered; HTTP is off for it",
        "it answers as agreed, or is approved anew",
    )
    SILENT_SENSOR = (
        "silent_sensor",
        Severity.WARNING,
        "no log bytes of a rustbucket although they are overdue",
        "logs arrive, or it answers",
    )
    SOURCE_FAILED = (
        "source_failed",
        Severity.WARNING,
        "a rustbucket's logs can't be listed or read",
        "they are pulled",
    )
    ODD_FILES = (
        "odd_files",
        Severity.WARNING,
        "a source holds files that no uploader leaves; they aren't archived",
        "they are gone from the source",
    )
    GAP_UNFILLABLE = (
        "gap_unfillable",
        Severity.ERROR,
        "bytes are gone and their source no longer holds them",
        "they are back, or a person resolves it",
    )
    LATE_DATA = (
        "late_data",
        Severity.INFO,
        "logs came after the report that should have had them",
        "the report is made anew",
    )
    LATE_FLOOD = (
        "late_flood",
        Severity.WARNING,
        "one rustbucket made many built windows stale at once",
        "a later pull brings no flood",
    )
    CLOCK_SKEW = (
        "clock_skew",
        Severity.WARNING,
        "a rustbucket's records claim times its files don't vouch for",
        "its newest hour has none",
    )
    REGISTRY_MISMATCH = (
        "registry_mismatch",
        Severity.WARNING,
        "logs without a rustbucket, or the reverse",
        "registry and logs agree",
    )
    NEW_EVENT_TEMPLATE = (
        "new_event_template",
        Severity.INFO,
        "a log message of a form not seen before",
        "the fleet's newest hour has none of its module",
    )
    PARSE_ERROR_RATE = (
        "parse_error_rate",
        Severity.WARNING,
        "unusually many records can't be parsed",
        "the rustbucket's newest hour is as usual",
    )
    FORGED_RECORDS = (
        "forged_records",
        Severity.WARNING,
        "attacker text imitates log records",
        "the rustbucket's newest hour has none",
    )
    SECRET_SEEN = (
        "secret_seen",
        Severity.ERROR,
        "a secret of ours is in a honeypot's log",
        "the rustbucket's newest hour has none",
    )
    SELF_TRAFFIC_SEEN = (
        "self_traffic_seen",
        Severity.INFO,
        "our own polling is in a honeypot's log",
        "the rustbucket's newest hour has none",
    )
    VOLUME_CHANGED = (
        "volume_changed",
        Severity.INFO,
        "far more or far fewer records than usual",
        "the newest window is as usual",
    )
    CLAUDE_BUDGET_SPENT = (
        "claude_budget_spent",
        Severity.WARNING,
        "reports are made without Claude until midnight",
        "the next day begins (UTC)",
    )
    CLAUDE_CITATION_FAILED = (
        "claude_citation_failed",
        Severity.WARNING,
        "Claude named rows that don't exist",
        "a later report names none",
    )
    INJECTION_ATTEMPT = (
        "injection_attempt",
        Severity.INFO,
        "attacker text addresses a language model",
        "a later window has none",
    )
    JOB_OVERDUE = (
        "job_overdue",
        Severity.ERROR,
        "windows of a job failed several times; each is tried once a day now",
        "every window is built",
    )
    RUN_FAILED = (
        "run_failed",
        Severity.ERROR,
        "runs of a job fail for the same cause",
        "what they should have built is built, or marked as done; of a job without windows, its next success",
    )
    ZOMBIE_RUN = (
        "zombie_run",
        Severity.WARNING,
        "runs vanished or were stuck; they were ended and are started again",
        "what they should have built is built; of a job without windows, its next success",
    )
    UPLOADS_STOPPED = (
        "uploads_stopped",
        Severity.WARNING,
        "a rustbucket answers, but its logs stopped coming",
        "logs arrive",
    )
    DATABASE_UNAVAILABLE = (
        "database_unavailable",
        Severity.CRITICAL,
        "PostgreSQL can't be used: nothing runs; told without it, entered when it is back",
        "it can be used again",
    )
    STORE_UNAVAILABLE = (
        "store_unavailable",
        Severity.ERROR,
        "the archive can't be written or read",
        "it can be again",
    )
    DAEMON_SILENT = (
        "daemon_silent",
        Severity.ERROR,
        "a part of Dagster's daemon wasn't heard for minutes",
        "it is heard again",
    )
    JOB_LATE = (
        "job_late",
        Severity.ERROR,
        "a job didn't run when it should have, or didn't succeed for two turns",
        "it succeeds",
    )
    RUN_STUCK = (
        "run_stuck",
        Severity.ERROR,
        "a run goes on, or waits, for longer than any should",
        "it has ended",
    )
    CLOCKS_DISAGREE = (
        "clocks_disagree",
        Severity.ERROR,
        "the clocks of this machine and the database or the store differ; no window is closed meanwhile",
        "they agree to 30 seconds",
    )
    CLAUDE_UNUSABLE = (
        "claude_unusable",
        Severity.WARNING,
        "Claude can't be asked as configured: reports are made without",
        "the key is taken and a model is offered",
    )
    INTEGRATION_FAILED = (
        "integration_failed",
        Severity.ERROR,
        "a configured outside service can't be used",
        "it can be used, or isn't configured any more",
    )
    EXPIRES_SOON = (
        "expires_soon",
        Severity.WARNING,
        "a credential expires, or a model retires, within a month",
        "it was replaced",
    )
    CANARY_LOST = (
        "canary_lost",
        Severity.ERROR,
        "a synthetic attack didn't get from its source to the report in time",
        "a later one did",
    )
    TARGET_FAILED = (
        "target_failed",
        Severity.ERROR,
        "messages about alerts don't reach one of their targets",
        "it takes one, or isn't configured any more",
    )
    DISK_OR_DATABASE_SIZE = (
        "disk_or_database_size",
        Severity.WARNING,
        "space runs out",
        "there is room again",
    )
    BACKUP_MISMATCH = (
        "backup_mismatch",
        Severity.ERROR,
        "a backup doesn't hold what it should",
        "a later one does",
    )
    RESTORE_FAILED = (
        "restore_failed",
        Severity.CRITICAL,
        "a backup couldn't be restored",
        "a later one could",
    )
    FEED_STALE = (
        "feed_stale",
        Severity.WARNING,
        "an indicator feed is older than it should be",
        "it is made anew",
    )
    NEVER_BLOCK_HIT = (
        "never_block_hit",
        Severity.ERROR,
        "an indicator is on the list of those never to block",
        "it is taken off the indicators",
    )
