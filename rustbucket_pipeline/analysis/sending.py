"""One exchange through the SDK: its body, or why there is none. No prompt, no retries, no money.

No exception of the SDK leaves this module: each carries the key in its request.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2

from rustbucket_pipeline.analysis.neutralise import neutral
from rustbucket_pipeline.analysis.reply import Ending, Reply, known_id
from rustbucket_pipeline.analysis.transport import TooMuch

if TYPE_CHECKING:
    import anthropic

LOST = "lost"

_SPEND_LIMITS = frozenset(
    {
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "ramp_limit_exceeded",
    }
)


@dataclass(frozen=True, slots=True)
class Body:
    """What came with a 2xx, whole and unread."""

    text: str
    content_type: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Again:
    """A failure that may pass; `wait` is what the server asks for, in seconds."""

    detail: str
    wait: float | None = None


async def exchange(response: Awaitable[httpx2.Response]) -> Body | Reply | Again:
    """What became of a request that the SDK sends."""
    import anthropic
    from botocore.exceptions import BotoCoreError

    try:
        got = await response
    except anthropic.APIStatusError as error:
        return _status(error)
    except anthropic.APIConnectionError as error:
        return _connection(error)
    except (RuntimeError, BotoCoreError) as error:
        return Reply(Ending.FAILED, f"no usable AWS credentials ({type(error).__name__})")
    request_id = got.headers.get("request-id") or got.headers.get("x-amzn-requestid")
    return Body(got.text, got.headers.get("content-type", "").lower(), request_id)


def _status(error: "anthropic.APIStatusError") -> Reply | Again:
    code = error.error_code or str(error.type or "")
    detail = neutral(f"HTTP {error.status_code} {code}".strip())
    told = error.response.headers.get("x-should-retry")
    passes = error.status_code in {408, 409, 429} or error.status_code >= 500
    again = told == "true" if told in {"true", "false"} else passes
    if not again or error.error_code in _SPEND_LIMITS:
        return Reply(Ending.FAILED, detail, request_id=known_id(error.request_id))
    return Again(detail, _retry_after(error.response.headers.get("retry-after")))


def _retry_after(told: str | None) -> float | None:
    """Seconds; a date or nonsense counts as for ever."""
    if told is None:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        return float("inf")


def _connection(error: "anthropic.APIConnectionError") -> Reply | Again:
    """A lost answer may have been billed; one that was too large was certainly sent."""
    if isinstance(error.__cause__, TooMuch):
        return Reply(Ending.UNUSABLE, str(error.__cause__))
    return Again(LOST)
