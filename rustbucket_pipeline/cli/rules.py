"""`rustbucket rules`: what the analysis looks for, its tests, and the same as Sigma rules for other tools."""

from enum import StrEnum

import typer
from rich.text import Text

from rustbucket_pipeline.analysis.matching import failing_examples
from rustbucket_pipeline.analysis.rules import Rule, load_rules
from rustbucket_pipeline.analysis.severity import Severity
from rustbucket_pipeline.analysis.sigma import sigma_rules
from rustbucket_pipeline.cli.output import JsonOption, print_json, print_table, say
from rustbucket_pipeline.errors import UsageError

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="markdown")

COLUMNS = ("rule", "severity", "technique", "CVE", "what it finds")
_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}


class Format(StrEnum):
    """What rules are exported as."""

    SIGMA = "sigma"


@app.callback()
def rules() -> None:
    """What the analysis looks for: rules with ATT&CK techniques, severities and examples that are their tests."""


@app.command("list")
def list_rules(as_json: bool = JsonOption) -> None:
    """Every rule, worst first.

    Examples: `rustbucket rules list`, `rustbucket rules list --json`.
    """
    if as_json:
        print_json([rule.model_dump(mode="json") for rule in load_rules()])
        return
    print_table(COLUMNS, [_line(rule) for rule in load_rules()])


@app.command("test")
def hold_rules(name: str | None = typer.Argument(None, metavar="[RULE]", help="Its id. Default: all.")) -> None:
    """Hold every rule to its examples: it must match its hits and leave its near misses alone. Needs no database.

    Examples: `rustbucket rules test`, `rustbucket rules test cryptominer`. Ends with 1 where an example fails.
    """
    tested = [rule for rule in load_rules() if name in (None, rule.id)]
    if not tested:
        raise UsageError(f"there is no rule {name}; rustbucket rules list shows them")
    failures = [(rule.id, *failure) for rule in tested for failure in failing_examples(rule)]
    examples = sum(len(rule.examples.hits) + len(rule.examples.misses) for rule in tested)
    if failures:
        print_table(("rule", "what is wrong", "example"), failures)
    say(f"{len(tested)} rules, {examples} examples: {len(failures)} failed", style="red" if failures else "green")
    raise typer.Exit(bool(failures))


@app.command("export")
def export(format: Format = typer.Option(Format.SIGMA, help="What to write them as.")) -> None:  # noqa: A002
    """Write all rules that look at a text as Sigma rules: YAML documents, for tools that search logs.

    Fields are named as in ECS. What a rule counts stands in its description; Sigma's own rules count nothing.

    Example: `rustbucket rules export --format sigma > rules.yml`.
    """
    typer.echo(sigma_rules(load_rules()), nl=False)


def _line(rule: Rule) -> tuple[object, ...]:
    severity = Text(rule.severity.value, style=_STYLES[rule.severity])
    return rule.id, severity, rule.technique, ", ".join(rule.cve) or None, rule.title
