"""Who runs a command, for what is noted with a name."""

import os
import pwd


def login() -> str:
    """The login by the system's own word, which no variable changes."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
