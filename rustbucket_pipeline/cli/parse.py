"""`rustbucket parse`: what log files say, record by record, without a database. It opens files and writes rows."""

import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from rustbucket_pipeline.archive.decode import Content
from rustbucket_pipeline.archive.names import period_of
from rustbucket_pipeline.cli.output import errors, plain
from rustbucket_pipeline.cli.rows import put_rows
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.events.dialects import DIALECTS
from rustbucket_pipeline.events.export import Format
from rustbucket_pipeline.events.files import COLUMNS, FileRecord, LogFile
from rustbucket_pipeline.events.own import Networks, collectors_of
from rustbucket_pipeline.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

STANDARD_INPUT = "-"
_BLOCK_BYTES = 1 << 19


class Form(StrEnum):
    """How records are written."""

    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


@app.command()
def parse(
    files: Annotated[list[str], typer.Argument(help="Log files, `.gz` and `.zst` too; `-` is standard input.")],
    form: Annotated[Form, typer.Option("--format", help="`parquet` needs a file.")] = Form.JSONL,
    dialect: Annotated[
        list[str] | None, typer.Option(help="Only records of this one; the others are told as such. May be repeated.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="A file instead of standard output.")] = None,
) -> None:
    """What log files say, a row per record, in the order of their bytes: no database, no set-up.

    A row has the file, offset and length of its bytes, the dialect, the time as the record claims it, what
    `docs/events.md` lists, `message` and `fields` whole, and `trust`; bytes that are no record have a `reason`. Times
    count within what a name like `rustbucket.log.2026-03-02-00` vouches for, else as claimed. Secrets of ours are
    taken out. The exit code is 1 if a file couldn't be read to its end.

    Examples: `rustbucket parse rustbucket.log.2026-03-02-00 > records.jsonl`,
    `zstdcat old/*.zst | rustbucket parse - --format csv`, `rustbucket parse *.gz --format parquet --output all.pq`.
    """
    known = {one.name for one in DIALECTS}
    if unknown := [name for name in dialect or () if name not in known]:
        raise UsageError(f"--dialect {unknown[0]!r}: no such dialect; there are {', '.join(sorted(known))}")
    reading = _Reading(files, frozenset(dialect or ()), tuple(collectors_of(load_settings())))
    put_rows(Format(form.value), COLUMNS, reading.records(), output)
    if reading.failed:
        raise typer.Exit(1)


class _Reading:
    """The files one after the other; one that can't be read is told, and the others go on."""

    def __init__(self, files: list[str], dialects: frozenset[str], collectors: Networks) -> None:
        self.failed = False
        self._collectors = collectors
        self._files = files
        self._dialects = dialects

    def records(self) -> Iterator[FileRecord]:
        for name in self._files:
            try:
                with _blocks(name) as blocks:
                    content = Content(blocks)
                    file = LogFile(name, content, period_of(name), self._dialects, self._collectors)
                    yield from file.records()
            except OSError as error:
                self._fail(name, f"can't be read: {error.strerror or error}")
                continue
            if content.broken:
                self._fail(name, content.broken)
            _tell(file)

    def _fail(self, name: str, why: str) -> None:
        self.failed = True
        errors.print(plain(f"{name}: {why}"), style="red", markup=False, soft_wrap=True)


def _tell(file: LogFile) -> None:
    """What became of a file, for the person who waits."""
    tally = file.tally
    parts = [f"{tally.events:,} events"]
    for number, what in (
        (tally.quarantined, f"quarantined ({tally.quarantined_bytes:,} bytes)"),
        (tally.suspects, "taken for forgeries"),
        (tally.unknown_messages, "of unknown messages"),
    ):
        parts += [f"{number:,} {what}"] if number else []
    errors.print(
        plain(f"{file.name}: {', '.join(parts)} in {tally.archived_bytes:,} bytes"), markup=False, soft_wrap=True
    )


@contextmanager
def _blocks(name: str) -> Generator[Iterator[bytes]]:
    """A file's bytes; for a large one a bar shows how far that is, on a terminal where nothing else is printed."""
    with ExitStack() as stack:
        stream: BinaryIO = sys.stdin.buffer if name == STANDARD_INPUT else stack.enter_context(Path(name).open("rb"))
        blocks = iter(partial(stream.read, _BLOCK_BYTES), b"")
        if name == STANDARD_INPUT or not sys.stderr.isatty() or sys.stdout.isatty():
            yield blocks
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        progress = stack.enter_context(Progress(*columns, console=errors, transient=True))
        task = progress.add_task(plain(Path(name).name), total=Path(name).stat().st_size)
        yield _counted(blocks, partial(progress.advance, task))


def _counted(blocks: Iterator[bytes], advance: partial[None]) -> Iterator[bytes]:
    for block in blocks:
        yield block
        advance(len(block))
