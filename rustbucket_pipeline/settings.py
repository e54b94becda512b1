"""Every setting and environment variable, once, with its default and what it costs.

Nothing is read at import: `load_settings()` reads the environment when called. The README's table is generated
from the descriptions here (`docs/environment.py`), and a test compares the two. No defaults live anywhere else.
"""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, AwareDatetime, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from rustbucket_pipeline.alert_settings import AlertSettings
from rustbucket_pipeline.claude_settings import ClaudeSettings
from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.retention_settings import RetentionSettings
from rustbucket_pipeline.upkeep_settings import UpkeepSettings

PROJECT_ROOT = Path(__file__).resolve().parent.parent
"""The checkout: where `dagster.yaml` and `workspace.yaml` are."""

FIRST_SIGHT = timedelta(days=30)
"""How far before the day of set-up the first window lies unless `RUSTBUCKET_SINCE` says otherwise."""

MAY_BE_EMPTY = (
    *("database_url", "reader_url", "archive_url", "s3_endpoint", "since", "sources_keep_days"),
    *("sentry_dsn", "notify_urls", "notify_digest_hour", "job_log_keep_days"),
)
"""Fields for which an empty variable is as good as none."""


class Settings(AlertSettings, RetentionSettings, ClaudeSettings, UpkeepSettings):
    """What an operator can set. Every default is the safe choice; nothing here is needed for a first run."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    dagster_home: Path = Field(
        default=PROJECT_ROOT,
        validation_alias=AliasChoices("DAGSTER_HOME"),
        description="Folder of `dagster.yaml`. Default: the checkout.",
    )
    home: Path = Field(
        default=Path(".rustbucket"),
        validation_alias=AliasChoices("RUSTBUCKET_HOME"),
        description="Where this project keeps everything of its own: database, archive, logs, keys. "
        "Default: `.rustbucket` in `DAGSTER_HOME`. A relative path is taken from there too.",
    )
    since: AwareDatetime | None = Field(
        default=None,
        validation_alias=AliasChoices("RUSTBUCKET_SINCE"),
        description="Start of the first window (ISO 8601, UTC midnight). Default: 30 days before the home was set up. "
        "Every day earlier adds 48 + 24 + 6 partitions to the UI.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("RUSTBUCKET_DATABASE_URL"),
        description="`postgresql://…` of a PostgreSQL 15 or newer. Default: an embedded PostgreSQL 18 under the home, "
        "started when needed (about 50 MB of memory).",
    )
    reader_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("RUSTBUCKET_READER_URL"),
        description="`postgresql://rustbucket_reader:…` of the same database: the login that may only read views, for "
        "`events query --sql`. Default: that role without a password, which the embedded PostgreSQL takes.",
    )
    archive_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("RUSTBUCKET_ARCHIVE_URL"),
        description="`file:///…` or `s3://bucket/prefix`: where archived log bytes are kept. Default: `archive/` in "
        "the home. Raw logs shrink about sevenfold.",
    )
    s3_endpoint: str | None = Field(
        default=None,
        validation_alias=AliasChoices("RUSTBUCKET_S3_ENDPOINT"),
        description="Endpoint of an S3-compatible store, for archive and sources alike. Default: Amazon's.",
    )
    source_roots: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        validation_alias=AliasChoices("RUSTBUCKET_SOURCE_ROOTS"),
        description="Directories, separated by `:`, below which `file://` log sources may be registered. Default: "
        "`sources` in the home.",
    )
    allowed_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        validation_alias=AliasChoices("RUSTBUCKET_ALLOWED_NETWORKS"),
        description="Networks (CIDR, separated by commas) that rustbuckets may be asked in although they are private "
        "or loopback. Default: none; only public addresses are contacted.",
    )
    collector_addresses: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        validation_alias=AliasChoices("RUSTBUCKET_COLLECTOR_ADDRESSES"),
        description="Addresses or networks (CIDR, separated by commas) from which this project asks rustbuckets: their "
        "visits are flagged in the logs and never counted. Default: none; requests that carry a token are known.",
    )
    web_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        validation_alias=AliasChoices("RUSTBUCKET_WEB_HOSTS"),
        description="Names, with their port unless it is the usual one and separated by commas, under which a reverse "
        "proxy serves the web UI of `rustbucket up`. Default: none; it answers on this machine only. The UI has no "
        "login: let the proxy ask for one.",
    )
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        validation_alias=AliasChoices("RUSTBUCKET_SECRET_KEYS"),
        description="Fernet keys for tokens at rest, separated by commas, newest first. Default: `secret.keys` in the "
        "home (0600), made on first use.",
    )
    poll_deadline_seconds: float = Field(
        default=10.0,
        gt=0,
        validation_alias=AliasChoices("RUSTBUCKET_POLL_DEADLINE_SECONDS"),
        description="Total time one rustbucket gets to answer a status poll.",
    )
    pull_deadline_seconds: float = Field(
        default=300.0,
        gt=0,
        validation_alias=AliasChoices("RUSTBUCKET_PULL_DEADLINE_SECONDS"),
        description="Total time one rustbucket gets to hand over its log by HTTP.",
    )
    pull_max_bytes: int = Field(
        default=2 * 1024**3,
        gt=0,
        validation_alias=AliasChoices("RUSTBUCKET_PULL_MAX_BYTES"),
        description="Most bytes taken from one rustbucket by HTTP in one pull.",
    )

    tick_timezone: str = Field(
        default="UTC",
        validation_alias=AliasChoices("RUSTBUCKET_TICK_TIMEZONE"),
        description="Time zone of the schedules' ticks, like `Europe/Berlin`. Windows stay in UTC.",
    )
    test_mode: bool = Field(
        default=False,
        validation_alias=AliasChoices("RUSTBUCKET_TEST_MODE"),
        description="Whether every schedule ticks each 5 minutes, to watch a new installation work. The windows are "
        "the same; empty runs cost about 3 seconds of processor time each.",
    )
    job_log_compress_days: int = Field(
        default=7,
        ge=1,
        validation_alias=AliasChoices("RUSTBUCKET_JOB_LOG_COMPRESS_DAYS"),
        description="After how many days a day of a job's log (`logs/jobs/` in the home) is compressed, about tenfold.",
    )
    job_log_keep_days: int | None = Field(
        default=None,
        ge=1,
        validation_alias=AliasChoices("RUSTBUCKET_JOB_LOG_KEEP_DAYS"),
        description="After how many days a day of a job's log is deleted. Default: never; a year takes some 30 MB.",
    )
    sources_keep_days: int | None = Field(
        default=None,
        gt=0,
        validation_alias=AliasChoices("RUSTBUCKET_SOURCES_KEEP_DAYS"),
        description="After how many days sources delete their files (S3 lifecycle, `log_retention_days`). Default: "
        "never. What they delete within two days is healed first.",
    )

    history_keep_days: int = Field(
        default=180,
        ge=7,
        validation_alias=AliasChoices("RUSTBUCKET_HISTORY_KEEP_DAYS"),
        description="After how many days Dagster's runs are deleted, with their events and output; what it shows of "
        "assets, partitions and checks stays. A day of runs takes about 10 MB.",
    )

    @field_validator("dagster_home", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @field_validator("source_roots", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(part for part in value.split(":") if part) if isinstance(value, str) else value

    @field_validator("allowed_networks", "collector_addresses", "web_hosts", "secret_keys", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator(*MAY_BE_EMPTY, mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _home_is_absolute(self) -> "Settings":
        home = self.dagster_home / self.home.expanduser()
        object.__setattr__(self, "home", home)
        object.__setattr__(self, "source_roots", self.source_roots or (home / "sources",))
        return self

    @property
    def sources_keep(self) -> timedelta | None:
        """How long sources keep their files; None: for ever."""
        return timedelta(days=self.sources_keep_days) if self.sources_keep_days else None

    @property
    def history_keep(self) -> timedelta:
        """How long Dagster's runs are kept."""
        return timedelta(days=self.history_keep_days)

    @property
    def state_file(self) -> Path:
        """What the home remembers of its own set-up (`settings.toml`)."""
        return self.home / "settings.toml"

    def first_window(self, now: datetime) -> datetime:
        """Start of the first window: UTC midnight. `now` counts only while nothing says otherwise."""
        since = self.since or now - FIRST_SIGHT
        return since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def load_settings() -> Settings:
    """The settings as the environment and the home's `settings.toml` have them now.

    Raises:
        ConfigurationError: a variable or the file is malformed; the message names it, never its value.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        names = ", ".join(
            sorted({str(problem["loc"][0]) if problem["loc"] else "settings" for problem in error.errors()})
        )
        reasons = "; ".join(sorted({problem["msg"] for problem in error.errors()}))
        raise ConfigurationError(
            f"{names}: {reasons}. Correct or unset it; README lists what each variable takes"
        ) from None
    if settings.since is not None:
        return settings
    try:
        kept = tomllib.loads(settings.state_file.read_text(encoding="utf-8"))
        return (
            settings.model_copy(update={"since": datetime.fromisoformat(kept["since"])})
            if "since" in kept
            else settings
        )
    except (FileNotFoundError, NotADirectoryError):
        return settings
    except (tomllib.TOMLDecodeError, ValueError, TypeError, OSError) as error:
        raise ConfigurationError(
            f"{settings.state_file} can't be read ({error}); correct `since` or delete the file"
        ) from error
