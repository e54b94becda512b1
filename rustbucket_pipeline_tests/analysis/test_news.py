"""What is new comes first among findings that are equally bad."""

from datetime import timedelta

from sqlalchemy import Engine

from rustbucket_pipeline.analysis.digest import build_digest
from rustbucket_pipeline.analysis.findings import find
from rustbucket_pipeline_tests.analysis.seeding import NOW, WINDOW, command, fleet, tell

MINER = "nohup /tmp/xmrig -o stratum+tcp://pool.example.org:3333"
KEY = "echo ssh-ed25519 AAAA me >> ~/.ssh/authorized_keys"


def test_of_two_equally_bad_findings_the_one_that_names_something_new_leads(database: Engine) -> None:
    fleet(database, "BKT1")
    week_ago = WINDOW.start - timedelta(days=3)
    tell(database, [command(KEY, 10), command(KEY, week_ago), command(MINER, 20)])
    build_digest(database, WINDOW, NOW, None)
    with database.connect() as connection:
        found = [(finding.id, finding.rule) for finding in find(connection, WINDOW)[:2]]
    assert found == [("F1", "cryptominer"), ("F2", "authorized-keys")]


def test_without_anything_new_the_rules_own_order_stays(database: Engine) -> None:
    fleet(database, "BKT1")
    week_ago = WINDOW.start - timedelta(days=3)
    tell(database, [command(words, at) for words in (KEY, MINER) for at in (10, week_ago)])
    build_digest(database, WINDOW, NOW, None)
    with database.connect() as connection:
        assert [finding.rule for finding in find(connection, WINDOW)[:2]] == ["authorized-keys", "cryptominer"]
