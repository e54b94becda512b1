"""What a rustbucket's `update_bucket` answers, by contract; and how to tell its decoy's answers from it.

An answer is numbers about a machine and nothing else: whatever else it says is dropped unread.
"""

import json
import re
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.text import bounded
from rustbucket_pipeline.net.fetch import Answer

LARGEST_ANSWER = 64 * 1024
"""Bytes."""
MOST_UPDATES = 1000

DECOY_PATHS = frozenset(
    {
        *("/", "/index.html", "/index.php", "/admin", "/administrator", "/login", "/login.php", "/robots.txt"),
        *("/wp-admin", "/wp-login.php", "/phpmyadmin", "/.env", "/.git/config"),
    }
)
"""Paths that Rustbucket's decoy web server answers itself."""

_PERCENT = re.compile(r"\s*([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%?\s*", re.ASCII)
_AMOUNT = re.compile(r"\s*[0-9]{1,9}(?:\.[0-9]{1,9})?\s*[KMGTP]?i?B\s*", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(r"([0-9]{1,9})\s*(d|h|m|s)[a-z]*[\s,]*", re.ASCII)
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def _percent(value: object) -> object:
    if isinstance(value, str):
        found = _PERCENT.fullmatch(value)
        return found[1] if found else value
    return _number(value)


def _disk(value: object) -> object:
    """The registry also allowed a size such as `100GB`, which says nothing of how full it is."""
    return None if isinstance(value, str) and _AMOUNT.fullmatch(value) else _percent(value)


def _duration(value: object) -> object:
    if isinstance(value, str) and not value.strip().isdigit():
        text, parts = value.strip().lower(), _DURATION.findall(value.strip().lower())
        whole = _DURATION.sub("", text) == ""
        return sum(int(count) * _SECONDS[unit] for count, unit in parts) if parts and whole else value
    return int(value) if isinstance(value, float) and abs(value) < 1e12 else _number(value)


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is expected")  # noqa: TRY004 (pydantic turns only this into a problem of the field)
    return value


def _named(*names: str) -> AliasChoices:
    return AliasChoices(*names)


Percent = Annotated[float, Field(ge=0, le=100)]
Seconds = Annotated[int, Field(ge=0, le=10**10)]
Count = Annotated[int, Field(ge=0, le=10**9)]


class Vitals(BaseModel):
    """How a rustbucket says its machine is: percent in use, seconds up, open connections. None: it didn't say."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, hide_input_in_errors=True)

    cpu: Annotated[Percent | None, BeforeValidator(_percent)] = Field(None, validation_alias=_named("cpu_usage", "cpu"))
    memory: Annotated[Percent | None, BeforeValidator(_percent)] = Field(
        None, validation_alias=_named("memory_usage", "memory")
    )
    disk: Annotated[Percent | None, BeforeValidator(_disk)] = Field(
        None, validation_alias=_named("disk_usage", "disk_space", "disk")
    )
    uptime_seconds: Annotated[Seconds | None, BeforeValidator(_duration)] = Field(
        None, validation_alias=_named("uptime", "uptime_seconds")
    )
    connections: Annotated[Count | None, BeforeValidator(_number)] = None
    version: Annotated[str, Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Vitals":
        if not self.model_fields_set - {"version"}:
            raise ValueError("none of cpu_usage, memory_usage, disk_space, uptime, connections")
        return self


class Updates(BaseModel):
    """The other form the registry allowed: several, the newest last."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    updates: Annotated[list[Vitals], Field(min_length=1, max_length=MOST_UPDATES)]


def vitals_of(answer: Answer) -> Vitals:
    """What a contract answer says; of several updates the last.

    Raises:
        FetchFailed: `http_error`, `decoy` or `invalid`, with the reason.
    """
    if answer.status != 200:
        _not_ok(answer)
    if answer.content_type.startswith("text/"):
        raise FetchFailed(f"its decoy answered ({bounded(answer.content_type, 60)})", Outcome.DECOY)
    if answer.content_type != "application/json":
        raise _invalid(f"its content type is {bounded(answer.content_type or 'missing', 60)}, not application/json")
    try:
        said = _json(answer.body)
        wrapped = isinstance(said, dict) and "updates" in said
        return Updates.model_validate(said).updates[-1] if wrapped else Vitals.model_validate(said)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the answer"
        raise _invalid(f"{bounded(where, 60)}: {bounded(problem['msg'], 200)}") from None


def _not_ok(answer: Answer) -> NoReturn:
    location = urlsplit(answer.headers.get("location", "")[:1000].partition("?")[0]).path if _redirects(answer) else ""
    apache_404 = 400 <= answer.status < 500 and answer.content_type == "text/html"
    if apache_404 or location in DECOY_PATHS:
        raise FetchFailed(f"its decoy answered (status {answer.status})", Outcome.DECOY)
    followed = "; redirects aren't followed" if _redirects(answer) else ""
    raise FetchFailed(f"it answered with status {answer.status}{followed}", Outcome.HTTP_ERROR)


def _redirects(answer: Answer) -> bool:
    return 300 <= answer.status < 400


def _json(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        raise _invalid("its JSON is nested too deeply") from None
    except ValueError:
        raise FetchFailed("its decoy answered (not JSON, though it says so)", Outcome.DECOY) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _invalid(reason: str) -> FetchFailed:
    return FetchFailed(f"its answer breaks the contract: {reason}", Outcome.INVALID)
