"""The API's batches through the SDK: create, list, ask, fetch results. Read without trust; no book, no judgement."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import httpx2
from pydantic import BaseModel, JsonValue, ValidationError

from rustbucket_pipeline.analysis.clients import client_of
from rustbucket_pipeline.analysis.contents import canonical
from rustbucket_pipeline.analysis.neutralise import neutral
from rustbucket_pipeline.analysis.reply import Ending, Reply, reply_of
from rustbucket_pipeline.analysis.sending import Again, Body, exchange
from rustbucket_pipeline.settings import Settings

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
    from anthropic.types.messages.batch_create_params import Request

BYTES_OF_A_RESULT = 100_000
"""As many times the requests may all results have; an honest one has a third of it at most."""

ENDED = "ended"

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PATH = "/v1/messages/batches"


class Batch(BaseModel):
    """A batch as the API tells of it: `ended` or under way, and its requests by their state."""

    id: str
    processing_status: str
    created_at: datetime
    request_counts: Mapping[str, int] = {}

    @property
    def requests(self) -> int:
        """How many it has."""
        return sum(self.request_counts.values())


class _Listed(BaseModel):
    data: list[Batch]


class _Outcome(BaseModel):
    type: str
    message: JsonValue = None
    error: JsonValue = None


class _Result(BaseModel):
    custom_id: str
    result: _Outcome


@dataclass(frozen=True, slots=True)
class BatchApi:
    """Where batches are sent; only to be made when that isn't off and the API knows batches."""

    settings: Settings
    most_bytes: int

    async def create(self, requests: "Mapping[str, MessageCreateParamsNonStreaming]") -> Batch | Reply | Again:
        """Send the requests, by their names, as one batch."""
        named: list[Request] = [{"custom_id": name, "params": request} for name, request in requests.items()]
        async with self._client() as client:
            return _batch(await exchange(_created(client, named)))

    async def recent(self) -> Sequence[Batch] | None:
        """The newest batches; None when they can't be had now."""
        async with self._client() as client:
            got = await exchange(_got(client, f"{_PATH}?limit=100"))
        if not isinstance(got, Body):
            return None
        try:
            return [one for one in _Listed.model_validate_json(got.text).data if _ID.fullmatch(one.id)]
        except ValidationError:
            return None

    async def state(self, batch_id: str) -> Batch | Reply | Again:
        """The batch as it is now."""
        async with self._client() as client:
            return _batch(await exchange(_got(client, f"{_PATH}/{batch_id}")))

    async def results(self, batch_id: str, models: Mapping[str, str]) -> dict[str, Reply] | None:
        """The replies of an ended batch by name; `models` are those asked. None when they can't be had now.

        The address that the batch names for them may be anybody's: ours is asked.
        """
        async with self._client(len(models)) as client:
            got = await exchange(_got(client, f"{_PATH}/{batch_id}/results"))
        if not isinstance(got, Body):
            return None
        told = ((one.custom_id, one.result) for one in _results(got.text))
        return {name: _reply(models[name], batch_id, outcome) for name, outcome in told if name in models} or None

    def _client(self, results: int = 0) -> "AsyncAnthropic":
        import anthropic

        client = client_of(self.settings, self.most_bytes + results * BYTES_OF_A_RESULT)
        assert isinstance(client, anthropic.AsyncAnthropic)  # noqa: S101
        return client


async def _created(client: "AsyncAnthropic", requests: "Sequence[Request]") -> httpx2.Response:
    return (await client.messages.batches.with_raw_response.create(requests=requests)).http_response


async def _got(client: "AsyncAnthropic", path: str) -> httpx2.Response:
    return await client.get(path, cast_to=httpx2.Response)


def _batch(got: Body | Reply | Again) -> Batch | Reply | Again:
    if not isinstance(got, Body):
        return got
    try:
        batch = Batch.model_validate_json(got.text)
    except ValidationError:
        return Again("the answer isn't a batch")
    return batch if _ID.fullmatch(batch.id) else Again("the answer isn't a batch")


def _results(lines: str) -> Iterator[_Result]:
    """What can be read of them."""
    for line in lines.splitlines():
        try:
            yield _Result.model_validate_json(line)
        except ValidationError:
            continue


def _reply(model: str, batch_id: str, outcome: _Outcome) -> Reply:
    """What became of one request; only what succeeded is paid."""
    if outcome.type != "succeeded":
        return Reply(Ending.FAILED, f"in a batch: {neutral(outcome.type, 40)}")
    return reply_of(model, canonical(outcome.message).decode(), batch_id, batched=True)
