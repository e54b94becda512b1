"""A Messages API on loopback: a real HTTP server that refuses what the API refuses and plays what goes wrong.

Scenes are played one per request, the last one for all that follow. A scene is a name below, or a function from the
document shown to the model to its answer. It proves our side's handling, nothing about a real model."""

import gzip
import json
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

KEY = "sk-ant-canary-7f3e"
Answer = dict[str, Any]
Scene = str | Callable[[Answer], Answer]

FIELDS = {"model", "max_tokens", "system", "messages", "tools", "tool_choice", "output_config"}
SCHEMA_WORDS = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "description",
}
STATUSES = {
    "bad_request": (400, "invalid_request_error", {}),
    "unauthorized": (401, "authentication_error", {}),
    "unpaid": (402, "billing_error", {}),
    "forbidden": (403, "permission_error", {}),
    "no_such_model": (404, "not_found_error", {}),
    "too_late": (408, "timeout_error", {}),
    "conflict": (409, "conflict_error", {}),
    "too_large": (413, "request_too_large", {}),
    "rate_limit": (429, "rate_limit_error", {"retry-after": "0"}),
    "rate_limit_for_a_day": (429, "rate_limit_error", {"retry-after": "86400"}),
    "spend_limit": (429, "rate_limit_error", {"retry-after": "0"}),
    "error": (500, "api_error", {}),
    "overloaded": (529, "overloaded_error", {}),
    "unavailable": (503, "api_error", {}),
    "gateway_timeout": (504, "api_error", {}),
    "error_no_retry": (500, "api_error", {"x-should-retry": "false"}),
}


def faithful(document: Answer) -> Answer:
    """An honest answer: every finding explained by its ids and nothing else."""
    findings = [
        {
            "title": f"About {finding['id']}",
            "why": "Someone tried this against the honeypots.",
            "severity": finding["severity"],
            "evidence": [finding["id"]],
            "indicators": [indicator["id"] for indicator in document["indicators"][:1]],
        }
        for finding in document["findings"]
    ]
    worst = document["findings"][0]["severity"] if document["findings"] else "info"
    summary = "Known tools came back. Look at the first finding before anything else."
    return {
        "summary": summary,
        "severity": worst,
        "findings": findings,
        "recommendations": ["Block the first indicator."],
    }


@dataclass
class Batch:
    """A batch: its requests, the results that become of them, and how often it is still under way when asked."""

    id: str
    requests: list[Answer]
    results: list[Answer]
    looks: int
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


class ClaudeServer(ThreadingHTTPServer):
    """The server: `scenes` to play, `requests` as they came, `models` asked in order.

    `batches` are those sent; each new one is under way for `looks`. `batch_scene` plays instead of making one, or
    `lost` makes it and tells nobody; `results_scene` plays instead of results.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scenes: list[Scene] = [faithful]
        self.requests: list[Answer] = []
        self.headers_seen: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.batches: dict[str, Batch] = {}
        self.looks = 0
        self.batch_scene: str | None = None
        self.results_scene: str | None = None
        self.stopped = Event()
        self.lock = Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def models(self) -> list[str]:
        return [request["model"] for request in self.requests]

    def next_scene(self) -> Scene:
        with self.lock:
            return self.scenes.pop(0) if len(self.scenes) > 1 else self.scenes[0]


@contextmanager
def serving() -> Iterator[ClaudeServer]:
    """A running server; stopped, with every request it still holds, at the end."""
    server = ClaudeServer()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: ClaudeServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.headers_seen.append(dict(self.headers))
        self.server.paths.append(self.path)
        if self.path == "/v1/messages/batches":
            self._create(body)
            return
        bedrock = re.fullmatch(r"/model/([^/]+)/invoke", self.path)
        if bedrock:
            body["model"] = bedrock[1]
        self.server.requests.append(body)
        problem = _bedrock_problem(self.headers, body) if bedrock else _problem(self.path, self.headers, body)
        if problem:
            self._json(400, _error("invalid_request_error", problem))
            return
        self._play(self.server.next_scene())

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        found = re.fullmatch(r"/v1/messages/batches(?:/(\w+)(/results)?)?(?:\?.*)?", self.path)
        if self.headers["authorization"] != f"Bearer {KEY}" or not found:
            self._json(401, _error("authentication_error", "no"))
        elif not found[1]:
            self._json(200, {"data": [self._told(batch) for batch in self.server.batches.values()], "has_more": False})
        elif found[1] not in self.server.batches:
            self._json(404, _error("not_found_error", "no such batch"))
        elif not found[2]:
            batch = self.server.batches[found[1]]
            batch.looks -= 1
            self._json(200, self._told(batch))
        elif self.server.results_scene:
            self._play(self.server.results_scene)
        else:
            results = reversed(self.server.batches[found[1]].results)
            lines = "".join(json.dumps(result) + "\n" for result in results)
            self._raw(200, lines.encode(), {"content-type": "application/x-jsonl"})

    def _play(self, scene: Scene) -> None:
        if callable(scene):
            self._message(json.dumps(scene(_document(self.server.requests[-1]))))
        elif scene in STATUSES:
            self._status(scene)
        elif scene in MESSAGES:
            self._message(*MESSAGES[scene])
        else:
            getattr(self, f"_{scene}")()

    def _create(self, body: Answer) -> None:
        if self.server.batch_scene and self.server.batch_scene != "lost":
            self._play(self.server.batch_scene)
            return
        for request in body["requests"]:
            named = re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", request["custom_id"])
            problem = _problem("/v1/messages", self.headers, request["params"])
            if problem or not named:
                self._json(400, _error("invalid_request_error", problem or "custom_id"))
                return
        results = [_result(request, self.server.next_scene()) for request in body["requests"]]
        batch = Batch(f"msgbatch_{len(self.server.batches)}", body["requests"], results, self.server.looks)
        self.server.batches[batch.id] = batch
        if self.server.batch_scene == "lost":
            self.close_connection = True
        else:
            self._json(200, self._told(batch))

    def _told(self, batch: Batch) -> Answer:
        ended, many = batch.looks < 0, len(batch.requests)
        counts = dict.fromkeys(("canceled", "errored", "expired"), 0)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": counts | {"processing": 0 if ended else many, "succeeded": many if ended else 0},
            "created_at": batch.created.isoformat(),
            "expires_at": batch.created.isoformat(),
            "results_url": "http://127.0.0.1:1/steal-the-key" if ended else None,
        }

    def _status(self, scene: str) -> None:
        status, kind, headers = STATUSES[scene]
        details = {"error_code": "enforced_spend_limit_reached"} if scene == "spend_limit" else None
        self._json(status, _error(kind, f"{scene}; your key was {KEY}", details), headers)

    def _html(self) -> None:
        self._raw(200, b"<html>captive portal</html>", {"content-type": "text/html"})

    def _not_json(self) -> None:
        self._raw(200, b'{"id": ', {"content-type": "application/json"})

    def _wrong_shape(self) -> None:
        self._json(200, {"content": None, "usage": []})

    def _redirect(self) -> None:
        self._raw(307, b"", {"location": f"{self.server.url}/elsewhere"})

    def _huge(self) -> None:
        self._raw(200, b'{"content": "' + b"x" * 3_000_000 + b'"}', {"content-type": "application/json"})

    def _gzip_bomb(self) -> None:
        packed = gzip.compress(b" " * 10_000_000)
        self._raw(200, packed, {"content-type": "application/json", "content-encoding": "gzip"})

    def _huge_error(self) -> None:
        self._raw(500, b"x" * 3_000_000, {"content-type": "application/json"})

    def _drop(self) -> None:
        self.close_connection = True

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "1000000")
        self.end_headers()
        while not self.server.stopped.wait(0.05):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                return

    def _stall(self) -> None:
        self.server.stopped.wait(30)
        self.close_connection = True

    def _slow(self) -> None:
        time.sleep(0.2)
        self._message(json.dumps(faithful(_document(self.server.requests[-1]))))

    def _message(self, text: str | None, stop_reason: str = "end_turn", out: int = 500) -> None:
        message = _message_of(self.server.requests[-1]["model"], text, stop_reason, out)
        self._json(200, message, {"request-id": f"req_{len(self.server.requests)}"})

    def _json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        self._raw(status, json.dumps(value).encode(), {"content-type": "application/json", **(headers or {})})

    def _raw(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


MESSAGES: dict[str, tuple[str | None, str]] = {
    "text": ("Sure! Here is the summary you asked for.", "end_turn"),
    "malformed_json": ('{"summary": "It began', "end_turn"),
    "schema_violation": ('{"summary": 7, "severity": [], "findings": "none"}', "end_turn"),
    "truncated": ('{"summary": "It beg', "max_tokens"),
    "empty": ("", "end_turn"),
    "thinking": (None, "end_turn"),
    "refusal": (None, "refusal"),
    "context_exceeded": (None, "model_context_window_exceeded"),
    "pause_turn": (None, "pause_turn"),
    "tool_use": (None, "tool_use"),
}
"""Messages that are no answer: their text and stop reason."""


def _message_of(model: str, text: str | None, stop_reason: str = "end_turn", out: int = 500) -> Answer:
    content = [{"type": "thinking", "thinking": "hm", "signature": "s"}] if stop_reason != "refusal" else []
    content += [] if text is None else [{"type": "text", "text": text}]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10_000, "output_tokens": 0 if stop_reason == "refusal" else out},
    }


def _result(request: Answer, scene: Scene) -> Answer:
    """What becomes of one request of a batch."""
    if scene in ("errored", "expired", "canceled"):
        result: Answer = {"type": scene, "error": _error("api_error", f"your key was {KEY}")}
    else:
        told = (json.dumps(scene(_document(request["params"]))),) if callable(scene) else MESSAGES[scene]
        result = {"type": "succeeded", "message": _message_of(request["params"]["model"], *told)}
    return {"custom_id": request["custom_id"], "result": result}


def _error(kind: str, message: str, details: object = None) -> Answer:
    return {"type": "error", "error": {"type": kind, "message": message, "details": details}}


def _document(body: Answer) -> Answer:
    return json.loads(body["messages"][-1]["content"][0]["content"][0]["text"])


def _problem(path: str, headers: Any, body: Answer) -> str | None:
    """What the API would refuse, or None."""
    tool_ids = {
        block["id"] for message in body["messages"] for block in _blocks(message) if block["type"] == "tool_use"
    }
    results = {b["tool_use_id"] for m in body["messages"] for b in _blocks(m) if b["type"] == "tool_result"}
    checks = {
        "no such path": path.split("?")[0] == "/v1/messages",
        "authentication": headers["authorization"] == f"Bearer {KEY}",
        "anthropic-version header is required": bool(headers["anthropic-version"]),
        "unknown or forbidden field": set(body) <= FIELDS,
        "max_tokens": isinstance(body.get("max_tokens"), int) and 0 < body["max_tokens"] <= 21_333,
        "first message must be of the user": body["messages"][0]["role"] == "user",
        "assistant prefill": body["messages"][-1]["role"] == "user",
        "tool results without a call": results <= tool_ids,
        "forced tools": body.get("tool_choice", {}).get("type") in {"none", "auto"},
        "output_config": set(body["output_config"]) <= {"effort", "format"},
        "schema": _schema_fits(body["output_config"]["format"]["schema"]),
    }
    return next((problem for problem, passes in checks.items() if not passes), None)


def _bedrock_problem(headers: Any, body: Answer) -> str | None:
    """What Bedrock would refuse, or None; its signature is looked at, not reckoned anew."""
    if not headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential="):
        return "signature"
    if not body.pop("anthropic_version", None):
        return "anthropic_version"
    fake = {"authorization": f"Bearer {KEY}", "anthropic-version": "in the body"}
    return _problem("/v1/messages", fake, body)


def _blocks(message: Answer) -> list[Answer]:
    return message["content"] if isinstance(message["content"], list) else []


def _schema_fits(schema: Answer) -> bool:
    if not set(schema) <= SCHEMA_WORDS or (
        schema["type"] == "object" and schema.get("additionalProperties") is not False
    ):
        return False
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return all(_schema_fits(part) for part in inner)
