"""What explaining a window costs as its volume grows, at the default model's list price: at its worst, and as told.

A prompt is priced at 2 bytes a token, the answer at the longest that is allowed: what the budget reserves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from random import Random

from sqlalchemy import Engine

from benchmarks.attacks import WINDOW, background, campaigns, load, load_week, novelties, numbering
from benchmarks.evaluation.database import database
from benchmarks.evaluation.options import Options
from rustbucket_pipeline.analysis.budget import BYTES_PER_TOKEN, Usage, cost_of, worst_case
from rustbucket_pipeline.analysis.digest import digest_of
from rustbucket_pipeline.analysis.findings import find
from rustbucket_pipeline.analysis.prompt import question_of
from rustbucket_pipeline.claude_settings import ClaudeSettings

VOLUMES, LARGEST = (10_000, 100_000), 1_000_000
GOAL_DOLLARS, GOAL_GROWTH = 0.01, 3.0
TYPICAL_ANSWER = 1_500
"""Tokens of an answer as one would expect it: thirty findings in a sentence or two."""


@dataclass(frozen=True, slots=True)
class Cost:
    """A window of so many events: the prompt's bytes, and US dollars for it with a typical and the longest answer."""

    events: int
    bytes: int
    typical: float
    worst: float


def measure_cost(options: Options) -> None:
    """Print each volume, and how the prompt grows."""
    defaults = ClaudeSettings.model_fields
    model, longest = defaults["claude_models"].default[0], defaults["claude_max_tokens"].default
    print(f"{model}, answers of {TYPICAL_ANSWER:,} and at most {longest:,} tokens")
    print(f"{'events':>9} {'prompt':>8} {'tokens':>7} {'typical':>9} {'worst':>9}  goal ${GOAL_DOLLARS}", flush=True)
    volumes = (*VOLUMES, LARGEST) if options.full else VOLUMES
    found: list[Cost] = []
    with database(WINDOW.start) as engine:
        for cost in costs(engine, volumes, model, longest):
            found.append(cost)
            met = "met" if cost.worst <= GOAL_DOLLARS else "MISSED"
            tokens = cost.bytes // BYTES_PER_TOKEN
            line = f"{cost.events:9,} {cost.bytes:8,} {tokens:7,} ${cost.typical:.5f}  ${cost.worst:.5f}  {met}"
            print(line, flush=True)
    growth = found[-1].bytes / found[0].bytes
    times = found[-1].events / found[0].events
    met = "met" if growth <= GOAL_GROWTH else "MISSED"
    print(f"{times:.0f} times the events, {growth:.2f} times the prompt; goal for 100 times {GOAL_GROWTH:.0f}: {met}")


def costs(engine: Engine, volumes: tuple[int, ...], model: str, longest: int) -> Iterator[Cost]:
    """One window of each volume: background, harmless novelties and fifty campaigns, all in its measure."""
    for events in volumes:
        random, numbers = Random(events), numbering()
        with engine.begin() as connection:
            connection.exec_driver_sql("TRUNCATE log_events, session_parts, window_builds, sightings, sighted_windows")
            connection.exec_driver_sql("TRUNCATE window_counts, clusters, indicators")
        load_week(engine, random, events // 10, numbers)
        seeded = chain.from_iterable(campaign.sessions for campaign in campaigns(random, "indicator"))
        usual = chain(background(random, events), novelties(random, min(1000, events // 100)), seeded)
        rows = load(engine, WINDOW, usual, numbers)
        with engine.connect() as connection, connection.begin() as transaction:
            question = question_of(digest_of(connection, WINDOW), find(connection, WINDOW))
            transaction.rollback()
        usage = Usage(into=question.size // BYTES_PER_TOKEN + 1, out=TYPICAL_ANSWER)
        worst = worst_case(model, question.size, longest)
        yield Cost(rows, question.size, float(cost_of(model, usage)), float(worst))
