"""Where commands put rows: a table on a terminal, or CSV, JSON and Parquet on standard output or in a file."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rustbucket_pipeline.cli.output import print_table
from rustbucket_pipeline.errors import UsageError
from rustbucket_pipeline.events.export import Column, Format, Rows, shown, write_rows


def put_rows(form: Format, columns: Sequence[Column], rows: Rows, output: Path | None) -> None:
    """Write the rows in that form; `output` is a file that appears once it is whole, None standard output.

    Raises:
        UsageError: the file can't be written, a table was asked for in a file, or Parquet on a terminal.
    """
    if form is Format.TABLE:
        if output is not None:
            raise UsageError("a table is for the terminal; with --output choose --format csv, json, jsonl or parquet")
        print_table([column.name for column in columns], ([shown(value) for value in row] for row in rows))
        return
    if form is Format.PARQUET and output is None and sys.stdout.isatty():
        raise UsageError("Parquet is no text; name a file with --output, or redirect it")
    with _opened(output) as out:
        write_rows(form, columns, rows, out)


@contextmanager
def _opened(output: Path | None) -> Generator[BinaryIO]:
    """Standard output, or a file beside the named one that takes its place at the end."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(output)
    except OSError as error:
        raise UsageError(f"{output} can't be written ({error.strerror}); name another file") from error
    finally:
        part.unlink(missing_ok=True)
