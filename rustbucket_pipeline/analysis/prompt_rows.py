"""How one row of a digest stands in the prompt, and how many bytes that takes. Attackers' text passes `neutral`.

Apart from the prompt itself, because the digest chooses its rows by the room they take there.
"""

import json

from rustbucket_pipeline.analysis.contents import Brief, Cluster, Indicator
from rustbucket_pipeline.analysis.neutralise import neutral

MOST_BYTES = 72_000
"""Of the prompt's document: 24,000 tokens of 3 bytes (36,000, should a token be only 2), whatever the volume."""

_EXAMPLE = 80


def encoded(document: object) -> str:
    """JSON as the prompt holds it."""
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"))


def size_of(row: object) -> int:
    """Bytes of a row, the comma after it included."""
    return len(encoded(row)) + 1


def indicator_row(indicator: Indicator, *, texts: bool = True) -> dict[str, object]:
    """An indicator: what is 1 or false is left out, and its value if no text may be sent."""
    row: dict[str, object] = {"id": indicator.id, "type": indicator.type}
    row.update({"value": neutral(indicator.value)} if texts else {})
    counts = {"events": indicator.events, "rustbuckets": indicator.rustbuckets}
    row.update({name: count for name, count in counts.items() if count > 1})
    return row | ({"new": True} if indicator.is_new else {})


def cluster_row(cluster: Cluster, *, texts: bool = True) -> dict[str, object]:
    """A cluster in full; without its examples if no text may be sent."""
    row: dict[str, object] = {
        "id": cluster.id,
        "protocol": cluster.protocol,
        "steps": list(cluster.steps),
        "more_steps": cluster.hidden_steps,
        "rules": list(cluster.rules),
        "severity": cluster.severity,
        "sessions": f"at least {cluster.sessions}" if cluster.at_least else cluster.sessions,
        "sources": cluster.sources,
        "rustbuckets": cluster.rustbuckets,
        "new": cluster.is_new,
        "examples": [neutral(example, _EXAMPLE) for example in cluster.examples] if texts else [],
    }
    return {name: value for name, value in row.items() if value or name == "sessions"}


def brief_row(brief: Brief) -> str:
    """A cluster in a line, below its protocol: `C7 high 3x cd wget chmod`; what is new, info or once is left out."""
    marks = (
        brief.id,
        "" if brief.is_new else "usual",
        brief.severity if brief.severity != "info" else "",
        f"{brief.sessions}x" if brief.sessions > 1 else "",
        brief.did,
    )
    return " ".join(mark for mark in marks if mark)
