"""How sure a rate of so many in so many is."""

from math import sqrt

_Z = 1.959964
"""Of a normal distribution, 95 % lie within so many standard deviations."""


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a rate; all of it where nothing was tried."""
    if not trials:
        return 0.0, 1.0
    rate, square = hits / trials, _Z * _Z
    middle = rate + square / (2 * trials)
    spread = _Z * sqrt(rate * (1 - rate) / trials + square / (4 * trials * trials))
    scale = 1 + square / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def rate_line(name: str, hits: int, trials: int) -> str:
    """A rate in words, with its interval."""
    low, high = wilson(hits, trials)
    share = hits / trials if trials else 0.0
    return f"  {name}: {hits} of {trials} ({share:.0%}; 95 %: {low:.0%} to {high:.0%})"
