"""Asks rustbuckets how they are, all at once, each within its own deadline. Nothing is written here.

Who failed again and again isn't asked before its pause is over (`net.breaker`).
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from rustbucket_pipeline.errors import FetchFailed, PermanentError
from rustbucket_pipeline.fleet.contract import LARGEST_ANSWER, Vitals, vitals_of
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.net import breaker
from rustbucket_pipeline.net.asking import UPDATE_BUCKET, endpoint_url, token_header
from rustbucket_pipeline.net.breaker import Circuit
from rustbucket_pipeline.net.fetch import Limits, fetch
from rustbucket_pipeline.net.guard import Guard
from rustbucket_pipeline.net.open_files import make_room


@dataclass(frozen=True, slots=True)
class Observation:
    """How one rustbucket was found to be. `latency_ms` and `vitals` only of one that answered by contract."""

    rustbucket_id: str
    outcome: Outcome
    detail: str | None = None
    latency_ms: int | None = None
    vitals: Vitals | None = None


@dataclass(frozen=True, slots=True)
class Poller:
    """What every question of a round shares. `token_of` may be called from any thread; `paused` aren't asked."""

    guard: Guard
    seconds: float
    token_of: Callable[[str], str | None]
    paused: Mapping[str, Circuit] = field(default_factory=dict[str, Circuit])

    def ask(self, rustbucket: Rustbucket) -> Observation:
        """One rustbucket's own answer, or why there is none."""
        try:
            breaker.check(self.paused, rustbucket.id)
            url = endpoint_url(rustbucket, UPDATE_BUCKET)
            headers = {"Accept": "application/json", **token_header(self.token_of(rustbucket.id))}
            answer = fetch(url, Limits(self.seconds, LARGEST_ANSWER), self.guard.asking(rustbucket.id), headers)
            vitals = vitals_of(answer)
        except FetchFailed as error:
            return Observation(rustbucket.id, Outcome(error.outcome), str(error))
        except PermanentError as error:
            return Observation(rustbucket.id, Outcome.BLOCKED, str(error))
        return Observation(rustbucket.id, Outcome.OK, None, round(answer.seconds * 1000), vitals)

    def ask_all(self, fleet: Sequence[Rustbucket]) -> tuple[list[Observation], list[BaseException]]:
        """One observation each, in order, and the errors of our own that a question ran into, to be raised later.

        Raises `ConfigurationError` when the machine allows too few connections; nobody was asked.
        """
        if not fleet:
            return [], []
        with ThreadPoolExecutor(make_room(len(fleet)), thread_name_prefix="poll") as pool:
            asked = [(rustbucket.id, pool.submit(self.ask, rustbucket)) for rustbucket in fleet]
        observations: list[Observation] = []
        errors: list[BaseException] = []
        for rustbucket_id, future in asked:
            if error := future.exception():
                errors.append(error)
                observations.append(Observation(rustbucket_id, Outcome.UNREACHABLE, f"not asked: {error!r}"))
            else:
                observations.append(future.result())
        return observations, errors
