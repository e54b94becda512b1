"""A range of windows asked about at once: those that need Claude go in batches, before any of them is reported.

Reporting then finds its answers (`explain.py`). What fails here, or isn't answered in time, is left to reporting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from rustbucket_pipeline.analysis.batch import SENDING, Batches
from rustbucket_pipeline.analysis.batch_api import BatchApi
from rustbucket_pipeline.analysis.batch_book import BatchBook
from rustbucket_pipeline.analysis.budget import Ledger, worst_case
from rustbucket_pipeline.analysis.claude import Pace
from rustbucket_pipeline.analysis.clients import knows_batches, why_not, why_off
from rustbucket_pipeline.analysis.draft import analysis_key, question_key
from rustbucket_pipeline.analysis.explain import worth_asking
from rustbucket_pipeline.analysis.page import ClaudeNote
from rustbucket_pipeline.analysis.prompt import question_of
from rustbucket_pipeline.analysis.report import judged_report, stored_digest
from rustbucket_pipeline.analysis.request import request_hash, request_of
from rustbucket_pipeline.analysis.reuse import stored_explanation
from rustbucket_pipeline.analysis.stored import newest_revision
from rustbucket_pipeline.errors import RustbucketError
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.postgres import advisory_lock

if TYPE_CHECKING:
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

MOST_REQUESTS = 500
"""In one batch: 83 days of windows, 40 MB; the API takes 256 MB."""

LONGEST_LOOK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ahead:
    """What asking ahead came to: windows that needed Claude, and how many of them have an answer now."""

    wanted: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A window that needs Claude: its request, by its hash, and the most that costs in bytes of prompt."""

    window: Window
    sha256: str
    request: "MessageCreateParamsNonStreaming"
    size: int


def may_batch(settings: Settings, windows: int) -> bool:
    """Whether so many windows can come to a batch at all."""
    if settings.claude_batch_above is None or windows <= settings.claude_batch_above:
        return False
    return knows_batches(settings) and why_off(settings) is None and why_not(settings) is None


def ask_ahead(
    engine: Engine,
    settings: Settings,
    windows: Iterable[Window],
    now: datetime,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Ahead:
    """Ask about all of the windows that need it, if they are more than the setting says, and wait for the answers."""
    windows = list(windows)
    if not may_batch(settings, len(windows)):
        return Ahead()
    batches = Batches(BatchApi(settings, pace.most_bytes), BatchBook(engine))
    return asyncio.run(_ask(batches, _wanted(engine, settings, windows), now, pace, sleep))


async def _ask(
    batches: Batches, windows: Iterator[_Wanted], now: datetime, pace: Pace, sleep: Callable[[float], Awaitable[None]]
) -> Ahead:
    hashes: list[str] = []
    await batches.adopt()
    while chunk := list(islice(windows, MOST_REQUESTS)):
        if not hashes and len(chunk) <= (batches.api.settings.claude_batch_above or 0):
            return Ahead(len(chunk))
        await _send(batches, chunk, now)
        hashes += [one.sha256 for one in chunk]
    await _wait(batches, hashes, pace, sleep)
    known = [batches.book.newest(sha256) for sha256 in hashes]
    return Ahead(len(hashes), sum(entry is not None and entry.reply is not None for entry in known))


async def _send(batches: Batches, chunk: list[_Wanted], now: datetime) -> None:
    """Enter those that nobody sent yet, as far as the budget goes, and send them."""
    settings, engine = batches.api.settings, batches.book.engine
    model = settings.claude_models[0]
    with engine.begin() as connection:
        advisory_lock(connection, SENDING)
        entered: dict[int, tuple[str, MessageCreateParamsNonStreaming]] = {}
        for one in chunk:
            if batches.book.newest(one.sha256) is None:
                worst = worst_case(model, one.size, settings.claude_max_tokens, batched=True)
                call = Ledger(engine, settings, one.window, now).reserve(model, worst, one.sha256)
                if call is not None:
                    entered[call] = one.sha256, one.request
        sent = await batches.send(entered) if entered else ""
    if sent is None:
        await batches.adopt()


async def _wait(batches: Batches, hashes: list[str], pace: Pace, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Look again and again until every batch has ended, or the time is over."""
    known = [batches.book.newest(sha256) for sha256 in hashes]
    open_ones = {entry.batch_id for entry in known if entry is not None and entry.reply is None and entry.batch_id}
    wait = pace.first_look_seconds
    try:
        async with asyncio.timeout(batches.api.settings.claude_batch_deadline_seconds):
            while open_ones := {one for one in open_ones if not await batches.fetch(one)}:
                await sleep(wait)
                wait = min(wait * 1.5, LONGEST_LOOK_SECONDS)
    except TimeoutError:
        return


def _wanted(engine: Engine, settings: Settings, windows: Iterable[Window]) -> Iterator[_Wanted]:
    for window in windows:
        try:
            with engine.connect() as connection, connection.begin() as transaction:
                wanted = _wanted_of(connection, settings, window)
                transaction.rollback()
        except RustbucketError:
            continue  # reporting the window will say what it is
        if wanted is not None:
            yield wanted


def _wanted_of(connection: Connection, settings: Settings, window: Window) -> _Wanted | None:
    digest = stored_digest(connection, window)
    draft = judged_report(connection, window, digest, ClaudeNote(outcome="not asked"))
    if not worth_asking(digest, draft.findings):
        return None
    keys = analysis_key(draft, settings), question_key(draft, digest, settings)
    if stored_explanation(connection, newest_revision(connection, window), window, *keys) is not None:
        return None
    question = question_of(digest, draft.findings, send=settings.claude_send)
    request = request_of(question, settings.claude_models[0], settings.claude_max_tokens, settings.claude_effort)
    return _Wanted(window, request_hash(request), request, question.size)
