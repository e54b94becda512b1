"""What comes back from Claude, read without trust: one message → one `Reply` with its usage and cost. No network.

The SDK builds whatever it gets unvalidated; so bodies are read here, by shapes of our own.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ValidationError

from rustbucket_pipeline.analysis.budget import Usage, cost_of
from rustbucket_pipeline.analysis.neutralise import neutral

LONGEST_ID = 100


class Ending(StrEnum):
    """How asking ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    CUT = "cut"
    UNUSABLE = "unusable"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    NO_BUDGET = "no budget"
    UNDER_WAY = "its batch is under way"


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


_ENDINGS = {"end_turn": Ending.ANSWERED, "refusal": Ending.REFUSED, "max_tokens": Ending.CUT}


def reply_of(model: str, body: str, request_id: str | None, *, batched: bool = False) -> Reply:
    """The reply in a message's JSON; `model` is the one asked, and the dearer of it and the one served is paid."""
    identifier = known_id(request_id)
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
        _ENDINGS.get(message.stop_reason, Ending.UNUSABLE),
        neutral(message.stop_reason) if message.stop_reason != "end_turn" else "",
        next((block.text for block in message.content if block.type == "text" and block.text), ""),
        neutral(message.model, LONGEST_ID),
        identifier,
        usage,
        max(cost_of(name, usage, batched=batched) for name in (message.model, model)),
    )


def known_id(told: str | None) -> str | None:
    """A request's id as the server told it, made harmless."""
    return neutral(told, LONGEST_ID) if told else None
