"""The settings of who is told of alerts: a part of `settings.Settings`, which is where everybody finds them."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings


class AlertSettings(BaseSettings):
    """Whether alerts are sent, where to, and when the day's are summed up."""

    alert_on_failure: bool = Field(
        default=True,
        validation_alias=AliasChoices("ALERT_ON_FAILURE"),
        description="Whether alerts are sent to the targets below. They are opened, closed and listed in any case; "
        "`--alert` sends those of one command.",
    )
    sentry_dsn: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("SENTRY_DSN"),
        description="Sentry project that alerts of severity warning and worse are sent to. Default: none.",
    )
    notify_urls: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("RUSTBUCKET_NOTIFY_URLS"),
        description="Where else alerts are sent to: URLs as Apprise knows them (`slack://…`), separated by spaces. "
        "Words before a URL say what it gets, like `error,poll_failed slack://…`: `docs/alerts.md`. Default: none.",
    )
    notify_digest_hour: int | None = Field(
        default=22,
        ge=0,
        le=23,
        validation_alias=AliasChoices("RUSTBUCKET_NOTIFY_DIGEST_HOUR"),
        description="Hour of the nightly digest of alerts, in the ticks' time zone. Empty: none.",
    )
