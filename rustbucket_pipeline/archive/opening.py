"""Which roads lead to a rustbucket's logs, and how each is opened. A new kind of source is one line here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
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
from rustbucket_pipeline.net import breaker
from rustbucket_pipeline.net.breaker import Circuit
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
    paused: Mapping[str, Circuit] | None = None,
) -> dict[str, Opener]:
    """How to open each rustbucket's sources. Nothing is contacted, and no token read, before an opener is called.

    `s3_client` is asked for a client of a region (None: S3 says where each bucket lies). `paused` aren't asked by HTTP.
    """
    guard = Guard.of(settings).among(fleet)

    def opener(rustbucket: Rustbucket) -> Iterator[Source]:
        yield from _uploaded(rustbucket, s3_client)
        if rustbucket.http_allowed and rustbucket.base_url:
            breaker.check(paused or {}, rustbucket.id)
            limits = Limits(settings.pull_deadline_seconds, settings.pull_max_bytes)
            yield HttpSource(rustbucket, token_of(rustbucket.id), guard.asking(rustbucket.id), limits)

    return {rustbucket.id: partial(opener, rustbucket) for rustbucket in fleet}


def _uploaded(rustbucket: Rustbucket, s3_client: Callable[[str | None], "S3Client"]) -> Iterator[Source]:
    url = urlsplit(rustbucket.logs_url or "")
    if url.scheme == "file":
        yield DirectorySource(_unmoved(Path(unquote(url.path))))
    elif url.scheme == "s3":
        yield S3Source(s3_client(rustbucket.s3_region), url.netloc, unquote(url.path), rustbucket.s3_owner)


def _unmoved(folder: Path) -> Path:
    """The directory as it was registered, below an allowed root: a link put in its way since leads nowhere."""
    if folder.resolve() != folder:
        raise SourceUnavailable(f"{folder} now leads to {folder.resolve()}; register the rustbucket's logs_url anew")
    return folder
