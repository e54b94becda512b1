"""The `classic` dialect (to October 2025): everything goes to the model, reads are printed as they come, daily files.

No address and, after the first line, no protocol is logged; a connection's reads are told apart by order alone.
"""

from collections.abc import Iterator

from rustbucket_pipeline.demo.acts import Command, Login, Mail, Request, Step, Upload, Visit
from rustbucket_pipeline.demo.dialects.emission import Emission, Pace, Told, rust_debug
from rustbucket_pipeline.demo.dialects.structured_http import raw_request

_HANDLER = "::handler"
_MODEL = "::chatgpt"
_PORTS = {"SMTP": 25, "HTTP": 80, "FTP": 21}
_GREETINGS = {
    "SMTP": "220 mail.example.com ESMTP Postfix (Ubuntu)",
    "HTTP": "GET / HTTP/1.1\nHost: example.com",
    "FTP": "220 (vsFTPd 3.0.3)",
}
_SYSTEM = ("You are an Ubuntu server.", 'Respond as an Ubuntu server would. Do not say "I\'m sorry".')
_PAGE = 'HTTP/1.1 200 OK\r\nServer: Apache/2.4.52 (Ubuntu)\r\n\r\n<html>\n<body class="x">It works</body>\n</html>\n\n'
_LONGEST_READ = 1024


def visit_records(visit: Visit, pace: Pace) -> Iterator[Emission]:
    """Everything one connection leaves in the log; SSH lands on a port that was never expected to be asked."""
    if visit.protocol == "SSH":
        yield Emission(pace.tick(), "", "Actor connected to an unexpected port.", Told("connection"), level="ERROR")
        return
    protocol = visit.protocol
    port = f"Actor attempted to connect to port {_PORTS[protocol]} - {protocol}"
    yield Emission(pace.tick(), "", port, Told("connection", protocol))
    yield _say(pace, "", f"Actor input message: {_GREETINGS[protocol]}")
    for step in visit.steps:
        for text in _reads(step):
            pace.wait(900, 2500)
            yield from _read(pace, text[:_LONGEST_READ], _told(step, text))
    pace.wait(80, 100)
    yield _say(pace, _HANDLER, "Connection closed")


def _reads(step: Step) -> Iterator[str]:
    match step:
        case Login(username, password):
            yield from (f"USER {username}\r\n", f"PASS {password}\r\n")
        case Command(text):
            yield f"{text}\r\n"
        case Upload(filename):
            yield f"STOR {filename}\r\n"
        case Mail(sender, recipients, body):
            yield from ("EHLO mail.example.net\r\n", f"MAIL FROM:<{sender}>\r\n")
            yield from (f"RCPT TO:<{recipient}>\r\n" for recipient in recipients)
            yield from ("DATA\r\n", f"{body}\r\n.\r\n")
        case Request():
            yield raw_request(step)


def _told(step: Step, text: str) -> Told:
    """What a read says of itself: an FTP name or password and a web request show what they are."""
    if isinstance(step, Login):
        if text.startswith("USER "):
            return Told("other", "FTP", username=step.username)
        return Told("login", "FTP", password=step.password)
    return Told("request", "HTTP") if isinstance(step, Request) else Told("command")


def _read(pace: Pace, text: str, told: Told) -> Iterator[Emission]:
    answer = _PAGE if " HTTP/1." in text else f"bash: {text.split()[0] if text.split() else ''}: command not found\n\n"
    system = ", ".join(f'Message {{ role: "system", content: {rust_debug(line)} }}' for line in _SYSTEM)
    user = f'Message {{ role: "user", content: {rust_debug(text)} }}'
    asked = f'ChatGPTRequest {{ model: "gpt-3.5-turbo", messages: [{system}, {user}] }}'
    yield _say(pace, _MODEL, f"We sent this to ChatGPT: {asked}")
    yield _say(pace, _MODEL, f"ChatGPT responded: {answer}")
    yield Emission(pace.tick(), _HANDLER, f"Received data: {text}", told)
    yield _say(pace, _HANDLER, f"Response message: {answer}")


def _say(pace: Pace, target: str, message: str) -> Emission:
    return Emission(pace.tick(), target, message, Told("other"))
