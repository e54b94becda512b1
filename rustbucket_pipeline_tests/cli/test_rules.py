"""`rustbucket rules`: listed, held to their examples, exported."""

import json
import uuid

import pytest
import yaml

from rustbucket_pipeline.analysis.matching import failing_examples
from rustbucket_pipeline.analysis.rules import Rule, load_rules
from rustbucket_pipeline.analysis.sigma import sigma_rules
from rustbucket_pipeline_tests.cli.conftest import Command

READING = [rule for rule in load_rules() if rule.match.wanted]


def test_rules_are_listed_worst_first(command: Command) -> None:
    lines = command("rules", "list").out.splitlines()
    assert len(lines) == len(load_rules())
    assert lines[0].split("\t")[1] == "critical"
    assert any(line.split("\t")[3] == "CVE-2021-44228" for line in lines)


def test_rules_as_json_are_what_their_files_say(command: Command) -> None:
    told = json.loads(command("rules", "list", "--json").out)
    assert tuple(Rule.model_validate(rule) for rule in told) == load_rules()


def test_every_example_of_every_rule_holds_without_a_database(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSTBUCKET_DATABASE_URL", "postgresql://nowhere.invalid/none")
    ended = command("rules", "test")
    assert (ended.code, ended.out.endswith(": 0 failed\n")) == (0, True)


def test_one_rule_is_tested_by_its_id_and_an_unknown_one_is_a_mistake(command: Command) -> None:
    assert command("rules", "test", "cryptominer").out.startswith("1 rules, ")
    ended = command("rules", "test", "nothing")
    assert ended.code == 2
    assert "there is no rule nothing" in ended.err


def test_an_example_that_fails_is_named() -> None:
    rule = next(rule for rule in READING if rule.id == "cryptominer")
    examples = rule.examples.model_copy(update={"hits": ("ls", "xmrig"), "misses": ("minerd",)})
    failing = failing_examples(rule.model_copy(update={"examples": examples}))
    assert failing == [("is not matched", "ls"), ("is matched", "minerd")]


def test_the_export_is_sigma_with_what_searches_need(command: Command) -> None:
    documents = list(yaml.safe_load_all(command("rules", "export", "--format", "sigma").out))
    assert [document["name"] for document in documents] == [rule.id for rule in READING]
    for document in documents:
        uuid.UUID(document["id"])
        assert document["logsource"]["category"]
        assert document["level"] in {"informational", "low", "medium", "high", "critical"}
        assert document["tags"][0].startswith("attack.t1")
        names = set(document["detection"]) - {"condition"}
        assert names == set(document["detection"]["condition"].replace("not ", "").split(" and "))


def test_a_rule_keeps_its_sigma_id_and_says_what_it_counts() -> None:
    reuse = next(rule for rule in READING if rule.id == "credential-reuse")
    first, second = (next(yaml.safe_load_all(sigma_rules([reuse]))) for _ in range(2))
    assert first == second
    assert first["description"].endswith("At least 3 events, 1 texts, 3 rustbuckets, by credential.")
    assert first["detection"]["condition"] == "all and not filter"
