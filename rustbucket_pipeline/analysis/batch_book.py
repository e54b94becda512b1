"""Which requests of batches are under way, and what they were answered: their entries in `claude_calls`. No network."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, select, update

from rustbucket_pipeline.analysis.budget import Usage
from rustbucket_pipeline.analysis.claude import settled
from rustbucket_pipeline.analysis.reply import Ending, Reply
from rustbucket_pipeline.analysis.sending import LOST
from rustbucket_pipeline.storage.analysis_tables import claude_calls

_UNDER_WAY = "asked"
_KEPT = frozenset({Ending.ANSWERED, Ending.REFUSED, Ending.CUT, Ending.UNUSABLE})

_call = claude_calls.c


@dataclass(frozen=True, slots=True)
class Entry:
    """One request of a batch. `reply` is None while it is under way; `batch_id` is `NOT_SENT` until it is known."""

    id: int
    model: str
    sha256: str
    asked_at: datetime
    batch_id: str
    reply: Reply | None = None

    @property
    def name(self) -> str:
        """What its result is told by."""
        return name_of(self.id, self.sha256)


def name_of(call: int, sha256: str) -> str:
    """A request's name within any batch, as the API allows names."""
    return f"call-{call}-{sha256[:16]}"


@dataclass(frozen=True, slots=True)
class BatchBook:
    """The book, each change in a transaction of its own."""

    engine: Engine

    def newest(self, sha256: str) -> Entry | None:
        """The newest entry of a request that is answered or under way; None when it is to be asked (again)."""
        found = self._entries(_call.request_sha256 == sha256)
        return next((one for one in reversed(found) if one.reply is None or one.reply.ending in _KEPT), None)

    def under_way(self, batch_id: str) -> list[Entry]:
        """The requests of a batch that aren't settled; of `NOT_SENT`, those of killed runs."""
        return self._entries((_call.batch_id == batch_id) & (_call.outcome == _UNDER_WAY))

    def batches(self) -> set[str]:
        """Every batch in the book."""
        with self.engine.connect() as connection:
            return set(connection.execute(select(_call.batch_id).where(_call.batch_id.is_not(None))).scalars())

    def send_as(self, batch_id: str, calls: Iterable[int]) -> None:
        """Note which batch they went into."""
        self._note(calls, {"batch_id": batch_id})

    def settle(self, call: int, reply: Reply) -> None:
        """Keep what became of one, its text too; unverified."""
        self._note([call], replace(settled(reply), answer=reply.text or None).values())

    def give_up(self, calls: Iterable[int], detail: str) -> None:
        """Nothing will be heard of them; their worst case stays counted."""
        self._note(calls, {"outcome": LOST, "detail": detail})

    def _note(self, calls: Iterable[int], values: dict[str, object]) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(claude_calls).where(_call.id.in_(list(calls))).values(**values))

    def _entries(self, which: ColumnElement[bool]) -> list[Entry]:
        with self.engine.connect() as connection:
            return [_entry(row) for row in connection.execute(select(claude_calls).where(which).order_by(_call.id))]


def _entry(row: Row[Any]) -> Entry:
    reply = None
    if row.outcome != _UNDER_WAY:
        ending = Ending(row.outcome) if row.outcome in _KEPT else Ending.FAILED
        usage = Usage(**row.usage) if row.usage else None
        reply = Reply(ending, row.detail or "", row.answer or "", row.served_by, row.request_id, usage, row.cost_usd)
    return Entry(row.id, row.model, row.request_sha256, row.asked_at, row.batch_id, reply)
