"""Claude as an outside service: whether the key is taken, and whether the models are offered and for how long."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.claude_settings import Provider
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.upkeep.health import Finding, Health
from rustbucket_pipeline.upkeep.task import Bench

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import ModelInfo

SOON = timedelta(days=30)
SECONDS = 20.0
MOST_BYTES = 1_000_000

_OF_KEYS = frozenset({401, 403})


def try_claude(bench: Bench) -> Iterator[Finding]:
    """Ask for the models by name: that costs nothing, and only a good key is told."""
    from rustbucket_pipeline.analysis.clients import why_not, why_off  # and with it an HTTP client, here only

    settings = bench.settings
    if why_off(settings) is not None:
        return
    if problem := why_not(settings):
        yield _unusable(problem)
        return
    if settings.claude_client is Provider.BEDROCK:
        why = "Bedrock is asked at each report only: nothing that costs nothing proves it"
        yield Finding("integrations", "claude", Health.UNKNOWN, why)
        return
    models, refused = asyncio.run(_models(settings))
    yield from [_unusable(refused)] if refused else _told_of(models, bench.now)


def _told_of(models: "Mapping[str, ModelInfo | None]", now: datetime) -> Iterator[Finding]:
    """What the API tells of the models: who is there, who is gone, who leaves."""
    offered = [name for name, model in models.items() if model is not None and model.lifecycle != "retired"]
    if not offered:
        yield _unusable(f"none of {', '.join(models)} is offered any more; set CLAUDE_MODELS")
        return
    yield Finding("integrations", "claude", Health.OK, f"the key is taken; {', '.join(offered)} are offered")
    for name, model in models.items():
        if name not in offered:
            why = "it isn't offered any more; the models after it are asked instead"
            yield Finding("integrations", name, Health.WARNING, why, "set CLAUDE_MODELS", Kind.EXPIRES_SOON)
        elif model is not None and (leaves := _leaves(model, now)):
            yield Finding("integrations", name, Health.WARNING, leaves, "set CLAUDE_MODELS", Kind.EXPIRES_SOON)


def _leaves(model: "ModelInfo", now: datetime) -> str:
    """When the model retires, if that is soon; empty: it isn't, or nobody knows."""
    if model.retires_at is None or model.retires_at - now > SOON:
        return ""
    return f"it retires on {model.retires_at:%Y-%m-%d}"


def _unusable(why: str) -> Finding:
    return Finding("integrations", "claude", Health.ERROR, why, "correct ANTHROPIC_API_KEY", Kind.CLAUDE_UNUSABLE)


async def _models(settings: Settings) -> "tuple[dict[str, ModelInfo | None], str]":
    """Each configured model, None for one that isn't known; or why nothing was told, without a word of the key."""
    import anthropic

    from rustbucket_pipeline.analysis.clients import client_of

    found: dict[str, ModelInfo | None] = {}
    async with cast("AsyncAnthropic", client_of(settings, MOST_BYTES)) as client:
        for name in settings.claude_models:
            try:
                found[name] = await asyncio.wait_for(client.models.retrieve(name), SECONDS)
            except anthropic.NotFoundError:
                found[name] = None
            except anthropic.APIStatusError as error:
                said = "the key isn't taken" if error.status_code in _OF_KEYS else "it can't be asked now"
                return {}, f"{said} (HTTP {error.status_code})"
            except (anthropic.APIError, TimeoutError) as error:
                return {}, f"it can't be reached ({type(error).__name__})"
    return found, ""
