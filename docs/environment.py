"""`python -m docs.environment`: writes the README's environment table anew from `settings.py`, which has every word."""

from collections.abc import Iterator

from pydantic import AliasChoices

from rustbucket_pipeline.alert_settings import AlertSettings
from rustbucket_pipeline.claude_settings import ClaudeSettings
from rustbucket_pipeline.retention_settings import RetentionSettings
from rustbucket_pipeline.settings import PROJECT_ROOT, Settings
from rustbucket_pipeline.upkeep_settings import UpkeepSettings

README = PROJECT_ROOT / "README.md"
BEGIN, END = "<!-- environment: python -m docs.environment -->\n", "<!-- end of environment -->\n"


def main() -> None:
    """Replace what stands between the two marks."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = "".join(f"| {name} | {description} |\n" for name, description in environment_table())
    README.write_text(f"{before}{BEGIN}| variable | what it sets |\n|---|---|\n{rows}{END}{after}", encoding="utf-8")


def environment_table() -> Iterator[tuple[str, str]]:
    """Every variable and what it does, for the README."""
    fields = Settings.model_fields
    for name in sorted(fields, key=_part):
        field = fields[name]
        alias = field.validation_alias
        if isinstance(alias, AliasChoices):
            yield " or ".join(f"`{choice}`" for choice in alias.choices), field.description or ""


def _part(name: str) -> int:
    """Which part of the table a setting belongs to: the pipeline's, Claude's, retention's, upkeep's, the alerts'."""
    parts = (ClaudeSettings, RetentionSettings, UpkeepSettings, AlertSettings)
    return next((place for place, part in enumerate(parts, start=1) if name in part.model_fields), 0)


if __name__ == "__main__":
    main()
