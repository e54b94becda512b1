"""One request as it is sent to Claude, alone or in a batch, and its hash. No network, no judgement."""

from typing import TYPE_CHECKING, Literal, cast

from rustbucket_pipeline.analysis.budget import PRICES
from rustbucket_pipeline.analysis.contents import hash_of
from rustbucket_pipeline.analysis.prompt import SCHEMA, SYSTEM, Question, messages_of, tools

if TYPE_CHECKING:  # the SDK is imported by whoever asks
    from anthropic.types import OutputConfigParam
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

Effort = Literal["low", "medium", "high", "xhigh", "max"]


def request_of(question: Question, model: str, max_tokens: int, effort: str) -> "MessageCreateParamsNonStreaming":
    """The request's parameters; a model nobody knows here is told no effort, which older ones refuse."""
    output: OutputConfigParam = {"format": {"type": "json_schema", "schema": SCHEMA}}
    if model in PRICES:
        output["effort"] = cast("Effort", effort)
    return {
        "model": model,
        "max_tokens": max_tokens,
        "system": SYSTEM,
        "messages": messages_of(question),
        "tools": tools(),
        "tool_choice": {"type": "none"},
        "output_config": output,
    }


def request_hash(request: "MessageCreateParamsNonStreaming") -> str:
    """Equal hashes, equal requests: an answer that is paid for already is found by it."""
    return hash_of(request)
