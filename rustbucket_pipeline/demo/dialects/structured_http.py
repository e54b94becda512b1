"""An HTTP visit in the structured words: one request per connection."""

from collections.abc import Iterator

from rustbucket_pipeline.demo.acts import Request, Visit
from rustbucket_pipeline.demo.dialects.emission import Emission, Pace, Quoted, Told
from rustbucket_pipeline.demo.dialects.structured import Voice

_HTTP = "::protocols::http"
_LONGEST_READ = 4096


def http(visit: Visit, pace: Pace) -> Iterator[Emission]:
    """Everything one HTTP connection leaves in the log."""
    voice = Voice(visit, pace)
    yield voice.arrived("", "New connection", voice.bare)
    yield voice.say(_HTTP, "Handler started", "connection")
    for step in visit.steps:
        if isinstance(step, Request):
            pace.wait(2, 3)
            yield voice.say(_HTTP, "Request received", "command", {"request": raw_request(step)})
            asked = {"method": step.method, "path": step.path.split(" ")[0]}
            yield voice.say(_HTTP, "Request parsed", "command", asked, Told("request", "HTTP"))
            yield voice.say(_HTTP, "Using native response", "response", {**asked, "response_type": Quoted("native")})
            voice.commands += 1
    pace.wait(180, 220)
    yield voice.ended(_HTTP, counted="requests_processed")


def raw_request(request: Request) -> str:
    """The request as it comes off the wire, cut where the honeypot stops reading."""
    lines = [f"{request.method} {request.path} HTTP/1.1", "Host: 203.0.113.9", f"User-Agent: {request.agent}"]
    head = "\r\n".join([*lines, "Accept: */*", *request.headers])
    return f"{head}\r\n\r\n{request.body}"[:_LONGEST_READ]
