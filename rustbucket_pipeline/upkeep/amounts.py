"""Amounts as people read them: counts, bytes, dollars, shares, spans of time."""

from datetime import timedelta

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_LITTLE = 0.005
"""A change below half a per cent is none."""


def counted(count: float) -> str:
    """`1,234`."""
    return f"{count:,.0f}"


def sized(size: float) -> str:
    """`512 bytes`, `5.6 GB` (decimal)."""
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:,.1f} {_UNITS[unit]}" if unit else f"{size:,.0f} bytes"


def priced(dollars: float) -> str:
    """`$0.42`, and `$0.004` rather than nothing."""
    return f"${dollars:,.3f}" if 0 < dollars < 0.01 else f"${dollars:,.2f}"


def changed(change: float | None) -> str | None:
    """`+12%`, `-3%`, `same`; None: nothing is known."""
    if change is None:
        return None
    return "same" if abs(change) < _LITTLE else f"{change:+,.0%}"


def lasting(span: timedelta) -> str:
    """`3 min`, `2 h`, `5 days`: whole, rounded down."""
    minutes = max(0, int(span.total_seconds()) // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"
