"""Which roads lead to a rustbucket's logs, and how each is opened. A new kind of source is one line here."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from rustbucket_pipeline.archive.fleet_pull import Opener
from rustbucket_pipeline.archive.sources.base import Source
from rustbucket_pipeline.archive.sources.directory import DirectorySource
from rustbucket_pipeline.archive.sources.http import HttpSource
from rustbucket_pipeline.archive.sources.s3 import S3Source
from rustbucket_pipeline.errors import SourceUnavailable
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.net.fetch import Limits
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def openers(
    fleet: Sequence[Rustbucket],
    settings: Settings,
    s3_client: Callable[[str | None], "S3Client"],
    token_of: Callable[[str], str | None],
) -> dict[str, Opener]:
    """How to open each rustbucket's sources. Nothing is contacted, and no token read, before an opener is called.

    `s3_client` is asked for a client of a region (None: S3 says where each bucket lies).
    """
    return {
        rustbucket.id: lambda rustbucket=rustbucket: list(_sources(rustbucket, settings, s3_client, token_of))
        for rustbucket in fleet
    }


def _sources(
    rustbucket: Rustbucket,
    settings: Settings,
    s3_client: Callable[[str | None], "S3Client"],
    token_of: Callable[[str], str | None],
) -> Iterator[Source]:
    url = urlsplit(rustbucket.logs_url or "")
    if url.scheme == "file":
        yield DirectorySource(_unmoved(Path(unquote(url.path))))
    elif url.scheme == "s3":
        yield S3Source(s3_client(rustbucket.s3_region), url.netloc, unquote(url.path), rustbucket.s3_owner)
    if rustbucket.http_allowed and rustbucket.base_url:
        limits = Limits(settings.pull_deadline_seconds, settings.pull_max_bytes)
        yield HttpSource(rustbucket, token_of(rustbucket.id), Guard.of(settings), limits)


def _unmoved(folder: Path) -> Path:
    """The directory as it was registered, below an allowed root: a link put in its way since leads nowhere."""
    if folder.resolve() != folder:
        raise SourceUnavailable(f"{folder} now leads to {folder.resolve()}; register the rustbucket's logs_url anew")
    return folder
