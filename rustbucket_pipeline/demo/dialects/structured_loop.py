"""FTP and SMTP visits in the structured words: Rustbucket serves both with one loop, one read = one command.

Names and addresses are logged in capitals, blanks collapsed; their true case is only in `Command received`.
"""

from collections.abc import Callable, Iterator
from functools import partial

from rustbucket_pipeline.demo.acts import Answer, Command, Login, Mail, Step, Upload, Visit
from rustbucket_pipeline.demo.dialects.emission import Emission, Pace, Quoted, Told, rust_debug
from rustbucket_pipeline.demo.dialects.structured import Voice

_LOOP = "::protocols"
_FTP = "::protocols::ftp"
_SMTP = "::protocols::smtp"


def ftp_or_smtp(visit: Visit, pace: Pace) -> Iterator[Emission]:
    """Everything one FTP or SMTP connection leaves in the log."""
    voice = Voice(visit, pace)
    yield voice.arrived("", "New connection", voice.bare)
    yield voice.say(_FTP if visit.protocol == "FTP" else _SMTP, "Handler started", "connection")
    if visit.protocol == "SMTP":
        yield from _read(voice, "EHLO mail.example.net")
    for step in visit.steps:
        yield from _step(voice, step)
    if visit.leaves:
        yield from _read(voice, "QUIT", answer=None)
    else:
        pace.wait(300, 500)
        yield voice.say(_LOOP, "Connection closed", "connection")
    yield voice.ended(_LOOP)


def capitals(text: str) -> str:
    """A name as the honeypot logs it."""
    return " ".join(text.upper().split())


def _step(voice: Voice, step: Step) -> Iterator[Emission]:
    match step:
        case Login():
            yield from _login(voice, step)
        case Mail():
            yield from _mail(voice, step)
        case Upload(filename):
            stored = partial(voice.say, _FTP, "File upload attempt", "command", {"filename": capitals(filename)})
            yield from _read(voice, f"STOR {filename}", stored)
        case Command(text, answer):
            yield from _read(voice, text, answer=answer)
        case _:
            pass


def _read(
    voice: Voice, text: str, meaning: Callable[[], Emission] | None = None, answer: Answer | None = "native"
) -> Iterator[Emission]:
    """One read: the command, what it means to the protocol, and the answer."""
    voice.pace.wait(80, 500)
    voice.commands += 1
    command = {"command": text}
    yield voice.say(_LOOP, "Command received", "command", command, Told("command", voice.visit.protocol, command=text))
    if meaning is not None:
        yield meaning()
    if answer == "unknown":
        yield voice.say(_LOOP, "Unknown command", "command", command)
    elif answer == "llm":
        yield from voice.ask_model(_LOOP, text, "500 Syntax error, command unrecognized")
    elif answer == "native":
        yield voice.say(_LOOP, "Using native response", "response", {**command, "response_type": Quoted("native")})


def _login(voice: Voice, login: Login) -> Iterator[Emission]:
    user, password = capitals(login.username), capitals(login.password)
    told = Told("other", "FTP", username=user)
    named = partial(voice.say, _FTP, "Username provided", "auth", {"username": user}, told)
    yield from _read(voice, f"USER {login.username}", named)
    fields = {"username": f"Some({rust_debug(user)})", "password": password}
    told = Told("login", "FTP", None, user, password)
    yield from _read(
        voice, f"PASS {login.password}", partial(voice.say, _FTP, "Authentication attempt", "auth", fields, told)
    )


def _mail(voice: Voice, mail: Mail) -> Iterator[Emission]:
    sender = capitals(f"<{mail.sender}>")
    recipients = [capitals(f"<{recipient}>") for recipient in mail.recipients]
    named = partial(voice.say, _SMTP, "Mail sender specified", "command", {"mail_from": sender})
    yield from _read(voice, f"MAIL FROM:<{mail.sender}>", named)
    for recipient, logged in zip(mail.recipients, recipients, strict=True):
        named = partial(voice.say, _SMTP, "Mail recipient specified", "command", {"rcpt_to": logged})
        yield from _read(voice, f"RCPT TO:<{recipient}>", named)
    yield from _read(voice, "DATA")
    yield from _read(voice, mail.body.strip(), answer=None)
    fields = {
        "mail_from": f"Some({rust_debug(sender)})",
        "rcpt_to": f"[{', '.join(rust_debug(recipient) for recipient in recipients)}]",
        "email_data": mail.body,
    }
    received = partial(voice.say, _SMTP, "Email data received", "command", fields, Told("mail", "SMTP"))
    yield from _read(voice, ".", received, "unknown")
