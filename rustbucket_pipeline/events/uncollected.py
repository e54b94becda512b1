"""No garbage collection while a block of records is read: thousands of values are made at once, none in a cycle.

The collector would look at all of them time and again. Nothing else belongs here.
"""

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def uncollected(work: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Work during which garbage isn't collected; afterwards it is as it was before."""

    @wraps(work)
    def alone(*args: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
        was_on = gc.isenabled()
        gc.disable()
        try:
            return work(*args, **named)
        finally:
            if was_on:
                gc.enable()

    return alone
