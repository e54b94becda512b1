"""Cowrie's JSON lines, 2017 to today: another honeypot's log in the same table, its session id kept.

An event's id says what it is, so it stands as the record's target. Older lines lack fields and have others
(`system`, `isError`); later ones write numbers as strings. None of it matters here: what is there is kept.
"""

import re

from rustbucket_pipeline.events.record import UNKNOWN, Meaning, Opened, Parsed
from rustbucket_pipeline.events.strict_json import OddJson, Values, exact_object, text_of

_TABLE = """
connection+     | session.connect
session+        | session.closed
session         | session.params client.version client.size client.var log.open log.closed log.closed.duration
session         | client.kex@ssh client.malformed_packet@ssh telnet.*@telnet proxy.*
authentication+ | login.success login.failed
authentication  | client.fingerprint@ssh command.chpasswd
command+        | command.input
command         | command.success command.failed session.input
file+           | session.file_download session.file_upload
file            | session.file_download.failed
forward+        | direct-tcpip.request@ssh
forward         | direct-tcpip.data@ssh direct-tcpip.ja4@ssh direct-tcpip.ja4h@ssh direct-tcpip.*@ssh
operational     | virustotal.* greynoise.* reversedns.* abuseipdb.* urlhaus.* dshield.* misp.* sensor.*
"""
_PREFIX = "cowrie."
_SPELLED = {"client_ip": "src_ip", "command": "input"}
_PROTOCOL = re.compile(r"ssh|telnet", re.IGNORECASE)


def _meanings() -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for row in _TABLE.strip().splitlines():
        kind, _, names = row.partition("|")
        for name in names.split():
            event, _, protocol = name.partition("@")
            ours = kind.strip()
            found[event] = Meaning(ours.rstrip("+"), ours.endswith("+"), protocol=protocol or None)
    return found


_MEANINGS = _meanings()


class Cowrie:
    """Lines whose `eventid` begins with `cowrie.`."""

    name = "cowrie"

    def recognise(self, record: Opened) -> Parsed | None:
        """The line's reading; None for a line without such an id, or one that can't be read."""
        if record.text is not None or not record.data.startswith(b"{") or b'"cowrie.' not in record.data:
            return None
        try:
            found, flags = exact_object(record.data.rstrip(b"\r\n"))
        except OddJson:
            return None
        if not str(found.get("eventid")).startswith(_PREFIX):
            return None
        event = text_of(found, "eventid")
        meaning = _meaning_of(event.removeprefix(_PREFIX), found)
        found.pop("timestamp", None)
        message = found.pop("message") if isinstance(found.get("message"), str) else event
        return Parsed(self.name, None, event, str(message), found, meaning, True, flags, spelled=_SPELLED)


COWRIE = Cowrie()


def _meaning_of(event: str, found: Values) -> Meaning:
    meaning = _MEANINGS.get(event) or _MEANINGS.get(f"{event.partition('.')[0]}.*") or UNKNOWN
    told = _PROTOCOL.search(str(found.get("system", ""))) if meaning.protocol is None else None
    if told is None or "protocol" in found:
        return meaning
    return Meaning(meaning.event_type, meaning.counted, protocol=told[0].lower(), known=meaning.known)
