"""Every kind of alert has its words, is in the manual, and whatever is opened somewhere is closed somewhere."""

import ast
from collections.abc import Iterator

from docs.alerts import PAGE, kinds_table
from rustbucket_pipeline.alerts.kinds import Kind
from rustbucket_pipeline.settings import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "rustbucket_pipeline"


def kinds_near(function: str) -> set[str]:
    """Kinds named in modules that call the book's function: there they are opened, or closed."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if function in set(called(tree)):
            found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_kind(node)}
    return found


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def is_kind(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "Kind"


def test_every_kind_that_is_opened_somewhere_is_closed_somewhere() -> None:
    opened, closed = kinds_near("raise_"), kinds_near("clear")
    assert {"RUN_FAILED", "GAP_UNFILLABLE", "SILENT_SENSOR", "TARGET_FAILED"} <= opened
    assert opened - closed == set()


def test_every_kind_says_what_it_means_and_what_closes_it() -> None:
    assert all(kind.meaning and kind.ends and kind.severity for kind in Kind)
    assert len({kind.meaning for kind in Kind}) == len(Kind)


def test_the_manual_s_table_is_the_kinds_own() -> None:
    assert kinds_table() in PAGE.read_text(encoding="utf-8")
