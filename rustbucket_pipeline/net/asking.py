"""How a rustbucket's own endpoints are asked: which URL, and whether its token may travel there."""

from collections.abc import Mapping

from rustbucket_pipeline.errors import FetchFailed
from rustbucket_pipeline.model.outcome import Outcome
from rustbucket_pipeline.model.rustbucket import Rustbucket
from rustbucket_pipeline.net.urls import parse_url

UPDATE_BUCKET = "update_bucket"
EXTRACT_LOGS = "extract_logs"


def endpoint_url(rustbucket: Rustbucket, endpoint: str) -> str:
    """The URL of one of its endpoints. Raises `FetchFailed` (`blocked`) when it may not be asked there."""
    url = parse_url(rustbucket.base_url or "")
    if url is None:
        raise FetchFailed(f"{rustbucket.id} has no usable base_url; register it anew", Outcome.BLOCKED)
    if url.scheme != "https" and not rustbucket.plain_http:
        raise FetchFailed(
            f"{rustbucket.id} is plain http; `rustbucket fleet approve {rustbucket.id} --http --plain-http` allows it",
            Outcome.BLOCKED,
        )
    return f"{url.scheme}://{url.authority}{url.path.rstrip('/')}/{endpoint}"


def token_header(token: str | None) -> Mapping[str, str]:
    """The header that proves us to a rustbucket; empty without a token."""
    return {"Authorization": f"Token {token}"} if token else {}
