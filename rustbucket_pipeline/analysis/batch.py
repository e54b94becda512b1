"""Batches of requests at half the price: sent once, fetched when they have ended, whatever run it was that sent them.

Answers are found by their request's hash, so a killed run pays for nothing twice. Which windows: `ahead.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rustbucket_pipeline.analysis.batch_api import ENDED, Batch, BatchApi
from rustbucket_pipeline.analysis.batch_book import BatchBook, Entry, name_of
from rustbucket_pipeline.analysis.budget import NOT_SENT
from rustbucket_pipeline.analysis.reply import Ending, Reply
from rustbucket_pipeline.analysis.sending import LOST, Again
from rustbucket_pipeline.storage.postgres import advisory_lock

if TYPE_CHECKING:
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

SENDING = "claude batches"
"""Lock held from the entry of a batch's requests until its id is known: what stands without one is a killed run's."""

GIVEN_UP_AFTER = timedelta(hours=26)
"""A batch ends within a day, with what it has; two hours more for clocks and fetching."""

_UNKNOWN = "HTTP 404"
_CLOCKS_DIFFER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Batches:
    """The API's batches and our book of them."""

    api: BatchApi
    book: BatchBook

    async def send(self, requests: "Mapping[int, tuple[str, MessageCreateParamsNonStreaming]]") -> str | None:
        """Send requests (entry → hash, parameters) as one batch; its id, or None when it is not known to be sent."""
        named = {name_of(call, sha256): request for call, (sha256, request) in requests.items()}
        got = await self.api.create(named)
        if isinstance(got, Batch):
            self.book.send_as(got.id, requests)
            return got.id
        if isinstance(got, Again) and got.detail == LOST:
            return None  # it may have arrived: `adopt` finds out
        for call in requests:
            self.book.settle(call, Reply(Ending.FAILED, got.detail))
        return None

    async def adopt(self) -> None:
        """Find the batches of requests whose run ended before it knew where they are; give up those of none.

        Such a batch is in no book, of as many requests, and not made before them. Results are told by name anyway.
        """
        with self.book.engine.begin() as connection:
            advisory_lock(connection, SENDING)
            lost = self.book.under_way(NOT_SENT)
            recent = await self.api.recent() if lost else None
            if recent is None:
                return
            booked = self.book.batches()
            strange = [batch for batch in recent if batch.id not in booked]
            for asked_at in sorted({entry.asked_at for entry in lost}):
                theirs = [entry for entry in lost if entry.asked_at == asked_at]
                since = asked_at - _CLOCKS_DIFFER
                found = (one for one in strange if one.requests == len(theirs) and one.created_at >= since)
                batch = next(found, None)
                calls = [entry.id for entry in theirs]
                if batch is None:
                    self.book.give_up(calls, "sent by a run that was killed, and not found")
                else:
                    strange.remove(batch)
                    self.book.send_as(batch.id, calls)

    async def fetch(self, batch_id: str) -> bool:
        """Keep what the batch answered, if it has ended; whether nothing of it is open."""
        entries = self.book.under_way(batch_id)
        if not entries:
            return True
        state = await self.api.state(batch_id)
        if isinstance(state, Reply) and state.detail.startswith(_UNKNOWN):
            self.book.give_up((entry.id for entry in entries), state.detail)
            return True
        if not isinstance(state, Batch) or state.processing_status != ENDED:
            return False
        replies = await self.api.results(batch_id, {entry.name: entry.model for entry in entries})
        if replies is None:
            return False
        for entry in entries:
            self.book.settle(entry.id, replies.get(entry.name, Reply(Ending.FAILED, "not among its batch's results")))
        return True

    async def answer(self, sha256: str, now: datetime) -> Reply | None:
        """The reply that a batch has for a request, fetched now if need be; None when it is to be asked by itself."""
        entry = self.book.newest(sha256)
        if entry is not None and entry.batch_id == NOT_SENT:
            await self.adopt()
            entry = self.book.newest(sha256)
        if entry is None or entry.reply is not None:
            return entry.reply if entry else None
        return await self._fetched(entry, now)

    async def _fetched(self, entry: Entry, now: datetime) -> Reply | None:
        if entry.batch_id == NOT_SENT or not await self.fetch(entry.batch_id):
            if now - entry.asked_at < GIVEN_UP_AFTER:
                return Reply(Ending.UNDER_WAY)
            self.book.give_up([entry.id], "its batch never ended")
        again = self.book.newest(entry.sha256)
        return again.reply if again else None
