"""Logs asked from the rustbucket itself: `GET {base_url}/extract_logs`. Off unless an operator allowed it.

The whole answer is taken into a temporary file first: within its limits, and before a byte of it is believed. An answer
that breaks the contract is no log. Where the rustbucket offers ranges, only what is new is asked for.
"""

import re
import tempfile
import time
import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import ClassVar

from rustbucket_pipeline.archive.sources.base import Held, HeldOf, Listing, SourceFile
from rustbucket_pipeline.archive.sources.directory import iter_blocks
from rustbucket_pipeline.errors import FetchFailed, IntegrityError, SourceUnavailable
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.net.asking import EXTRACT_LOGS, endpoint_url, token_header
from rustbucket_pipeline.net.fetch import Limits, Stream, stream_bytes
from rustbucket_pipeline.net.guard import Guard

KEY = "extract_logs"
CONTENT_TYPES = frozenset({"text/plain", "application/x-ndjson", "application/octet-stream"})

OVERLAP_BYTES = 64 * 1024
"""Known bytes that are asked for again: a range goes on from them, or the log is another one by now."""

_ETAG = re.compile(r'(?:W/)?"[!#-~]{1,200}"', re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:\d{1,18}|\*)", re.ASCII)


class HttpSource:
    """The log a rustbucket serves: one file that grows, and begins anew when it was rotated."""

    waits: ClassVar[bool] = True

    def __init__(self, rustbucket: Rustbucket, token: str | None, guard: Guard, limits: Limits) -> None:
        """Nothing is asked before `files`, which takes no longer than the limits say, however often it asks."""
        self._rustbucket = rustbucket
        self._token = token
        self._guard = guard
        self._limits = limits
        self._deadline = 0.0
        self._body = tempfile.TemporaryFile(prefix="rustbucket-")  # noqa: SIM115 (lives as long as the source)
        weakref.finalize(self, self._body.close)

    def files(self, held: HeldOf) -> Listing:
        """The log as served now. Raises `FetchFailed` with its outcome, `decoy` for a page instead of a log."""
        self._deadline = time.monotonic() + self._limits.seconds
        known = held(KEY)
        file = self._continued(known) if known is not None else None
        return Listing(complete=False, files=[file or self._fetched()])

    @contextmanager
    def open(self, file: SourceFile, start: int) -> Generator[Iterator[bytes]]:
        """The bytes taken by `files`, from `start` on."""
        self._body.seek(start)
        yield iter_blocks(self._body.read, file.size - start)

    def _fetched(self) -> SourceFile:
        """The whole log, asked for from its beginning."""
        with self._ask({}) as answer:
            _check(answer, 200)
            return self._take(answer, answer)

    def _continued(self, known: Held) -> SourceFile | None:
        """The log, if it goes on from what is known of it or is the same still; None: ask for all of it."""
        start = max(0, known.length - OVERLAP_BYTES)
        etag = known.etag.partition(" ")[2]
        unmodified = {"If-None-Match": etag} if etag and known.whole else {}
        with self._ask({"Range": f"bytes={start}-", **unmodified}) as answer:
            if answer.status == 304 and unmodified:
                return SourceFile(KEY, known.size, known.etag, None)
            if answer.status == 416:
                return None
            if answer.status != 206:
                _check(answer, 200)
                return self._take(answer, answer)
            _check(answer, 206)
            if not _begins_at(answer, start):
                return None
            try:
                return self._take(answer, _joined(known, answer, start))
            except IntegrityError:
                return None

    @contextmanager
    def _ask(self, headers: Mapping[str, str]) -> Generator[Stream]:
        url = endpoint_url(self._rustbucket, EXTRACT_LOGS)
        limits = replace(self._limits, seconds=self._deadline - time.monotonic())
        with stream_bytes(url, limits, self._guard, {**token_header(self._token), **headers}) as answer:
            yield answer

    def _take(self, answer: Stream, blocks: Iterable[bytes]) -> SourceFile:
        self._body.seek(0)
        self._body.truncate()
        digest, size = sha256(), 0
        for block in blocks:
            size += len(block)
            digest.update(block)
            self._keep(block)
        etag = answer.etag if answer.etag and _ETAG.fullmatch(answer.etag) else ""
        return SourceFile(KEY, size, f"{digest.hexdigest()} {etag}", None)

    def _keep(self, block: bytes) -> None:
        try:
            self._body.write(block)
            self._body.flush()
        except OSError as error:
            folder = tempfile.gettempdir()
            raise SourceUnavailable(f"{folder} has no room for its log: {error.strerror}; free some") from error


def _joined(known: Held, answer: Iterable[bytes], start: int) -> Iterator[bytes]:
    """What is known, and what of the answer follows it. Raises `IntegrityError` if they disagree where they overlap."""
    overlap, at = bytearray(), 0
    for block in known.blocks():
        overlap += block[max(0, start - at) :]
        at += len(block)
        yield block
    for block in answer:
        seen, rest = block[: len(overlap)], block[len(overlap) :]
        if not overlap.startswith(seen):
            raise IntegrityError("the range isn't what was known of the log; ask for all of it")
        del overlap[: len(seen)]
        if rest:
            yield rest
    if overlap:
        raise IntegrityError("the log is shorter than it was; ask for all of it")


def _begins_at(answer: Stream, start: int) -> bool:
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    return match is not None and int(match[1]) == start


def _check(answer: Stream, status: int) -> None:
    if answer.content_type == "text/html":
        raise FetchFailed("its decoy answered instead of a log", Outcome.DECOY)
    if answer.status != status:
        raise FetchFailed(f"it answered with status {answer.status}", Outcome.HTTP_ERROR)
    if answer.content_type not in CONTENT_TYPES:
        raise FetchFailed(f"it sent {answer.content_type[:60]!r} instead of a log", Outcome.INVALID)
