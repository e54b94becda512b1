"""`python -m docs.report_schema`: writes `report.schema.json` from `analysis/published.py`."""

import json

from rustbucket_pipeline.analysis.published import json_schema
from rustbucket_pipeline.settings import PROJECT_ROOT

SCHEMA = PROJECT_ROOT / "docs" / "report.schema.json"


def schema() -> str:
    """The JSON Schema's text."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it."""
    SCHEMA.write_text(schema(), encoding="utf-8")


if __name__ == "__main__":
    main()
