"""`rustbucket trace ID`: an event, down to the bytes in the archive and at their source, on one screen.

Of what a report says (`F1`, `C2`, `I3`): the events it rests on, and the first of them so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from rustbucket_pipeline.analysis.evidence import Evidence, evidence_of, is_report_id
from rustbucket_pipeline.archive.at_source import still_holds
from rustbucket_pipeline.archive.opening import openers
from rustbucket_pipeline.archive.sources.base import SourceFile
from rustbucket_pipeline.archive.sources.http import KEY as HTTP_KEY
from rustbucket_pipeline.cli.opening import opened
from rustbucket_pipeline.cli.output import JsonOption, console, plain, print_json
from rustbucket_pipeline.errors import IntegrityError, SourceUnavailable
from rustbucket_pipeline.events.export import shown
from rustbucket_pipeline.events.trace import Link, Trace, trace_event
from rustbucket_pipeline.fleet import registry
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.settings import Settings
from rustbucket_pipeline.storage.objects import open_archive

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_COLUMNS = (
    "rustbucket_id",
    "event_ts",
    "claimed_ts",
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
_LONGEST = 400
_LONGEST_RECORD = 1200


@app.command()
def trace(
    identifier: str = typer.Argument(
        metavar="ID", help="An event's id, or its first 8 digits or more; or F1, C2, I3 of a report."
    ),
    as_json: bool = JsonOption,
) -> None:
    """Show an event's row, its segment, byte range and source, and check every hash on the way.

    The row's id is computed again from the bytes, the archived object read again, its link in the log's hash chain
    recomputed, and the source asked whether it still holds these bytes (not over HTTP). Of a finding, cluster or
    indicator (of the newest report, or of a window's: `2026-03-02-04:00/F1`) all named events are held to their bytes,
    and the first one is shown. The exit code is 1 unless rows and archive agree; sources may forget.

    Examples: `rustbucket trace 3f0c9a52`, `rustbucket trace F1`, `rustbucket trace 3f0c9a52 --json`.
    """
    with opened() as (engine, settings), engine.connect() as connection:
        evidence = evidence_of(connection, identifier) if is_report_id(identifier) else None
        archive = open_archive(settings)
        rows = (identifier,) if evidence is None else evidence.rows
        traces = [trace_event(connection, archive, row) for row in rows]
        rustbucket = registry.get(connection, str(traces[0].row["rustbucket_id"]))
    found = traces[0]
    today = _today(settings, rustbucket, found)
    if as_json:
        print_json(_document(found, today) if evidence is None else _said(evidence, traces, today))
    else:
        for line in (*(() if evidence is None else _claim(evidence, traces)), *_lines(found, today)):
            console.print(line, soft_wrap=True)
    broken = [str(one.row["event_id"]) for one in traces if not one.holds]
    if broken:
        raise IntegrityError(f"event {broken[0]} doesn't agree with its bytes; rebuild its hour, then look again")


def _claim(evidence: Evidence, traces: Sequence[Trace]) -> Iterator[Text]:
    """What the report says, and which events that rests on."""
    severity = f" ({evidence.severity})" if evidence.severity else ""
    yield _line(evidence.kind, f"{evidence.id} of {evidence.window.key}{severity}")
    yield _line("  says", bounded(evidence.told, _LONGEST))
    yield _line("  rests on", f"{len(traces)} events named, of {evidence.events:,}")
    for one in traces:
        place = f"{one.row['event_id']}  {one.row['rustbucket_id']} {shown(one.row['event_ts'])}"
        yield _line("    row", place, one.holds, "holds", "doesn't agree with its bytes")
    yield Text("the first of them:")


def _said(evidence: Evidence, traces: Sequence[Trace], today: str) -> dict[str, object]:
    named = {"id": evidence.id, "window": evidence.window.key, "kind": evidence.kind, "says": evidence.told}
    rows = [{"event_id": one.row["event_id"], "holds": one.holds} for one in traces]
    counts = {"severity": evidence.severity, "events": evidence.events}
    return {**named, **counts, "rows": rows, "first": _document(traces[0], today)}


def _today(settings: Settings, rustbucket: Rustbucket, found: Trace) -> str:
    """What is at the source now instead of the archived bytes; empty: these bytes."""
    origin = found.origin
    if found.sha256 is None or rustbucket.logs_url is None or origin.etag is None or origin.key == HTTP_KEY:
        return "not asked again"
    offset, length = int(str(found.row["byte_offset"])), int(str(found.row["byte_length"]))
    opener = openers([rustbucket], settings, partial(_s3_client, settings), lambda _: None)[rustbucket.id]
    try:
        uploaded = next(iter(opener()))
        file = SourceFile(origin.key, origin.size, origin.etag, None)
        return still_holds(uploaded, file, offset, length, found.sha256)
    except SourceUnavailable as error:
        return str(error)


def _s3_client(settings: Settings, region: str | None) -> "S3Client":
    """A client that gives up soon: whoever traces is waiting."""
    import boto3  # imported here: half a second that only S3 sources pay
    from botocore.config import Config

    soon = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 1})
    session = boto3.Session(region_name=region)
    return session.client("s3", endpoint_url=settings.s3_endpoint, config=soon)  # pyright: ignore[reportUnknownMemberType]


def _document(found: Trace, today: str) -> dict[str, object]:
    return {
        "event": dict(found.row),
        "segments": [_segment(link) for link in found.links],
        "source": {**asdict(found.origin), "still_holds_it": not today, "today": today or None},
        "record": None if found.record is None else found.record.decode("utf-8", "backslashreplace"),
        "record_sha256": found.sha256,
        "nth": found.nth,
        "holds": found.holds,
    }


def _segment(link: Link) -> dict[str, object]:
    one = link.segment
    place = {"id": one.id, "log": one.log_id, "byte_start": one.byte_start, "byte_end": one.byte_end}
    return {**place, "object": one.object_key, "sha256": one.sha256, "linked": link.linked, "fault": link.fault or None}


def _lines(found: Trace, today: str) -> Iterator[Text]:
    row, origin = found.row, found.origin
    yield _line(
        "event", row["event_id"], found.nth is not None, "is the hash of the bytes below", "isn't of these bytes"
    )
    for name in _COLUMNS:
        if row[name] is not None:
            yield _line(f"  {name}", bounded(str(shown(row[name])), _LONGEST))
    for link in found.links:
        one = link.segment
        where = f"{one.id}: bytes {one.byte_start:,} to {one.byte_end:,} of log {one.log_id}"
        yield _line("segment", where, link.linked, "linked to the one before", "its link in the chain is broken")
        yield _line("  object", one.object_key)
        yield _line("  sha256", one.sha256, not link.fault, "read again: the same", link.fault)
    place = f"{row['byte_length']:,} from {row['byte_offset']:,} on, in that log"
    yield _line("bytes", place, found.record is not None, "found there", "lost")
    if found.sha256 is not None:
        yield _line("  sha256", found.sha256)
    yield _line("source", f"{origin.rustbucket}, {origin.url or 'by HTTP'}")
    yield _line("  file", origin.key)
    yield _line("  pulled", shown(origin.pulled_at))
    yield _line("  now", today or "still holds these bytes", None if today else True)
    if found.record is not None:
        yield _line("record", bounded(found.record.decode("utf-8", "backslashreplace").rstrip("\n"), _LONGEST_RECORD))


def _line(name: str, value: object, ok: bool | None = None, good: str = "", bad: str = "") -> Text:
    """A name, what it stands for, and whether that was found right."""
    line = Text.assemble((f"{name:<17}", "bold"), plain(value))
    if ok is not None:
        line.append(f"  ✓ {good}".rstrip() if ok else f"  ✗ {plain(bad)}", style="green" if ok else "bold red")
    return line
