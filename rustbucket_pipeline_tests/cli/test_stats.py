"""`rustbucket stats`, as a person types it."""

import json

from sqlalchemy import Engine

from rustbucket_pipeline.cli.stats import spark
from rustbucket_pipeline.upkeep.statistics_figures import FIGURES
from rustbucket_pipeline_tests.cli.conftest import Command


def test_figures_are_a_line_each_and_unknown_ones_are_dashes(command: Command, database: Engine) -> None:
    ran = command("stats")
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert (ran.code, ran.err, len(lines)) == (0, "", len(FIGURES))
    assert lines[0] == ["fleet", "active rustbuckets", "0", "–", "–", "·············▁"]


def test_figures_as_json_have_their_units(command: Command, database: Engine) -> None:
    document = json.loads(command("stats", "--json").out)
    cost = next(one for one in document["figures"] if one["name"] == "claude_usd")
    assert (cost["unit"], cost["value"], cost["week_ago"], len(cost["days"])) == ("usd", 0, None, 14)


def test_the_highest_day_has_the_highest_bar_and_unknown_days_a_dot() -> None:
    assert spark([None, 0, 50, 100]) == "·▁▅█"
    assert spark([0, 0]) == "▁▁"
    assert spark([]) == ""
