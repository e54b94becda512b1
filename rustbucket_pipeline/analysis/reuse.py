"""When Claude needn't be asked: the window's newest report says the same, or an earlier answer is about the same."""

from typing import Any

from sqlalchemy import Connection, Row, select

from rustbucket_pipeline.analysis.explain import Explanation
from rustbucket_pipeline.analysis.page import Report
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.analysis_tables import log_analyses

USED_AGAIN = "used again: findings and indicators are the same"


def stored_explanation(
    connection: Connection, newest: Row[Any] | None, window: Window, key: str, question: str
) -> Explanation | None:
    """The explanation that still holds; None where Claude is to be asked. `newest`: the newest revision's row."""
    if newest is not None and newest.analysis_key == key:
        stored = Report.model_validate(newest.report)
        if not stored.claude.retry:
            return Explanation(stored.prose, stored.claude)
    answered = connection.execute(
        select(log_analyses.c.report)
        .where(log_analyses.c.window_start == window.start, log_analyses.c.question_key == question)
        .where(log_analyses.c.status != "deterministic")
        .order_by(log_analyses.c.revision.desc())
        .limit(1)
    ).scalar_one_or_none()
    return None if answered is None else _used_again(Report.model_validate(answered))


def _used_again(report: Report) -> Explanation:
    return Explanation(report.prose, report.claude.model_copy(update={"outcome": USED_AGAIN}))
