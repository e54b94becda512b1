"""Log records as they are written: an hour of a rustbucket's life → records in order of writing.

What is forged inside a record is known here, because the attacker said so; no log is ever read back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from rustbucket_pipeline.demo.acts import Forgery, Visit, microseconds
from rustbucket_pipeline.demo.cast import SimulatedRustbucket, instance_name
from rustbucket_pipeline.demo.dialects.emission import Emission, Pace, Told
from rustbucket_pipeline.demo.playbook import Phase, visits_in


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that a reader of the log can't but take for one record. `told` is None where a forgery begins or
    tears it.

    `claimed`: the time in its head (microseconds), None where that can't count: then the record before lends its time.
    """

    data: bytes
    told: Told | None
    forged: bool
    claimed: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """One record as written, line breaks and all. `broken`: it can only end in quarantine.

    `absurd`: the time it claims can't be true (1970).
    """

    at: int
    data: bytes
    told: Told
    forgeries: tuple[Forgery, ...] = ()
    broken: bool = False
    absurd: bool = False

    def pieces(self) -> Iterator[Piece]:
        """The record, cut before every forged head in it."""
        heads = sorted(self._forged_heads(), key=lambda found: found[0])
        ends = [*(start for start, _ in heads), len(self.data)]
        claimed = None if self.absurd else self.at
        yield Piece(self.data[: ends[0]], None if heads else self.told, forged=False, claimed=claimed)
        for (start, forgery), end in zip(heads, ends[1:], strict=True):
            claimed = forgery.claimed if forgery.believed else None
            yield Piece(self.data[start:end], None, forged=True, claimed=claimed)

    def _forged_heads(self) -> Iterator[tuple[int, Forgery]]:
        for forgery in self.forgeries:
            line = b"\n" + forgery.line.encode()
            found = self.data.find(line)
            while found >= 0:
                yield found + 1, forgery
                found = self.data.find(line, found + 1)


def hour_lines(rustbucket: SimulatedRustbucket, hour: datetime, phase: Phase, seed: int) -> list[Line]:
    """Everything the rustbucket writes of what happens in that hour (UTC), but no boot, in order of writing."""
    visits = visits_in(seed, rustbucket.id, hour, phase, has_ssh=rustbucket.dialect.has_ssh)
    rng = Random(f"{seed}/{rustbucket.id}/{hour.isoformat()}/pace")
    lines = [line for visit in visits for line in _visit_lines(rustbucket, visit, rng)]
    lines += _hourly_round(rustbucket, hour, seed, rng)
    return sorted(lines, key=lambda line: line.at)


def boot_lines(rustbucket: SimulatedRustbucket, at: datetime, instance: str) -> list[Line]:
    """What the rustbucket writes when it starts at that moment (UTC)."""
    pace = Pace(microseconds(at), Random(instance))
    return [line_of(rustbucket, emission) for emission in rustbucket.dialect.boot(pace, instance)]


def line_of(rustbucket: SimulatedRustbucket, emission: Emission, forgeries: tuple[Forgery, ...] = ()) -> Line:
    """The record's bytes in the rustbucket's dialect."""
    return Line(emission.at, rustbucket.dialect.encode(emission), emission.told, forgeries)


def _visit_lines(rustbucket: SimulatedRustbucket, visit: Visit, rng: Random) -> Iterator[Line]:
    for emission in rustbucket.dialect.visit(visit, Pace(visit.at, rng)):
        yield line_of(rustbucket, emission, visit.forgeries)


def _hourly_round(rustbucket: SimulatedRustbucket, hour: datetime, seed: int, rng: Random) -> Iterator[Line]:
    if rustbucket.dialect.hourly_round is None:
        return
    pace = Pace(microseconds(hour) + 17_000_000, rng)
    uploaded = (hour - timedelta(hours=1)).strftime(rustbucket.dialect.file_name)
    for emission in rustbucket.dialect.hourly_round(pace, instance_name(seed, rustbucket.id, 0), uploaded):
        yield line_of(rustbucket, emission)
