"""`python -m docs.event_schema`: writes `event.schema.json`, and the tables of `events.md`, from `events/schema.py`."""

import json
from collections.abc import Iterable, Iterator

from rustbucket_pipeline.events.schema import COLUMNS, DOUBTS, NOTES, TYPES, json_schema
from rustbucket_pipeline.settings import PROJECT_ROOT

SCHEMA = PROJECT_ROOT / "docs" / "event.schema.json"
PAGE = PROJECT_ROOT / "docs" / "events.md"
MARK = "<!-- {}: python -m docs.event_schema -->\n"
END = "<!-- end -->\n"


def schema() -> str:
    """The JSON Schema's text."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def page(text: str) -> str:
    """The page with its tables made anew."""
    for name, rows in _tables().items():
        mark = MARK.format(name)
        before, _, rest = text.partition(mark)
        _, _, after = rest.partition(END)
        text = f"{before}{mark}{''.join(rows)}{END}{after}"
    return text


def main() -> None:
    """Write both."""
    SCHEMA.write_text(schema(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _tables() -> dict[str, Iterator[str]]:
    columns = ((f"`{name}`", word.meaning, _codes(word.ecs)) for name, word in COLUMNS.items())
    types = ((f"`{name}`", kind.meaning, kind.counted, _codes(kind.ecs)) for name, kind in TYPES.items())
    return {
        "columns": _table(("column", "meaning", "ECS"), columns),
        "types": _table(("`event_type`", "what it is", "counted", "ECS category, type"), types),
        "notes": _table(("key", "meaning"), ((f"`{name}`", note.meaning) for name, note in NOTES.items())),
        "doubts": _table(("doubt", "when"), DOUBTS.items()),
    }


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n".replace("|  |", "| |")


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    main()
