"""The `proto` dialect (late 2025): one printed message per event, in the text format, daily files, no SSH.

Messages name the protocol; no address is logged anywhere.
"""

from collections.abc import Iterator

from rustbucket_pipeline.demo.acts import Answer, Command, Login, Mail, Request, Step, Upload, Visit
from rustbucket_pipeline.demo.dialects.emission import Emission, Kind, Pace, Told, rust_debug
from rustbucket_pipeline.demo.dialects.structured_http import raw_request
from rustbucket_pipeline.demo.dialects.structured_loop import capitals

_LOOP = "::protocols"
_PORTS = {"SMTP": 25, "HTTP": 80, "FTP": 21}
_ANSWERS: dict[Answer, str] = {
    "native": "Using native response for command",
    "unknown": "Unknown command, incrementing counter",
    "llm": "Escalating to LLM for command",
}


class _Voice:
    def __init__(self, visit: Visit, pace: Pace) -> None:
        self.visit = visit
        self.pace = pace
        self.own = f"{_LOOP}::{visit.protocol.lower()}"
        self.commands = 0

    def say(self, target: str, message: str, kind: Kind = "other", told: Told | None = None) -> Emission:
        return Emission(self.pace.tick(), target, message, told or Told(kind, self.visit.protocol))

    def ended(self, counted: str = "Commands") -> Emission:
        duration = (self.pace.at - self.visit.at) / 1_000_000
        counts = f"{counted}: {self.commands}, LLM calls: 0, Duration: {duration:.6f}".rstrip("0")
        target = self.own if self.visit.protocol == "HTTP" else _LOOP
        return self.say(target, f"{self.visit.protocol} session ended. {counts}s", "session")


def boot(pace: Pace, _instance: str) -> Iterator[Emission]:
    """What a rustbucket of the text eras writes when its process starts."""
    for target, message in (
        ("", "Tracing initialized"),
        ("::registration", "Checking registration configuration..."),
        ("::registration", "No rustbucket_registry_url configured. Registration is optional - skipping."),
        ("", "All listeners started. Honeypot is now running indefinitely."),
    ):
        yield Emission(pace.tick(), target, message, Told("other"))


def visit_records(visit: Visit, pace: Pace) -> Iterator[Emission]:
    """Everything one connection leaves in the log; SSH isn't listened to."""
    if visit.protocol == "SSH":
        return
    voice = _Voice(visit, pace)
    port = f"Actor attempted to connect to port {_PORTS[visit.protocol]} - {visit.protocol}"
    yield voice.say("", port, "connection")
    yield voice.say(voice.own, f"{visit.protocol} handler started")
    yield from _http(voice) if visit.protocol == "HTTP" else _loop(voice)


def _http(voice: _Voice) -> Iterator[Emission]:
    for step in voice.visit.steps:
        if isinstance(step, Request):
            asked = f"{step.method} {step.path.split(' ')[0]}"
            voice.pace.wait(2, 3)
            yield voice.say(voice.own, f"HTTP request received:\n{raw_request(step)}")
            yield voice.say(voice.own, f"HTTP {asked}", "request")
            yield voice.say(voice.own, f"HTTP: Using native response for {asked}")
            voice.commands += 1
    voice.pace.wait(180, 220)
    yield voice.ended("Requests")


def _loop(voice: _Voice) -> Iterator[Emission]:
    if voice.visit.protocol == "SMTP":
        yield from _read(voice, "HELO mail.example.net")
    for step in voice.visit.steps:
        yield from _step(voice, step)
    if voice.visit.leaves:
        yield from _read(voice, "QUIT", answer=None)
    else:
        voice.pace.wait(300, 500)
        yield voice.say(_LOOP, f"{voice.visit.protocol} connection closed")
    yield voice.ended()


def _step(voice: _Voice, step: Step) -> Iterator[Emission]:
    match step:
        case Login(username, password):
            user, tried = capitals(username), capitals(password)
            yield from _read(voice, f"USER {username}", f"FTP USER: {user}", Told("other", "FTP", None, user))
            told = Told("login", "FTP", None, user, tried)
            yield from _read(voice, f"PASS {password}", f"FTP PASS: {tried} (username: Some({rust_debug(user)}))", told)
        case Upload(filename):
            yield from _read(voice, f"STOR {filename}", f"FTP STOR attempt: {capitals(filename)}")
        case Mail():
            yield from _mail(voice, step)
        case Command(text, answer):
            yield from _read(voice, text, answer=answer)
        case _:
            pass


def _mail(voice: _Voice, mail: Mail) -> Iterator[Emission]:
    sender = f"<{mail.sender}>"
    yield from _read(voice, f"MAIL FROM:{sender}", f"SMTP MAIL FROM: {capitals(sender)}")
    for recipient in mail.recipients:
        yield from _read(voice, f"RCPT TO:<{recipient}>", f"SMTP RCPT TO: {capitals(f'<{recipient}>')}")
    yield from _read(voice, "DATA")
    yield from _read(voice, mail.body.strip(), answer=None)
    yield from _read(voice, ".", f"SMTP email data received:\n{mail.body}", Told("mail", "SMTP"), "unknown")


def _read(
    voice: _Voice, text: str, meaning: str = "", told: Told | None = None, answer: Answer | None = "native"
) -> Iterator[Emission]:
    """One read: the command, what it means to the protocol, and the answer."""
    protocol = voice.visit.protocol
    voice.pace.wait(80, 500)
    voice.commands += 1
    command = Told("command", protocol, command=text)
    yield voice.say(_LOOP, f"{protocol} command received: {text}", "command", command)
    if meaning:
        yield voice.say(voice.own, meaning, told=told)
    if answer:
        yield voice.say(_LOOP, f"{protocol}: {_ANSWERS[answer]}: {text}")
