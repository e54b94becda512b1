"""The words of Rustbucket's structured era (December 2025 on): the same events for the `json` and the `kv` dialect.

Each protocol's conversation has its own file; here is what they share, and the honeypot's own operational records.
"""

from collections.abc import Iterator, Mapping

from rustbucket_pipeline.demo.acts import Protocol, Visit
from rustbucket_pipeline.demo.dialects.emission import Emission, Pace, Quoted, Told, Value

Fields = Mapping[str, Value]
_NONE: Fields = {}


class Voice:
    """Says what happens on one visit, with the fields every record of its protocol begins with."""

    def __init__(self, visit: Visit, pace: Pace) -> None:
        """`pace` is the visit's own clock."""
        self.visit = visit
        self.pace = pace
        self.commands = 0
        self.llm_calls = 0

    @property
    def bare(self) -> Fields:
        """The client's address as HTTP, FTP and SMTP log it."""
        return {"client_ip": self.visit.source}

    @property
    def with_port(self) -> Fields:
        """The client's address as SSH logs it."""
        return {"client_ip": socket_address(self.visit)}

    def arrived(self, target: str, message: str, address: Fields) -> Emission:
        """A client came: the first record of a visit."""
        told = Told("connection", self.visit.protocol, self.visit.source)
        return self.say(target, message, "connection", address, told)

    def say(
        self, target: str, message: str, event_type: str, fields: Fields = _NONE, told: Told | None = None
    ) -> Emission:
        """One record, a moment after the one before it."""
        protocol = self.visit.protocol
        first: dict[str, Value] = {"event_type": Quoted(event_type), "protocol": Quoted(protocol)}
        told = told or Told("other", protocol, self._told_source(fields))
        return Emission(self.pace.tick(), target, message, told, {**first, **fields})

    def ended(self, target: str, fields: Fields = _NONE, counted: str = "commands_processed") -> Emission:
        """The session's last record, with its counts."""
        counts: dict[str, Value] = {
            counted: self.commands,
            "llm_calls_made": self.llm_calls,
            "duration_secs": (self.pace.at - self.visit.at) // 1_000_000,
        }
        told = Told("session", self.visit.protocol, self._told_source(fields))
        return self.say(target, "Session ended", "session", {**fields, **counts}, told)

    def _told_source(self, fields: Fields) -> str | None:
        return self.visit.source if "client_ip" in fields else None

    def ask_model(self, target: str, text: str, answer: str) -> Iterator[Emission]:
        """The honeypot hands a command to its language model."""
        self.llm_calls += 1
        protocol = self.visit.protocol
        yield self.say(target, "LLM escalation", "llm", {"command": text, "decision": Quoted("escalate")})
        yield _chatgpt(
            self.pace.wait(600, 800),
            "ChatGPT protocol-specific request sent",
            {"model": "gpt-3.5-turbo", "protocol": protocol.capitalize(), "user_message": text},
            protocol,
        )
        yield _chatgpt(self.pace.wait(900, 1900), "ChatGPT response received", {"response": answer}, None)


def socket_address(visit: Visit) -> str:
    """`192.0.2.1:4444` or `[2001:db8::1]:4444`."""
    return f"[{visit.source}]:{visit.port}" if ":" in visit.source else f"{visit.source}:{visit.port}"


def _chatgpt(at: int, message: str, fields: dict[str, Value], protocol: Protocol | None) -> Emission:
    first: dict[str, Value] = {"event_type": Quoted("llm"), "component": Quoted("chatgpt")}
    return Emission(at, "::chatgpt", message, Told("other", protocol), first | fields)


def _operational(at: int, target: str, message: str, **fields: Value) -> Emission:
    protocol = fields.get("protocol")
    told = Told("other", str(protocol) if protocol else None)
    return Emission(at, target, message, told, {"event_type": Quoted("operational"), **fields})


def boot(pace: Pace, instance: str) -> Iterator[Emission]:
    """What a rustbucket writes when its process starts."""
    s3, quoted = Quoted("s3_logger"), Quoted
    yield _operational(pace.tick(), "", "Tracing initialized")
    yield _operational(pace.tick(), "", "Configuration loaded from Config.toml")
    yield _operational(pace.tick(), "", "Instance started", instance_name=instance)
    yield _operational(pace.wait(1, 2), "", "S3 logging is enabled", component=s3)
    yield _operational(
        pace.tick(),
        "::s3_logger",
        "Starting S3 log uploader background task",
        component=s3,
        bucket='Some("rb-logs")',
        instance=instance,
    )
    yield _operational(
        pace.tick(),
        "::s3_logger",
        "Upload interval configured",
        component=s3,
        upload_interval_hours=1,
        delete_after_upload=False,
    )
    for message in (
        "Checking registration configuration...",
        "No rustbucket_registry_url configured. Registration is optional - skipping.",
    ):
        yield Emission(pace.tick(), "::registration", message, Told("other"))
    yield _operational(
        pace.tick(),
        "::rate_limiter",
        "RateLimiter initialized",
        component=quoted("rate_limiter"),
        enabled=True,
        max_connections_per_ip=5,
        connection_rate_per_minute=10,
        ban_threshold=50,
        response_delay_ms="(100, 300)",
    )
    yield _operational(pace.tick(), "", "All listeners started. Honeypot is now running indefinitely.")
    yield _operational(pace.wait(1, 2), "", "Generated host key", protocol=quoted("SSH"), key_type=quoted("Ed25519"))
    yield _operational(pace.tick(), "", "Starting SSH honeypot", protocol=quoted("SSH"), port=22)


def upload_check(pace: Pace, instance: str, file: str) -> Iterator[Emission]:
    """The uploader's hourly round; `file` is the log file of the hour before."""
    component, target = Quoted("s3_logger"), "::s3_logger"
    local = f"./logs/{file}"
    yield _operational(pace.tick(), target, "Starting log upload check", component=component)
    yield _operational(
        pace.tick(),
        target,
        "Uploading log file to S3",
        component=component,
        file=local,
        bucket="rb-logs",
        s3_key=f"logs/{instance}/{file}",
    )
    yield _operational(pace.wait(150, 400), target, "Log file uploaded", component=component, file=local)
    yield _operational(pace.tick(), target, "Log files uploaded successfully", component=component, files_uploaded=1)
