"""Text from outside, made safe to keep in a row and to show: one line, bounded, nothing that acts."""


def bounded(text: str, longest: int) -> str:
    """At most `longest` characters; control, bidirectional and unpaired ones are shown as escapes, a cut as `…`."""
    head = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[:longest])
    return head if len(text) <= longest and len(head) <= longest else head[: longest - 1] + "…"


def first_line(error: BaseException) -> str:
    """What an error says first, for a message of ours; at most 300 characters."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
