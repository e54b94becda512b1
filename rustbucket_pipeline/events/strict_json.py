"""JSON read exactly, for lines an attacker may have had a hand in: nothing is lost, guessed or taken twice.

Of a repeated key the first value counts; bytes that aren't UTF-8 come back as U+DC80…U+DCFF. What a record means is not
decided here.
"""

import json
from typing import cast

_DEEPEST = 16
_LONGEST_NUMBER = 32

Values = dict[str, object]
"""An object's members."""


class OddJson(ValueError):
    """Why a line can't be read, in the words of a quarantine reason."""


def exact_object(line: bytes) -> tuple[Values, list[str]]:
    """The object that a line is, and what is odd about it.

    Raises:
        OddJson: it is no object, or one that can't be read without guessing.
    """
    flags: list[str] = []

    def unique(pairs: list[tuple[str, object]]) -> Values:
        first: Values = {}
        for key, value in pairs:
            if key in first:
                flags.append("repeated key")
            else:
                first[key] = value
        return first

    text = line.decode("utf-8", "surrogateescape")
    try:
        found: object = json.loads(
            text, object_pairs_hook=unique, parse_constant=_refuse_number, parse_int=_whole, parse_float=_finite
        )
    except OddJson:
        raise
    except (ValueError, RecursionError):
        raise OddJson("JSON that is cut, glued or damaged") from None
    if _too_deep(found):
        raise OddJson("JSON nested too deeply")
    return members(found), flags


def members(value: object) -> Values:
    """The members of a value that must be an object.

    Raises:
        OddJson: it isn't.
    """
    if not isinstance(value, dict):
        raise OddJson("JSON that is no log record")
    return cast("Values", value)


def text_of(values: Values, name: str) -> str:
    """A member that must be a string, taken out.

    Raises:
        OddJson: it isn't there, or is no string.
    """
    value = values.pop(name, None)
    if not isinstance(value, str):
        raise OddJson("JSON that is no log record")
    return value


def _too_deep(value: object, depth: int = 0) -> bool:
    if depth > _DEEPEST:
        return True
    if isinstance(value, dict):
        return any(_too_deep(inner, depth + 1) for inner in cast("Values", value).values())
    return isinstance(value, list) and any(_too_deep(inner, depth + 1) for inner in cast("list[object]", value))


def _refuse_number(text: str) -> object:
    raise OddJson(f"JSON with {text} for a number")


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise OddJson("JSON with a number out of range")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if len(text) > _LONGEST_NUMBER or value in {float("inf"), float("-inf")}:
        raise OddJson("JSON with a number out of range")
    return value
