"""Every kind of alert there is, how severe it is, and what it means. A new kind is one line here."""

from enum import StrEnum


class Severity(StrEnum):
    """How much it matters, from worth knowing to act now."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class Kind(StrEnum):
    """What is wrong. The subject of an alert says with which rustbucket, window or asset."""

    severity: Severity
    meaning: str

    def __new__(cls, value: str, severity: Severity, meaning: str) -> "Kind":
        """A name with its severity and meaning."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.severity = severity
        kind.meaning = meaning
        return kind

    POLL_FAILED = "poll_failed", Severity.WARNING, "a rustbucket that may be asked over HTTP didn't answer"
    CONTRACT_BROKEN = "contract_broken", Severity.ERROR, "it answered, but not as agreed; HTTP is off for it"
    DECOY_ANSWERED = "decoy_answered", Severity.ERROR, "the honeypot's decoy answered; HTTP is off for it"
    SILENT_SENSOR = "silent_sensor", Severity.WARNING, "no log bytes of a rustbucket although they are overdue"
    SOURCE_FAILED = "source_failed", Severity.WARNING, "a rustbucket's logs can't be listed or read"
    ODD_FILES = "odd_files", Severity.WARNING, "a source holds files that no uploader leaves; they aren't archived"
    GAP_UNFILLABLE = "gap_unfillable", Severity.ERROR, "bytes are gone and their source no longer holds them"
    LATE_DATA = "late_data", Severity.INFO, "logs came after the report that should have had them"
    LATE_FLOOD = "late_flood", Severity.WARNING, "one rustbucket made many built windows stale at once"
    CLOCK_SKEW = "clock_skew", Severity.WARNING, "a rustbucket's records claim times its files don't vouch for"
    REGISTRY_MISMATCH = "registry_mismatch", Severity.WARNING, "logs without a rustbucket, or the reverse"
    NEW_EVENT_TEMPLATE = "new_event_template", Severity.INFO, "a log message of a form not seen before"
    PARSE_ERROR_RATE = "parse_error_rate", Severity.WARNING, "unusually many records can't be parsed"
    FORGED_RECORDS = "forged_records", Severity.WARNING, "attacker text imitates log records"
    SECRET_SEEN = "secret_seen", Severity.ERROR, "a secret of ours is in a honeypot's log"
    SELF_TRAFFIC_SEEN = "self_traffic_seen", Severity.INFO, "our own polling is in a honeypot's log"
    VOLUME_CHANGED = "volume_changed", Severity.INFO, "far more or far fewer records than usual"
    CLAUDE_BUDGET_SPENT = "claude_budget_spent", Severity.WARNING, "reports are made without Claude until midnight"
    CLAUDE_CITATION_FAILED = "claude_citation_failed", Severity.WARNING, "Claude named rows that don't exist"
    INJECTION_ATTEMPT = "injection_attempt", Severity.INFO, "attacker text addresses a language model"
    JOB_OVERDUE = "job_overdue", Severity.ERROR, "windows of a job failed several times; each is tried once a day now"
    RUN_FAILED = "run_failed", Severity.ERROR, "runs of a job fail for the same cause"
    ZOMBIE_RUN = "zombie_run", Severity.WARNING, "runs vanished or were stuck; they were ended and started again"
    TARGET_FAILED = "target_failed", Severity.ERROR, "messages about alerts don't reach one of their targets"
    DISK_OR_DATABASE_SIZE = "disk_or_database_size", Severity.WARNING, "space runs out"
    BACKUP_MISMATCH = "backup_mismatch", Severity.ERROR, "a backup doesn't hold what it should"
    RESTORE_FAILED = "restore_failed", Severity.CRITICAL, "a backup couldn't be restored"
    FEED_STALE = "feed_stale", Severity.WARNING, "an indicator feed is older than it should be"
    NEVER_BLOCK_HIT = "never_block_hit", Severity.ERROR, "an indicator is on the list of those never to block"
