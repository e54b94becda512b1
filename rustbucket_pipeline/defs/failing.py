"""How errors become Dagster's failures: in words for people, with a cause that `control/failed.py` finds again.

What may pass by itself is retried after seconds, in the same run; all else is the heal sensor's, per window.
"""

import random
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from traceback import walk_tb

import dagster as dg

from rustbucket_pipeline.control.failed import CAUSES
from rustbucket_pipeline.errors import RustbucketError, TransientError
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.model.window import Window

MOST_RETRIES = 3
FIRST_PAUSE_SECONDS = 2.0
"""Of what may pass by itself: three more tries within half a minute; later ones are the heal sensor's."""

LONGEST_WHY = 500

PACKAGE = "rustbucket_pipeline/"


@contextmanager
def as_failure(context: dg.AssetExecutionContext, first_pause: float = FIRST_PAUSE_SECONDS) -> Generator[None]:
    """Turn errors into Dagster's: people read a message, not a traceback, and only what may pass by itself is retried.

    A retry comes after seconds, in the same run; its pool is free meanwhile. An op's `RetryPolicy` won't do: it starts
    a step again that a person cancelled.
    """
    failure = None
    try:
        yield
    except dg.Failure as error:
        failure = error
    except Exception as error:  # noqa: BLE001 (whatever it is, people read one line; the run's log keeps the rest)
        failure = failure_of({"": error}, str(error) if isinstance(error, RustbucketError) else "")
        failure.__cause__ = error
    if failure is None:
        return
    if failure.allow_retries:
        wait = pause_before(context.retry_number, first_pause, random.random())
        raise dg.RetryRequested(max_retries=MOST_RETRIES, seconds_to_wait=wait) from failure
    raise failure


def pause_before(retries: int, first_pause: float, chance: float) -> float:
    """Seconds before the next try: twice as long each time, and by chance (0 … 1) up to half as much more or less."""
    return first_pause * 2**retries * (0.5 + chance)


def failure_of(failed: Mapping[str, Exception], description: str = "") -> dg.Failure:
    """The failure of these windows by key, or of all that was asked; retried only if each may pass by itself."""
    causes = {key: _cause(error) for key, error in failed.items()}
    named = "; ".join(f"{key}: {why}" if key else why for key, (_, why) in causes.items())
    return dg.Failure(
        description=description or (named if "" in failed else f"{len(failed)} windows failed: {named}"),
        metadata={CAUSES: dg.MetadataValue.json(causes)},
        allow_retries=all(isinstance(error, TransientError) for error in failed.values()),
    )


def _cause(error: Exception) -> tuple[str, str]:
    """What the failure is called, and why. A stranger's message may hold secrets: its place has to do."""
    if isinstance(error, RustbucketError):
        return type(error).__name__, bounded(str(error), LONGEST_WHY)
    place = place_of(error)
    return place, f"unexpected: {place}; the run's log has more"


def place_of(error: BaseException) -> str:
    """Of an unexpected error: its name, and where in our code it came up."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__) if PACKAGE in frame.f_code.co_filename]
    if not frames:
        return type(error).__name__
    code = frames[-1].f_code
    return f"{type(error).__name__} in {code.co_filename.partition(PACKAGE)[2]}, {code.co_name}"


def each_window(
    context: dg.AssetExecutionContext,
    windows: Iterable[Window],
    *passes: Callable[[Window], Iterator[dg.AssetMaterialization]],
) -> Iterator[dg.AssetMaterialization]:
    """Build every window, each on its own; fail at the end with the names of those that failed.

    Each pass goes over all windows; one that failed is left out of the passes after it.

    Raises:
        dagster.Failure: at least one window failed; retried only if every failure was transient.
    """
    failed: dict[str, Exception] = {}
    done = _reported(context) if context.retry_number else set[str]()
    for build, window in product(passes, list(windows)):
        if window.key in done or window.key in failed:
            continue
        try:
            yield from build(window)
        except RustbucketError as error:
            failed[window.key] = error
            context.log.error("%s: %s", window, error)  # noqa: TRY400 (our errors say it all in one line)
        except Exception as error:
            failed[window.key] = error  # a bug that one window meets stops no other
            context.log.exception("%s: unexpected", window)
    if failed:
        raise failure_of(failed)


def _reported(context: dg.AssetExecutionContext) -> set[str]:
    """Windows that an earlier try of this run has built and reported, of every asset it is to build."""
    records = context.instance.get_records_for_run(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    ).records
    events = (record.event_log_entry.dagster_event for record in records)
    times = Counter(event.partition for event in events if event and event.partition)
    return {key for key, count in times.items() if count >= len(context.selected_asset_keys)}
