"""What asking Claude costs, and the ledger that keeps it within the budgets: `claude_calls`.

A request is entered at its worst case before it is sent and corrected when its answer is in, each in a transaction of
its own: neither a kill nor a lost answer makes money disappear from the count.
"""

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal

from sqlalchemy import Engine, func, select, update

from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.analysis_tables import claude_calls
from rustbucket_pipeline.storage.postgres import advisory_lock

BYTES_PER_TOKEN = 2
"""Cautious: prose has about 2.5, log text fewer."""

NOT_SENT = ""
"""The batch of a request whose batch is being sent: none is known yet."""

_MILLION = Decimal(1_000_000)
_CENT_OF_A_CENT = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens; above `step` prompt tokens everything costs `factor` times as much."""

    into: Decimal
    out: Decimal
    cache_read: Decimal
    cache_write: Decimal
    step: int | None = None
    factor: int = 1


PRICES = {
    "claude-haiku-5-5": Price(Decimal("0.10"), Decimal("0.50"), Decimal("0.01"), Decimal("0.20"), 100_000, 5),
    "claude-sonnet-5-5": Price(Decimal(2), Decimal(10), Decimal("0.10"), Decimal(4)),
    "claude-opus-5-5": Price(Decimal(4), Decimal(20), Decimal("0.20"), Decimal(8)),
    "claude-haiku-4-5": Price(Decimal(1), Decimal(5), Decimal("0.10"), Decimal(2)),
}
"""List prices of October 2026."""

DEAREST = max(PRICES.values(), key=lambda price: price.out)
"""What a model of unknown price is taken to cost."""

_DECORATED = re.compile(r"(?:[a-z-]+\.)?anthropic\.|(?:-\d{8})?(?:-v\d+(?::\d+)?)?$")
"""What Bedrock puts before a model's name, and a release's date and version after it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer; `into` leaves out those read from or written to the cache."""

    into: int
    out: int
    cache_read: int = 0
    cache_write: int = 0


def cost_of(model: str, usage: Usage, *, batched: bool = False) -> Decimal:
    """US dollars, rounded up; half in a batch."""
    price = PRICES.get(_DECORATED.sub("", model), DEAREST)
    prompt = usage.into + usage.cache_read + usage.cache_write
    factor = price.factor if price.step is not None and prompt > price.step else 1
    dollars = (
        usage.into * price.into
        + usage.out * price.out
        + usage.cache_read * price.cache_read
        + usage.cache_write * price.cache_write
    )
    return (dollars * factor / _MILLION / (2 if batched else 1)).quantize(_CENT_OF_A_CENT, ROUND_UP)


def worst_case(model: str, prompt_bytes: int, max_tokens: int, *, batched: bool = False) -> Decimal:
    """The most one request can cost, in US dollars."""
    return cost_of(model, Usage(into=prompt_bytes // BYTES_PER_TOKEN + 1, out=max_tokens), batched=batched)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The calls made for one window, within its budget and the day's."""

    engine: Engine
    settings: Settings
    window: Window
    now: datetime

    def reserve(self, model: str, worst: Decimal, batched: str | None = None) -> int | None:
        """Enter a request about to be sent; None when a budget doesn't allow its worst case.

        `batched` is the request's hash if it goes into a batch: its answer is found by it.
        """
        with self.engine.begin() as connection:
            advisory_lock(connection, "claude budget")
            day = self.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            spent = select(func.coalesce(func.sum(claude_calls.c.cost_usd), 0))
            today = connection.execute(
                spent.where(claude_calls.c.asked_at >= day, claude_calls.c.asked_at < day + timedelta(days=1))
            ).scalar_one()
            here = connection.execute(spent.where(claude_calls.c.window_start == self.window.start)).scalar_one()
            if today + worst > self.settings.claude_budget_usd_per_day:
                return None
            if here + worst > self.settings.claude_budget_usd_per_window:
                return None
            entry = claude_calls.insert().returning(claude_calls.c.id)
            values: dict[str, object] = {"window_start": self.window.start, "model": model, "asked_at": self.now}
            if batched is not None:
                values |= {"request_sha256": batched, "batch_id": NOT_SENT}
            return connection.execute(entry.values(**values, cost_usd=worst, outcome="asked")).scalar_one()

    def settle(self, call: int, ended: "Settled") -> None:
        """Note what became of a request; without a cost its worst case stays."""
        with self.engine.begin() as connection:
            connection.execute(update(claude_calls).where(claude_calls.c.id == call).values(**ended.values()))


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a request, as the ledger keeps it. `answer` is the model's text, unverified."""

    outcome: str
    cost: Decimal | None = None
    detail: str | None = None
    served_by: str | None = None
    request_id: str | None = None
    usage: Usage | None = None
    answer: str | None = None

    def values(self) -> dict[str, object]:
        """The columns to write."""
        values = asdict(self)
        cost = values.pop("cost")
        return values if cost is None else values | {"cost_usd": cost}
