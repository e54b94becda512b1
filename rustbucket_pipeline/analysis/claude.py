"""One question to one model through the SDK: our own deadline, size limit, retries and ledger. No prompt, no judgement.

No exception of the SDK leaves this module: each carries the key in its request. What leaves is a `Reply`. The SDK is
imported when somebody asks: 2,900 modules and 40 MiB that nobody else needs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from rustbucket_pipeline.analysis.budget import PRICES, Ledger, Usage, cost_of, worst_case
from rustbucket_pipeline.analysis.neutralise import neutral
from rustbucket_pipeline.analysis.prompt import SCHEMA, SYSTEM, Question, messages_of, tools
from rustbucket_pipeline.analysis.transport import TooMuch, http_client
from rustbucket_pipeline.settings import Settings

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import OutputConfigParam
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

Effort = Literal["low", "medium", "high", "xhigh", "max"]

_SPEND_LIMITS = frozenset(
    {
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "ramp_limit_exceeded",
    }
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how often: seconds for everything asked about a window, bytes of an answer, tries of one request."""

    deadline_seconds: float = 180.0
    most_bytes: int = 1_000_000
    tries: int = 3
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0


class Ending(StrEnum):
    """How asking ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    CUT = "cut"
    UNUSABLE = "unusable"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    NO_BUDGET = "no budget"


@dataclass(frozen=True, slots=True)
class Reply:
    """An ending, and what came with it. `detail` is ours or made harmless; `text` is the model's, unverified."""

    ending: Ending
    detail: str = ""
    text: str = ""
    model: str | None = None
    request_id: str | None = None
    usage: Usage | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Again:
    """A failure that may pass; `wait` is what the server asks for, in seconds."""

    detail: str
    wait: float | None = None


class _Block(BaseModel):
    type: str
    text: str | None = None


class _Usage(BaseModel):
    input_tokens: int
    output_tokens: int
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Message(BaseModel):
    content: list[_Block]
    model: str
    stop_reason: str
    usage: _Usage


def address_problem(base_url: str) -> str | None:
    """Why Claude can't be asked there: the key and the prompt travel over verified TLS, or stay on this machine."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return None
    if parts.scheme == "http" and (host == "localhost" or _is_loopback(host)):
        return None
    return "CLAUDE_BASE_URL must be https://… (plain http only on loopback)"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Claude:
    """Where and how Claude is asked; only to be made when a key is set."""

    settings: Settings
    ledger: Ledger
    pace: Pace
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def ask(self, model: str, question: Question, max_tokens: int) -> Reply:
        """One model's reply to the question; what may pass is tried again, a few times, with growing waits."""
        wait = self.pace.first_wait_seconds
        for attempt in range(1, self.pace.tries + 1):
            outcome = await self._attempt(model, question, max_tokens)
            if isinstance(outcome, Reply):
                return outcome
            asked = outcome.wait if outcome.wait is not None else wait
            if asked > self.pace.longest_wait_seconds or attempt == self.pace.tries:
                return Reply(Ending.UNAVAILABLE, outcome.detail)
            await self.sleep(asked)
            wait *= 2
        raise AssertionError("unreachable: the last attempt returns")

    async def _attempt(self, model: str, question: Question, max_tokens: int) -> Reply | _Again:
        call = self.ledger.reserve(model, worst_case(model, question.size, max_tokens))
        if call is None:
            return Reply(Ending.NO_BUDGET, "the budget of the window or of the day is spent")
        try:
            outcome = await self._send(model, question, max_tokens)
        except asyncio.CancelledError:
            self.ledger.settle(call, "lost", None, detail="deadline")
            raise
        self._settle(call, outcome)
        return outcome

    def _settle(self, call: int, outcome: Reply | _Again) -> None:
        if isinstance(outcome, _Again):
            lost = outcome.detail == "lost"
            self.ledger.settle(call, "lost" if lost else "failed", None if lost else Decimal(0), detail=outcome.detail)
            return
        usage = None
        if outcome.usage is not None:
            usage = {name: getattr(outcome.usage, name) for name in ("into", "out", "cache_read", "cache_write")}
        cost = Decimal(0) if outcome.ending is Ending.FAILED else outcome.cost
        self.ledger.settle(
            call,
            outcome.ending.value,
            cost,
            detail=outcome.detail or None,
            served_by=outcome.model,
            request_id=outcome.request_id,
            usage=usage,
        )

    async def _send(self, model: str, question: Question, max_tokens: int) -> Reply | _Again:
        import anthropic

        key = self.settings.anthropic_api_key
        assert key is not None  # noqa: S101
        client = anthropic.AsyncAnthropic(
            api_key=key.get_secret_value(),
            base_url=self.settings.claude_base_url,
            max_retries=0,
            open_telemetry=False,
            http_client=http_client(self.pace.most_bytes),
        )
        async with client:
            try:
                response = await client.messages.with_raw_response.create(
                    **self._request(model, question, max_tokens), timeout=60.0
                )
            except anthropic.APIStatusError as error:
                return _status(error)
            except anthropic.APIConnectionError as error:
                return _connection(error)
            body = response.http_response
            return _reading(model, body.headers.get("content-type", ""), body.text, body.headers.get("request-id"))

    def _request(self, model: str, question: Question, max_tokens: int) -> "MessageCreateParamsNonStreaming":
        output: OutputConfigParam = {"format": {"type": "json_schema", "schema": SCHEMA}}
        if model in PRICES:
            output["effort"] = cast("Effort", self.settings.claude_effort)
        return {
            "model": model,
            "max_tokens": max_tokens,
            "system": SYSTEM,
            "messages": messages_of(question),
            "tools": tools(),
            "tool_choice": {"type": "none"},
            "output_config": output,
        }


def _status(error: "anthropic.APIStatusError") -> Reply | _Again:
    code = error.error_code or str(error.type or "")
    detail = neutral(f"HTTP {error.status_code} {code}".strip())
    told = error.response.headers.get("x-should-retry")
    passes = error.status_code in {408, 409, 429} or error.status_code >= 500
    again = told == "true" if told in {"true", "false"} else passes
    if not again or error.error_code in _SPEND_LIMITS:
        return Reply(Ending.FAILED, detail, request_id=_request_id(error.request_id))
    return _Again(detail, _retry_after(error.response.headers.get("retry-after")))


def _retry_after(told: str | None) -> float | None:
    """Seconds; a date or nonsense counts as for ever."""
    if told is None:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        return float("inf")


def _connection(error: "anthropic.APIConnectionError") -> Reply | _Again:
    """A lost answer may have been billed; one that was too large was certainly sent."""
    if isinstance(error.__cause__, TooMuch):
        return Reply(Ending.UNUSABLE, str(error.__cause__))
    return _Again("lost")


def _reading(model: str, content_type: str, body: str, request_id: str | None) -> Reply:
    identifier = _request_id(request_id)
    if not content_type.lower().startswith("application/json"):
        return Reply(Ending.UNUSABLE, "the answer isn't JSON", request_id=identifier)
    try:
        message = _Message.model_validate_json(body)
    except ValidationError:
        return Reply(Ending.UNUSABLE, "the answer isn't a message", request_id=identifier)
    usage = Usage(
        into=max(0, message.usage.input_tokens),
        out=max(0, message.usage.output_tokens),
        cache_read=max(0, message.usage.cache_read_input_tokens or 0),
        cache_write=max(0, message.usage.cache_creation_input_tokens or 0),
    )
    return Reply(
        _ending(message.stop_reason),
        neutral(message.stop_reason) if message.stop_reason != "end_turn" else "",
        next((block.text for block in message.content if block.type == "text" and block.text), ""),
        neutral(message.model, 100),
        identifier,
        usage,
        max(cost_of(message.model, usage), cost_of(model, usage)),
    )


def _ending(stop_reason: str) -> Ending:
    known = {"end_turn": Ending.ANSWERED, "refusal": Ending.REFUSED, "max_tokens": Ending.CUT}
    return known.get(stop_reason, Ending.UNUSABLE)


def _request_id(told: str | None) -> str | None:
    return neutral(told, 100) if told else None
