"""One question to one model through the SDK: our own deadline, size limit, retries and ledger. No prompt, no judgement.

What leaves is a `Reply`. The SDK is imported when somebody asks: 2,900 modules and 40 MiB that nobody else needs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from rustbucket_pipeline.analysis.budget import Ledger, Settled, worst_case
from rustbucket_pipeline.analysis.clients import called, client_of
from rustbucket_pipeline.analysis.prompt import Question
from rustbucket_pipeline.analysis.reply import Ending, Reply, reply_of
from rustbucket_pipeline.analysis.request import request_of
from rustbucket_pipeline.analysis.sending import LOST, Again, exchange
from rustbucket_pipeline.settings import Settings

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic
    from anthropic.lib.bedrock import AsyncAnthropicBedrock
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

READ_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how often: seconds for everything asked about a window, bytes of an answer, tries of one request.

    A batch is looked at after `first_look_seconds` for the first time, then ever less often.
    """

    deadline_seconds: float = 180.0
    most_bytes: int = 1_000_000
    tries: int = 3
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    first_look_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Claude:
    """Where and how Claude is asked; only to be made when that isn't off."""

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

    async def _attempt(self, model: str, question: Question, max_tokens: int) -> Reply | Again:
        call = self.ledger.reserve(model, worst_case(model, question.size, max_tokens))
        if call is None:
            return Reply(Ending.NO_BUDGET, "the budget of the window or of the day is spent")
        try:
            outcome = await self._send(model, question, max_tokens)
        except asyncio.CancelledError:
            self.ledger.settle(call, Settled(LOST, detail="deadline"))
            raise
        self.ledger.settle(call, settled(outcome))
        return outcome

    async def _send(self, model: str, question: Question, max_tokens: int) -> Reply | Again:
        request = request_of(question, model, max_tokens, self.settings.claude_effort)
        request["model"] = called(self.settings, model)
        async with client_of(self.settings, self.pace.most_bytes) as client:
            got = await exchange(_created(client, request))
        if isinstance(got, Reply | Again):
            return got
        if not got.content_type.startswith("application/json"):
            return Reply(Ending.UNUSABLE, "the answer isn't JSON")
        return reply_of(model, got.text, got.request_id)


def settled(outcome: Reply | Again) -> Settled:
    """What the ledger keeps of an outcome; only a lost answer stays at its worst case."""
    if isinstance(outcome, Again):
        return Settled(LOST) if outcome.detail == LOST else Settled("failed", Decimal(0), outcome.detail)
    return Settled(
        outcome.ending.value,
        Decimal(0) if outcome.ending is Ending.FAILED else outcome.cost,
        outcome.detail or None,
        outcome.model,
        outcome.request_id,
        outcome.usage,
    )


async def _created(
    client: "AsyncAnthropic | AsyncAnthropicBedrock", request: "MessageCreateParamsNonStreaming"
) -> "httpx2.Response":
    response = await client.messages.with_raw_response.create(**request, timeout=READ_SECONDS)
    return response.http_response
