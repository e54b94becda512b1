"""What became of asking a rustbucket how it is, or of looking for what it sent. The words of `rustbucket_status`."""

from enum import StrEnum


class Outcome(StrEnum):
    """One observation's result; only `ok` and `arrival` say that a rustbucket is alive."""

    OK = "ok"
    """It answered as the contract says."""
    TIMEOUT = "timeout"
    """It didn't finish answering before its deadline."""
    REFUSED = "refused"
    """Its machine refused the connection."""
    UNREACHABLE = "unreachable"
    """No road there, no such name, or the connection broke."""
    HTTP_ERROR = "http_error"
    """It answered with another HTTP status than 200."""
    DECOY = "decoy"
    """The honeypot's decoy answered in its place."""
    INVALID = "invalid"
    """It answered, but not as the contract says."""
    BLOCKED = "blocked"
    """We don't connect there: the address, the port, the certificate or plain http forbid it."""
    PAUSED = "paused"
    """Not asked: it failed again and again, and is asked less often until it answers."""
    ARRIVAL = "arrival"
    """Not asked; log bytes arrived, or none are due yet."""
    SILENT = "silent"
    """Not asked; no log bytes although they are overdue."""
    UNSEEN = "unseen"
    """Not asked; log bytes are overdue, but nobody could look for them since they are: no pull succeeded."""
    UNKNOWN = "unknown"
    """Not asked, and nothing ever came."""
