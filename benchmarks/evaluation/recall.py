"""How many seeded campaigns a digest shows: `python -m benchmarks.evaluation recall [--windows N] [--events N]`.

Fifty campaigns a window, twenty of them a single session; each kind without and with a flood on top of the events.
Shown means: its own indicator, or else its own cluster (a row or a line), stands in the prompt's document of that size.
Seeds are drawn anew and printed. Generator and digest have one author: a regression test, no evidence from the field.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random

from sqlalchemy import Connection, Engine, text

from benchmarks.attacks import WINDOW, Campaign, background, campaigns, flood, load, load_week, novelties, numbering
from benchmarks.evaluation.baselines import BASELINES, Raw, raw_log, shown_by
from benchmarks.evaluation.database import database
from benchmarks.evaluation.options import Options
from rustbucket_pipeline.analysis.digest import compose, judge
from rustbucket_pipeline.analysis.findings import find
from rustbucket_pipeline.analysis.prompt import question_of
from rustbucket_pipeline.analysis.templates import behaviour_of

KINDS = ("indicator", "severe", "ordinary")
FLOODS = (None, "junk", "severe")
THOUSANDS_OF_TOKENS = (8, 16, 24)
BYTES_A_TOKEN = 3
NOVELTIES = 1000
"""Harmless clusters that nobody did before, in every window."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Of the campaigns: how many the table holds; how many, and of a single session, each size of document shows.

    `others`: what simpler prompts of the largest size show; `raw`: the whole log.
    """

    held: int
    shown: dict[int, int]
    single: dict[int, int]
    bytes: dict[int, int]
    others: dict[str, int]
    raw: Raw


def evaluate(engine: Engine, seeded: Sequence[Campaign]) -> Recall:
    """Judge the window, compose a document of each size, and look which campaigns it shows."""
    shown, single, sizes = dict[int, int](), dict[int, int](), dict[int, int]()
    alone = [campaign for campaign in seeded if len(campaign.sessions) == 1]
    with engine.connect() as connection, connection.begin() as transaction:
        judged, findings = judge(connection, WINDOW), find(connection, WINDOW)
        own = {campaign: _rows_of(connection, campaign) for campaign in seeded}
        held = sum(map(bool, own.values()))
        for thousands in THOUSANDS_OF_TOKENS:
            most = thousands * 1000 * BYTES_A_TOKEN
            document = question_of(compose(connection, WINDOW, judged, most), findings, most).document
            ids = set(_ids_in(document))
            shown[thousands] = sum(bool(own[campaign] & ids) for campaign in seeded)
            single[thousands] = sum(bool(own[campaign] & ids) for campaign in alone)
            sizes[thousands] = len(document)
        others = {name: shown_by(connection, name, seeded, most) for name in BASELINES}
        raw = raw_log(connection)
        transaction.rollback()
    return Recall(held, shown, single, sizes, others, raw)


def _ids_in(document: str) -> Iterator[str]:
    """Of every indicator and cluster in the document as it is sent."""
    told = json.loads(document)
    yield from (row["id"] for row in (*told["indicators"], *told["clusters"]))
    yield from (line.split(" ", 1)[0] for lines in told["others"].values() for line in lines)


def _rows_of(connection: Connection, campaign: Campaign) -> set[str]:
    """The ids of the rows that show the campaign, from the tables; none: they don't hold it."""
    if campaign.indicator:
        query = text(
            "SELECT indicator_id FROM indicators WHERE window_start = :start AND is_new "
            "AND (value = :value OR value LIKE '%://' || :value || '/%')"
        )
        return set(connection.execute(query, {"start": WINDOW.start, "value": campaign.indicator}).scalars())
    fingerprint = behaviour_of("ssh", (), campaign.sessions[0].commands).fingerprint
    query = text("SELECT cluster_id FROM clusters WHERE window_start = :start AND is_new AND fingerprint = :value")
    return set(connection.execute(query, {"start": WINDOW.start, "value": fingerprint}).scalars())


def measure(engine: Engine, seed: int, events: int) -> Iterator[tuple[str, str, Recall]]:
    """One window of each kind, without and with each flood."""
    for drowned in FLOODS:
        for kind in KINDS:
            random, numbers = Random(f"{seed} {kind}"), numbering()
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    "TRUNCATE log_events, session_parts, window_builds, sightings, sighted_windows"
                )
                connection.exec_driver_sql("TRUNCATE window_counts, clusters, indicators")
            load_week(engine, random, events // 10, numbers)
            seeded = campaigns(random, kind)
            sessions = chain.from_iterable(campaign.sessions for campaign in seeded)
            usual = chain(background(random, events), novelties(random, NOVELTIES), sessions)
            load(engine, WINDOW, chain(usual, flood(random, drowned) if drowned else ()), numbers)
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
            yield kind, drowned or "none", evaluate(engine, seeded)


def measure_recall(options: Options) -> None:
    """Print each line as it is known: the digest's, and under it what simpler prompts of 24k tokens show."""
    sizes = "".join(f"{size:5}k" for size in THOUSANDS_OF_TOKENS)
    others = "".join(f"{name:>9}" for name in BASELINES)
    print(f"campaigns shown of 50 (20 of a single session) in windows of {options.events:,} events, by size of prompt;")
    print("beside it what simpler prompts of 24k tokens show, and the whole log's tokens and price")
    print(f"{'campaigns':10} {'flood':7} {'seed':>7} {'tables':>7} {sizes}  single, 24k {others}  raw", flush=True)
    with database(WINDOW.start) as engine:
        for seed in options.seeds():
            for kind, drowned, found in measure(engine, seed, options.events):
                shown = "".join(f"{found.shown[size]:6}" for size in THOUSANDS_OF_TOKENS)
                beside = "".join(f"{found.others[name]:9}" for name in BASELINES)
                raw = f"{found.raw.tokens / 1e6:.1f}M ${found.raw.dollars:.2f}"
                single = f"{found.single[24]:5} of 20"
                line = f"{kind:10} {drowned:7} {seed:7} {found.held:7} {shown}  {single} {beside}  {raw}"
                print(line, flush=True)
