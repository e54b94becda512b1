"""An SSH visit in the structured words: connection, authentication, exec or shell, and the answers to commands."""

from collections.abc import Iterator

from rustbucket_pipeline.demo.acts import Command, Login, Visit
from rustbucket_pipeline.demo.dialects.emission import Emission, Pace, Quoted, Told, Value
from rustbucket_pipeline.demo.dialects.structured import Voice

_SSH = "::protocols::ssh"
_SHELL = "::protocols::ssh_shell"


def ssh(visit: Visit, pace: Pace) -> Iterator[Emission]:
    """Everything one SSH connection leaves in the log."""
    voice = Voice(visit, pace)
    yield voice.arrived(_SSH, "New SSH connection", voice.with_port)
    if visit.refused:
        yield from _refuse(voice)
        return
    for step in visit.steps:
        if isinstance(step, Login):
            pace.wait(200, 700)
            yield _login(voice, step)
    commands = [step for step in visit.steps if isinstance(step, Command)]
    if commands:
        pace.wait(60, 90)
        yield voice.say(_SSH, "Channel opened", "connection", voice.with_port)
        yield from _shell(voice) if visit.typed else ()
        for command in commands:
            yield from _command(voice, command)
    if visit.leaves:
        pace.wait(40, 200)
        yield voice.say(_SSH, "Channel closed", "connection", voice.with_port)
        yield voice.ended(_SSH, voice.with_port)


def _refuse(voice: Voice) -> Iterator[Emission]:
    """The limiter's own record names no protocol; it reports the same connection once more."""
    blocked: dict[str, Value] = {
        "event_type": Quoted("connection"),
        "component": Quoted("rate_limiter"),
        **voice.bare,
        "active_connections": 5,
        "reason": Quoted("max_concurrent_exceeded"),
    }
    told = Told("other", None, voice.visit.source)
    yield Emission(voice.pace.wait(1, 2), "::rate_limiter", "Connection blocked", told, blocked)
    reason = {"reason": "Too many concurrent connections"}
    yield voice.say(_SSH, "Rate limit exceeded", "operational", {**voice.with_port, **reason})


def _login(voice: Voice, login: Login) -> Emission:
    told = Told("login", "SSH", voice.visit.source, login.username, login.password)
    tried = {"username": login.username, "password": login.password, "auth_method": Quoted("password")}
    return voice.say(_SSH, "Authentication attempt", "auth", {**voice.with_port, **tried}, told)


def _shell(voice: Voice) -> Iterator[Emission]:
    terminal = {"terminal": "xterm-256color", "width": 80, "height": 24}
    yield voice.say(_SSH, "PTY request", "connection", {**voice.with_port, **terminal})
    yield voice.say(_SSH, "Shell request", "connection", voice.with_port)


def _command(voice: Voice, command: Command) -> Iterator[Emission]:
    voice.commands += 1
    text = {"command": command.text.strip()}
    if voice.visit.typed:
        voice.pace.wait(900, 4000)
    else:
        voice.pace.wait(90, 150)
        yield voice.say(_SSH, "Exec request", "command", {**voice.with_port, "command": command.text})
    yield voice.say(_SHELL, "Command received", "command", text, Told("command", "SSH", command=text["command"]))
    if command.answer == "llm":
        yield from voice.ask_model(_SHELL, text["command"], "I'm sorry, but I can't assist with that request.")
    elif command.answer == "native":
        yield voice.say(_SHELL, "Using native response", "response", {**text, "response_type": Quoted("native")})
    else:
        yield voice.say(_SHELL, "Unknown command", "command", text)
