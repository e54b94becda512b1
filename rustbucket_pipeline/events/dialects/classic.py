"""The first sentences (to October 2025): no client address anywhere, one message for whatever an attacker sent.

What was sent is looked at a little: a web request, an FTP user or password say what they are by themselves.
"""

import re

from rustbucket_pipeline.events.dialects.printf import Printf
from rustbucket_pipeline.events.record import Meaning, Opened, Parsed

_SENTENCES = Printf(
    "classic",
    r"""
connection+ | Actor connected to an unexpected port.
response    | Actor input message: {greeting}
command+    | Received data: {command*}
response    | Response message: {response*}
connection  | Connection closed
operational | Failed to send data: {error}
operational | Failed to write data.
operational | Failed to read from stream: {error}
""",
)

_REQUEST = re.compile(r"([A-Z]{3,16}) (\S{1,8192}) HTTP/[0-9.]{1,8}(?=\s|\Z)", re.ASCII)
_LOGIN = re.compile(r"(USER|PASS) ([^\r\n]{1,1024})(?:\r?\n)?\Z", re.IGNORECASE)
_UNEXPECTED = "Actor connected to an unexpected port."


class Classic:
    """One message for all."""

    name = "classic"

    def recognise(self, record: Opened) -> Parsed | None:
        """The record's reading; None when its message is made from no template of this dialect."""
        parsed = _SENTENCES.recognise(record)
        if parsed is None:
            return None
        if parsed.message == _UNEXPECTED:
            # The listeners are 21, 25, 80 and 23; only 23 has no name in that build's source.
            parsed.fields["protocol"] = "TELNET"
        elif parsed.meaning.event_type == "command":
            _look_into(parsed, str(parsed.fields["command"]))
        return parsed


CLASSIC = Classic()


def _look_into(parsed: Parsed, text: str) -> None:
    request = _REQUEST.match(text)
    login = _LOGIN.match(text)
    if request:
        parsed.fields |= {"protocol": "HTTP", "method": request[1], "path": request[2]}
        parsed.meaning = Meaning("request", counted=True, opens=True)
    elif login:
        field = "username" if login[1].upper() == "USER" else "password"
        parsed.fields |= {"protocol": "FTP", field: login[2]}
        parsed.meaning = Meaning("authentication", counted=field == "password", opens=True)
