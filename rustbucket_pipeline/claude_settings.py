"""The settings of asking Claude: a part of `settings.Settings`, which is where everybody finds them."""

from enum import StrEnum
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode


class Provider(StrEnum):
    """Whose API Claude is asked by."""

    ANTHROPIC = "anthropic"
    BEDROCK = "bedrock"


class Send(StrEnum):
    """What leaves for Claude: with attackers' texts, neutralised; without any of them; nothing."""

    EXAMPLES = "examples"
    TEMPLATES = "templates"
    OFF = "off"


class ClaudeSettings(BaseSettings):
    """Whether, where and how Claude is asked, and what that may cost (US dollars)."""

    anthropic_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("ANTHROPIC_API_KEY", "CLAUDE_API_KEY"),
        description="Key for Claude (the registry's `CLAUDE_API_KEY` works too). Default: none; reports are complete "
        "without it.",
    )
    claude_client: Provider = Field(
        default=Provider.ANTHROPIC,
        validation_alias=AliasChoices("CLAUDE_CLIENT"),
        description="`anthropic`, or `bedrock`: Amazon's, with credentials and region where boto3 finds them and no "
        "key; it knows no batches.",
    )
    claude_send: Send = Field(
        default=Send.EXAMPLES,
        validation_alias=AliasChoices("CLAUDE_SEND"),
        description="What Claude is sent: `examples` (attackers' texts made harmless, passwords as class and hash), "
        "`templates` (none of their texts, addresses or names), or `off`.",
    )
    claude_base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("CLAUDE_BASE_URL"),
        description="Where Claude is asked. Default: Anthropic's address, or Bedrock's in its region. Plain http only "
        "on loopback.",
    )
    claude_models: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("claude-haiku-5-5", "claude-sonnet-5-5"),
        min_length=1,
        validation_alias=AliasChoices("CLAUDE_MODELS"),
        description="Models, separated by commas, tried in turn when one refuses. About half a US cent a window with "
        "the first.",
    )
    claude_bedrock_models: Annotated[dict[str, str], NoDecode] = Field(
        default={},
        validation_alias=AliasChoices("CLAUDE_BEDROCK_MODELS"),
        description="What Bedrock calls a model, as `NAME=ID`, separated by commas: the id of a model or of an "
        "inference profile. Default: `anthropic.` and the name.",
    )
    claude_effort: str = Field(
        default="low",
        validation_alias=AliasChoices("CLAUDE_EFFORT"),
        description="`low`, `medium` or `high`; thinking is billed as output.",
    )
    claude_max_tokens: int = Field(
        default=6000,
        gt=0,
        le=20_000,
        validation_alias=AliasChoices("CLAUDE_MAX_TOKENS"),
        description="Longest answer, thinking included.",
    )
    claude_budget_usd_per_window: float = Field(
        default=0.25,
        ge=0,
        validation_alias=AliasChoices("CLAUDE_BUDGET_USD_PER_WINDOW"),
        description="A window whose worst case costs more is reported without Claude.",
    )
    claude_budget_usd_per_day: float = Field(
        default=1.0,
        ge=0,
        validation_alias=AliasChoices("CLAUDE_BUDGET_USD_PER_DAY"),
        description="Once spent (UTC day), reports are made without Claude until midnight.",
    )
    claude_batch_above: int | None = Field(
        default=12,
        ge=0,
        validation_alias=AliasChoices("CLAUDE_BATCH_ABOVE"),
        description="A run that has to ask about more windows than this asks about all in one batch: half the price, "
        "minutes to an hour of waiting. Empty: never.",
    )
    claude_batch_deadline_seconds: float = Field(
        default=3600.0,
        gt=0,
        validation_alias=AliasChoices("CLAUDE_BATCH_DEADLINE_SECONDS"),
        description="How long a run waits for a batch; then it reports without, and a later run fetches the answers.",
    )

    @field_validator("claude_models", mode="before")
    @classmethod
    def _split_models(cls, value: object) -> object:
        return tuple(_parts(value)) if isinstance(value, str) else value

    @field_validator("claude_bedrock_models", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in _parts(value)]
        if any(not (name.strip() and identifier.strip()) for name, _, identifier in pairs):
            raise ValueError("each must be NAME=ID")
        return {name.strip(): identifier.strip() for name, _, identifier in pairs}

    @field_validator("anthropic_api_key", "claude_base_url", "claude_batch_above", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
