"""Logs asked from the rustbucket itself: `GET {base_url}/extract_logs`. Off unless an operator allowed it.

The whole answer is taken into a temporary file first: within its limits, and before a byte of it is believed. An answer
that breaks the contract is no log.
"""

import tempfile
import weakref
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from hashlib import sha256

from rustbucket_pipeline.archive.sources.base import SourceFile
from rustbucket_pipeline.archive.sources.directory import iter_blocks
from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.net.asking import EXTRACT_LOGS, endpoint_url, token_header
from rustbucket_pipeline.net.fetch import Limits, stream_bytes
from rustbucket_pipeline.net.guard import Guard

KEY = "extract_logs"
CONTENT_TYPES = frozenset({"text/plain", "application/x-ndjson", "application/octet-stream"})


class HttpSource:
    """The log a rustbucket serves: one file that grows, and begins anew when it was rotated."""

    def __init__(self, rustbucket: Rustbucket, token: str | None, guard: Guard, limits: Limits) -> None:
        """Nothing is asked before `files`."""
        self._rustbucket = rustbucket
        self._token = token
        self._guard = guard
        self._limits = limits
        self._body = tempfile.TemporaryFile(prefix="rustbucket-")  # noqa: SIM115 (lives as long as the source)
        weakref.finalize(self, self._body.close)

    def files(self) -> list[SourceFile]:
        """The log as served now. Raises `FetchFailed` with its outcome, `decoy` for a page instead of a log."""
        self._body.seek(0)
        self._body.truncate()
        digest, size = sha256(), 0
        url = endpoint_url(self._rustbucket, EXTRACT_LOGS)
        with stream_bytes(url, self._limits, self._guard, token_header(self._token)) as answer:
            _check(answer.status, answer.content_type)
            for block in answer:
                size += len(block)
                digest.update(block)
                self._body.write(block)
        return [SourceFile(KEY, size, digest.hexdigest(), None)]

    @contextmanager
    def open(self, file: SourceFile, start: int) -> Generator[Iterator[bytes]]:
        """The bytes taken by `files`, from `start` on."""
        self._body.seek(start)
        yield iter_blocks(self._body.read, file.size - start)


def _check(status: int, content_type: str) -> None:
    if content_type == "text/html":
        raise FetchFailed("its decoy answered instead of a log", Outcome.DECOY)
    if status != 200:
        raise FetchFailed(f"it answered with status {status}", Outcome.HTTP_ERROR)
    if content_type not in CONTENT_TYPES:
        raise FetchFailed(f"it sent {content_type[:60]!r} instead of a log", Outcome.INVALID)
