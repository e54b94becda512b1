"""The settings of health checks: a part of `settings.Settings`, which is where everybody finds them."""

from typing import Annotated

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

COMPONENTS = (
    *("rustbuckets", "logs", "reports", "database", "archive", "claude", "disk", "clock", "daemon", "jobs"),
    *("backups", "canary"),
)
"""What a health report looks at, in its order."""


class UpkeepSettings(BaseSettings):
    """What is looked at, and from when on it isn't healthy any more."""

    health_components: Annotated[tuple[str, ...], NoDecode] = Field(
        default=COMPONENTS,
        validation_alias=AliasChoices("HEALTH_CHECK_COMPONENTS"),
        description=f"What health reports and `rustbucket doctor` look at, separated by commas. Default: all of "
        f"{', '.join(f'`{name}`' for name in COMPONENTS)}.",
    )
    health_disk_free_percent: float = Field(
        default=10.0,
        gt=0,
        lt=100,
        validation_alias=AliasChoices("RUSTBUCKET_HEALTH_DISK_FREE_PERCENT"),
        description="Least free space of the disks of home and archive, in percent; with a quarter of it left it is "
        "an error.",
    )
    health_database_max_gb: float | None = Field(
        default=None,
        gt=0,
        validation_alias=AliasChoices("RUSTBUCKET_HEALTH_DATABASE_MAX_GB"),
        description="Size of our database and Dagster's together from which on there is an alert, in GB. Default: "
        "none; the disk's free space is looked at in any case where it is this machine's.",
    )

    dashboard_interval: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DASHBOARD_UPDATE_INTERVAL"),
        description="How often the dashboard is written: `15m`, `2h`, `1d`. Default: every hour, at 20 past. It "
        "takes a second or two.",
    )

    canary_url: str | None = Field(
        default=None,
        pattern=r"^(file:///|s3://[a-z0-9])[!-~]*$",
        validation_alias=AliasChoices("RUSTBUCKET_CANARY_URL"),
        description="`s3://bucket/prefix` or `file:///directory` where synthetic attacks enter, to be followed through "
        "the chain; nobody's logs may lie there. Default: `canary/` in the home.",
    )

    @field_validator("health_components", mode="before")
    @classmethod
    def _known_components(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        names = tuple(part.strip() for part in value.split(",") if part.strip())
        if unknown := sorted(set(names) - set(COMPONENTS)):
            raise ValueError(f"no component {unknown[0]!r}; there are {', '.join(COMPONENTS)}")
        return names or COMPONENTS

    @field_validator("health_database_max_gb", "dashboard_interval", "canary_url", mode="before")
    @classmethod
    def _empty_upkeep_is_none(cls, value: object) -> object:
        return None if value == "" else value
