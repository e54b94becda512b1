"""`rustbucket trace EVENT_ID`: an event, down to the bytes in the archive, on one screen."""

import typer
from rich.text import Text

from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, console, plain, print_json
from rustbucket_pipeline.errors import IntegrityError
from rustbucket_pipeline.events.trace import Link, Trace, trace_event
from rustbucket_pipeline.storage.objects import open_archive

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_COLUMNS = (
    "event_ts",
    "claimed_ts",
    "rustbucket_id",
    "dialect",
    "event_type",
    "protocol",
    "src_ip",
    "src_port",
    "username",
    "password",
    "command",
    "http_method",
    "http_path",
    "message",
    "fields",
    "trust",
)
_LONGEST = 600


@app.command()
def trace(
    event_id: str = typer.Argument(help="An event's id, or its first 8 digits or more."),
    json: bool = JsonOption,
) -> None:
    """Show an event's row, its segment, byte range and source, and check every hash on the way.

    Examples: `rustbucket trace 3f0c9a52`, `rustbucket trace 3f0c9a52 --json`.
    """
    with opened() as (engine, settings), engine.connect() as connection:
        found = trace_event(connection, open_archive(settings), event_id)
    if json:
        print_json(_document(found))
    else:
        for line in _lines(found):
            console.print(line, soft_wrap=True)
    if not found.holds:
        raise IntegrityError(
            f"event {found.row['event_id']} doesn't agree with its bytes; rebuild its hour, then look again"
        )


def _document(found: Trace) -> dict[str, object]:
    return {
        "event": dict(found.row),
        "source": dict(found.source),
        "segments": [_segment(link) for link in found.links],
        "record": found.record.decode("utf-8", "backslashreplace"),
        "record_sha256": found.sha256,
        "holds": found.holds,
    }


def _segment(link: Link) -> dict[str, object]:
    segment = link.segment
    return {"id": segment.id, "object": segment.object_key, "sha256": segment.sha256, "linked": link.linked}


def _lines(found: Trace) -> list[Text]:
    row, source = found.row, found.source
    lines = [_line("event", row["event_id"], ok=found.nth is not None)]
    lines += [_line(f"  {name}", row[name]) for name in _COLUMNS if row[name] is not None]
    for link in found.links:
        segment = link.segment
        lines += [
            _line(
                "segment",
                f"{segment.id}, bytes {segment.byte_start}–{segment.byte_end} of log {segment.log_id}",
                ok=link.linked,
            ),
            _line("  object", segment.object_key),
            _line("  sha256", segment.sha256, ok=True),
        ]
    lines += [
        _line("bytes", f"{row['byte_offset']}, {row['byte_length']} long"),
        _line("  sha256", found.sha256, ok=found.nth is not None),
        _line("source", f"{source['rustbucket']}: {source['logs_url'] or 'HTTP'} {source['key']}"),
        _line("  pulled", source["pulled_at"]),
        _line("record", found.record.decode("utf-8", "backslashreplace").rstrip("\n")),
    ]
    return lines


def _line(name: str, value: object, *, ok: bool | None = None) -> Text:
    shown = plain(value)
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}… ({len(shown)} characters)"
    mark = {None: "", True: "  ✓", False: "  ✗ does not agree"}[ok]
    return Text.assemble((f"{name:<15}", "bold"), shown, (mark, "green" if ok else "red"))
