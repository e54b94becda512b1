"""Room for many connections at once: the limit of open files is raised as far as it needs, or named."""

import resource

from rustbucket_pipeline.errors import ConfigurationError

MOST_AT_ONCE = 300
"""Rustbuckets asked at the same time; those beyond wait for their turn."""

SPARE = 200
"""Files, pipes and database connections beside them."""

EACH = 3
"""The connection, the resolver's, and a temporary file."""


def make_room(wanted: int) -> int:
    """Raise this process's limit of open files if need be; how many of those wanted are asked at once.

    Raises:
        ConfigurationError: the machine doesn't allow enough; the message names the limit.
    """
    at_once = max(1, min(wanted, MOST_AT_ONCE))
    needed = SPARE + EACH * at_once
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _covers(soft, needed):
        return at_once
    if not _covers(hard, needed):
        raise ConfigurationError(
            f"asking {at_once} rustbuckets at once needs {needed} open files, and the limit is {hard}; "
            f"raise it (`ulimit -Hn {needed}`, or LimitNOFILE={needed} of the service)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return at_once


def _covers(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed
