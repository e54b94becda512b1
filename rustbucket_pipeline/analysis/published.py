"""A report as programs get it: what is stored, and what is kept beside it. Its schema is `docs/report.schema.json`."""

from datetime import datetime

from pydantic import Field

from rustbucket_pipeline.analysis.page import Part, Report
from rustbucket_pipeline.analysis.stored import Kept


class Usage(Part):
    """Tokens that this revision took; none where no call was made, or an answer was used again."""

    tokens_in: int = 0
    tokens_out: int = 0


class Published(Report):
    """One window's report. Attackers' text (`examples`, `value`, `second`, `quotes`) stands in it as they wrote it.

    `revision` and `made_at` are null in a report made at once, which isn't stored.
    """

    revision: int | None = None
    made_at: datetime | None = None
    request_ids: tuple[str, ...] = ()
    usage: Usage = Usage()
    cost_usd: float = Field(0.0, ge=0)


def published(report: Report, kept: Kept | None = None) -> Published:
    """The report for programs; `kept`: where it is stored."""
    said = {name: getattr(report, name) for name in Report.model_fields}
    if kept is None:
        return Published(**said)
    return Published(
        **said,
        revision=kept.revision,
        made_at=kept.made_at,
        request_ids=kept.request_ids,
        usage=Usage(tokens_in=kept.tokens_in, tokens_out=kept.tokens_out),
        cost_usd=kept.cost_usd,
    )


def json_schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of a published report."""
    schema = Published.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "A window's report"}
