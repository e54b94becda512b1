"""Claude's explanation of a window: the chain of models, one second chance, one deadline. No judgement.

Whatever happens here, the caller's report is complete without it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from rustbucket_pipeline.analysis.batch import Batches
from rustbucket_pipeline.analysis.batch_api import BatchApi
from rustbucket_pipeline.analysis.batch_book import BatchBook
from rustbucket_pipeline.analysis.budget import Ledger
from rustbucket_pipeline.analysis.claude import Claude, Pace
from rustbucket_pipeline.analysis.clients import knows_batches, load_sdk, why_not, why_off
from rustbucket_pipeline.analysis.contents import Digest
from rustbucket_pipeline.analysis.findings import Finding
from rustbucket_pipeline.analysis.page import ClaudeNote, Prose
from rustbucket_pipeline.analysis.prompt import Question, attackers_texts, question_of
from rustbucket_pipeline.analysis.reply import Ending, Reply
from rustbucket_pipeline.analysis.request import request_hash, request_of
from rustbucket_pipeline.analysis.verify import Ground, Verified, quotes_of, verify
from rustbucket_pipeline.settings import Settings

NOTHING_TO_EXPLAIN = "not asked (nothing to explain)"

_MOST_TOKENS = 20_000
_MAY_PASS = frozenset({Ending.UNAVAILABLE, Ending.NO_BUDGET})


@dataclass(frozen=True, slots=True)
class Explanation:
    """Verified prose or None, what became of asking, and what it used. Costs in US dollars."""

    prose: Prose | None
    note: ClaudeNote
    request_ids: tuple[str, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal = Decimal(0)


@dataclass(slots=True)
class _Bill:
    """What all replies of one window came to."""

    replies: list[Reply] = field(default_factory=list[Reply])

    def explanation(self, prose: Prose | None, note: ClaudeNote) -> Explanation:
        usages = [reply.usage for reply in self.replies if reply.usage]
        return Explanation(
            prose=prose,
            note=note,
            request_ids=tuple(reply.request_id for reply in self.replies if reply.request_id),
            tokens_in=sum(usage.into + usage.cache_read + usage.cache_write for usage in usages),
            tokens_out=sum(usage.out for usage in usages),
            cost=sum((reply.cost for reply in self.replies if reply.cost), Decimal(0)),
        )


def explain(settings: Settings, digest: Digest, findings: Sequence[Finding], ledger: Ledger, pace: Pace) -> Explanation:
    """Ask Claude about the window, within its deadline and budget. Never raises for anything Claude does."""
    off = why_off(settings) or (None if worth_asking(digest, findings) else NOTHING_TO_EXPLAIN)
    if off is not None:
        return Explanation(None, ClaudeNote(outcome=off))
    problem = why_not(settings)
    if problem is not None:
        return Explanation(None, ClaudeNote(outcome=f"not asked: {problem}", retry=True))
    shown = frozenset(indicator.id for indicator in digest.indicators.rows)
    question = question_of(digest, findings, send=settings.claude_send)
    ground = Ground(findings, shown, question.canary, quotes_of(attackers_texts(digest, findings)))
    load_sdk()
    return asyncio.run(_explain(Claude(settings, ledger, pace), question, ground, pace))


def worth_asking(digest: Digest, findings: Sequence[Finding]) -> bool:
    """Whether there is anything to explain: a finding, or a host or URL that is new. New sources come every hour."""
    return bool(findings) or any(one.is_new and one.type != "ip" for one in digest.indicators.rows)


async def _explain(claude: Claude, question: Question, ground: Ground, pace: Pace) -> Explanation:
    bill = _Bill()
    try:
        async with asyncio.timeout(pace.deadline_seconds):
            return await _through_the_chain(claude, question, ground, bill)
    except TimeoutError:
        return bill.explanation(None, ClaudeNote(outcome="no answer within the deadline", retry=True))


async def _through_the_chain(claude: Claude, question: Question, ground: Ground, bill: _Bill) -> Explanation:
    """Model after model while they refuse; the same request never goes to the same model twice."""
    ahead = await _answered_ahead(claude, question)
    if ahead is not None and ahead.ending is Ending.UNDER_WAY:
        return bill.explanation(None, ClaudeNote(outcome=ahead.ending.value, retry=True))
    for model in claude.settings.claude_models:
        explanation = await _with_second_chance(claude, model, question, ground, bill, ahead)
        if explanation is not None:
            return explanation
        ahead = None
    return bill.explanation(None, ClaudeNote(outcome="refused by every model"))


async def _answered_ahead(claude: Claude, question: Question) -> Reply | None:
    """What a batch has of this very request to the first model."""
    settings = claude.settings
    if not knows_batches(settings):
        return None
    request = request_of(question, settings.claude_models[0], settings.claude_max_tokens, settings.claude_effort)
    batches = Batches(BatchApi(settings, claude.pace.most_bytes), BatchBook(claude.ledger.engine))
    return await batches.answer(request_hash(request), claude.ledger.now)


async def _with_second_chance(
    claude: Claude, model: str, question: Question, ground: Ground, bill: _Bill, ahead: Reply | None
) -> Explanation | None:
    """One model's verified explanation, asked once more if flagged or cut; None when it refuses.

    `ahead` is its first reply, where a batch has it.
    """
    max_tokens, best = claude.settings.claude_max_tokens, Verified(None, ())
    reply = Reply(Ending.FAILED)
    for _ in range(2):
        reply = ahead or await claude.ask(model, question, max_tokens)
        ahead = None
        bill.replies.append(reply)
        if reply.ending is Ending.CUT:
            max_tokens = min(max_tokens * 2, _MOST_TOKENS)
            continue
        if reply.ending is not Ending.ANSWERED:
            break
        verified = verify(reply.text, ground)
        if verified.prose and not verified.flags:
            return bill.explanation(verified.prose, ClaudeNote(outcome="answered", model=reply.model))
        best = verified if verified.prose or not best.prose else best
        question = replace(question, flags=verified.flags)
    if reply.ending is Ending.REFUSED and best.prose is None:
        return None
    return bill.explanation(best.prose, _note(reply, best))


def _note(reply: Reply, best: Verified) -> ClaudeNote:
    """What to say of an answer that isn't clean, or of none."""
    if best.prose:
        return ClaudeNote(outcome="answered; parts were taken out", model=reply.model, issues=best.flags)
    if reply.ending is Ending.ANSWERED:
        return ClaudeNote(outcome="answered, but nothing of it could be kept", model=reply.model, issues=best.flags)
    outcome = f"{reply.ending.value}: {reply.detail}" if reply.detail else reply.ending.value
    return ClaudeNote(outcome=outcome, retry=reply.ending in _MAY_PASS, model=reply.model, issues=best.flags)
