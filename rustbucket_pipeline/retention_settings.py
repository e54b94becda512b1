"""The settings of what is kept and for how long, and of backups: a part of `settings.Settings`, where everybody looks.

Raw outlives rows: what rows were made of is there as long as they are, or the settings are refused.
"""

from datetime import timedelta
from typing import Annotated

from pydantic import AliasChoices, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

COMPONENTS = ("objects", "restore", "rows", "chain", "segments")
"""What a verification can look at: the backup's own objects; a restored copy, its rows and chain; the archive."""


def _days(default: int, name: str, description: str, least: int = 1) -> int:
    return Field(default=default, ge=least, validation_alias=AliasChoices(name), description=description)


class RetentionSettings(BaseSettings):
    """How long each class of data is kept, in days, and how backups are made and verified."""

    raw_keep_days: int = _days(
        365, "RUSTBUCKET_RAW_KEEP_DAYS", "Days archived log bytes are kept; their ledger stays. A quiet fleet: 3 MB a "
        "rustbucket's day, packed.",
    )  # fmt: skip
    frozen_keep_days: int = _days(
        365,
        "RUSTBUCKET_FROZEN_KEEP_DAYS",
        "Days events can be asked for at all: first as rows, then frozen, as Parquet in the archive (a ninth of the "
        "room). No longer than raw.",
    )
    events_keep_days: int = _days(
        90,
        "RUSTBUCKET_EVENTS_KEEP_DAYS",
        "Days events are rows in PostgreSQL (400 MB a million); then their day is frozen. No longer than frozen.",
        least=8,
    )
    sessions_keep_days: int = _days(365, "RUSTBUCKET_SESSIONS_KEEP_DAYS", "Days sessions are kept.", least=8)
    idle_sessions_keep_days: int = _days(
        30, "RUSTBUCKET_IDLE_SESSIONS_KEEP_DAYS", "Days sessions without a login are kept.", least=8
    )
    quarantine_keep_days: int = _days(
        90,
        "RUSTBUCKET_QUARANTINE_KEEP_DAYS",
        "Days excerpts of what couldn't be parsed are kept. No longer than raw, no shorter than events.",
    )
    digests_keep_days: int = _days(
        730, "RUSTBUCKET_DIGESTS_KEEP_DAYS", "Days digests, reports, findings and behaviours are kept.", least=8
    )
    indicators_keep_days: int = _days(3650, "RUSTBUCKET_INDICATORS_KEEP_DAYS", "Days indicators are kept.", least=8)
    sightings_keep_days: int = _days(
        60, "RUSTBUCKET_SIGHTINGS_KEEP_DAYS", "Days what a window held is remembered as a baseline.", least=15
    )
    status_keep_days: int = _days(180, "RUSTBUCKET_STATUS_KEEP_DAYS", "Days rustbuckets' status is kept.", least=8)
    alerts_keep_days: int = _days(90, "RUSTBUCKET_ALERTS_KEEP_DAYS", "Days closed alerts are kept.")
    review_keep_days: int = _days(
        7, "RUSTBUCKET_REVIEW_KEEP_DAYS", "Days a rustbucket waits for its approval before it is forgotten."
    )
    backups_keep_days: int = _days(
        30, "RUSTBUCKET_BACKUPS_KEEP_DAYS", "Days backups are kept; the newest good one stays in any case.", least=2
    )
    backup_recipient: str | None = Field(
        default=None,
        validation_alias=AliasChoices("RUSTBUCKET_BACKUP_RECIPIENT"),
        description="Public key (`age1…` or `ssh-ed25519 …`) whose holder can open backups, too; the home's own "
        "`backup.key` always can. Default: only that one, so copy it to a safe place.",
    )
    backup_plain: bool = Field(
        default=False,
        validation_alias=AliasChoices("RUSTBUCKET_BACKUP_PLAIN"),
        description="Whether backups are stored unencrypted, readable by whoever reads the archive.",
    )
    backup_components: Annotated[tuple[str, ...], NoDecode] = Field(
        default=COMPONENTS,
        validation_alias=AliasChoices("BACKUP_VERIFY_COMPONENTS"),
        description=f"What verifying a backup looks at, separated by commas, of `{','.join(COMPONENTS)}`. Default: "
        "all of them.",
    )

    @field_validator("backup_components", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip()) or COMPONENTS

    @field_validator("backup_components")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [one for one in value if one not in COMPONENTS]:
            raise ValueError(f"no component {unknown[0]!r}; there are {', '.join(COMPONENTS)}")
        return value

    @field_validator("backup_recipient", mode="before")
    @classmethod
    def _empty_recipient_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _raw_outlives_rows(self) -> "RetentionSettings":
        for longer, shorter in (
            ("raw_keep_days", "frozen_keep_days"),
            ("frozen_keep_days", "events_keep_days"),
            ("raw_keep_days", "quarantine_keep_days"),
            ("quarantine_keep_days", "events_keep_days"),
            ("sessions_keep_days", "idle_sessions_keep_days"),
        ):
            if getattr(self, longer) < getattr(self, shorter):
                raise ValueError(f"{longer} may not be shorter than {shorter}: raw outlives rows")
        return self

    @property
    def backups_keep(self) -> timedelta:
        """How long backups are kept."""
        return timedelta(days=self.backups_keep_days)
