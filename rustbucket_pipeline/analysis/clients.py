"""The client that asks Claude: Anthropic's own or Bedrock's, by setting; and why none may be had. No request.

The SDK and boto3 are imported when somebody asks. Keys go to the client only: never into a message or a log.
"""

import logging
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rustbucket_pipeline.analysis.transport import http_client
from rustbucket_pipeline.claude_settings import Provider, Send
from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.settings import Settings

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.lib.bedrock import AsyncAnthropicBedrock

OFF = "off (no ANTHROPIC_API_KEY)"
SENDS_NOTHING = "off (CLAUDE_SEND=off)"
NO_REGION = "CLAUDE_CLIENT=bedrock needs a region: set AWS_DEFAULT_REGION or one in the AWS profile"

ANTHROPIC_ADDRESS = "https://api.anthropic.com"
BEDROCK_ADDRESS = "https://bedrock-runtime.{region}.amazonaws.com"


def why_off(settings: Settings) -> str | None:
    """Why Claude is not to be asked at all; None when it is."""
    if settings.claude_send is Send.OFF:
        return SENDS_NOTHING
    if settings.claude_client is Provider.ANTHROPIC and settings.anthropic_api_key is None:
        return OFF
    return None


def why_not(settings: Settings) -> str | None:
    """What is wrong with how Claude is to be asked, and what to do; None when nothing is."""
    if settings.claude_client is Provider.BEDROCK and _region() is None:
        return NO_REGION
    return None if settings.claude_base_url is None else address_problem(settings.claude_base_url)


def address_problem(base_url: str) -> str | None:
    """Why Claude can't be asked there: the key and the prompt travel over verified TLS, or stay on this machine."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return None
    if parts.scheme == "http" and (host == "localhost" or _is_loopback(host)):
        return None
    return "CLAUDE_BASE_URL must be https://… (plain http only on loopback)"


def knows_batches(settings: Settings) -> bool:
    """Whether the API has batches; Bedrock's has none."""
    return settings.claude_client is Provider.ANTHROPIC


def load_sdk() -> None:
    """Import the SDK, which takes seconds: none of those that an answer may take."""
    import_module("anthropic")


def client_of(settings: Settings, most_bytes: int) -> "AsyncAnthropic | AsyncAnthropicBedrock":
    """A client that sends once, follows nothing and reads so many bytes at most.

    Raises:
        ConfigurationError: there is no key, or no region; `why_off` and `why_not` tell so before.
    """
    if settings.claude_client is Provider.BEDROCK:
        return _bedrock(settings, most_bytes)
    import anthropic

    key = settings.anthropic_api_key
    if key is None:
        raise ConfigurationError("ANTHROPIC_API_KEY isn't set; set it, or CLAUDE_SEND=off")
    return anthropic.AsyncAnthropic(
        api_key=key.get_secret_value(),
        base_url=settings.claude_base_url or ANTHROPIC_ADDRESS,
        max_retries=0,
        open_telemetry=False,
        http_client=http_client(most_bytes),
    )


def called(settings: Settings, model: str) -> str:
    """What the API calls a model."""
    if settings.claude_client is Provider.ANTHROPIC:
        return model
    return settings.claude_bedrock_models.get(model, f"anthropic.{model}")


def _bedrock(settings: Settings, most_bytes: int) -> "AsyncAnthropicBedrock":
    from anthropic.lib.bedrock import AsyncAnthropicBedrock

    region = _region()
    if region is None:
        raise ConfigurationError(NO_REGION)
    logging.getLogger("botocore.auth").setLevel(logging.INFO)  # below, it logs what it signs: session tokens, too
    return AsyncAnthropicBedrock(
        aws_region=region,
        base_url=settings.claude_base_url or BEDROCK_ADDRESS.format(region=region),
        max_retries=0,
        open_telemetry=False,
        http_client=http_client(most_bytes),
    )


def _region() -> str | None:
    import boto3

    return boto3.Session().region_name


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
