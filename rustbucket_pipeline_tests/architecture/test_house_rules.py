"""The house rules of DESIGN section 4 that no linter knows."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.environment import environment_table
from rustbucket_pipeline.settings import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "rustbucket_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))


def named(paths: list[Path]) -> list[object]:
    return [pytest.param(path, id=str(path.relative_to(PROJECT_ROOT))) for path in paths]


@pytest.mark.parametrize("path", named(MODULES))
def test_every_module_says_what_belongs_there_and_stays_below_300_lines(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), "no module docstring"
    assert source.count("\n") < 300


@pytest.mark.parametrize("path", named(MODULES))
def test_no_function_is_longer_than_a_screen(path: Path) -> None:
    for function in functions(path):
        assert (function.end_lineno or 0) - function.lineno < 60, function.name


@pytest.mark.parametrize("path", named(MODULES))
def test_nobody_reads_the_clock_or_the_environment_but_those_who_may(path: Path) -> None:
    allowed = {
        "settings.py",
        "cli",
        "defs",
        "history.py",
        "live.py",
        "migrations",
        "embedded.py",
        "embedded_account.py",
    }
    if allowed & set(path.relative_to(PACKAGE).parts):
        return
    for call in calls(path):
        assert call not in {"datetime.now", "time.time", "os.getenv", "os.environ.get"}, call


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_imports_run_downwards_only() -> None:
    linted = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


def test_the_readme_s_environment_table_is_the_settings_own() -> None:
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    for name, description in environment_table():
        assert f"| {name} | {description} |" in readme
