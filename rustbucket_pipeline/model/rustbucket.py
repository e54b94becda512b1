"""A rustbucket: one honeypot of the fleet, as the registry knows it."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ID_PATTERN = re.compile(r"BKT[0-9]{1,18}", re.ASCII)
"""What a rustbucket's id looks like; the registry it replaces numbers them `BKT100001` and up."""


class Status(StrEnum):
    """Where a rustbucket stands in its life; only active ones are asked and pulled."""

    REVIEW = "review"
    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Rustbucket:
    """One honeypot. Set by an operator only: no answer or log of its own ever changes these fields.

    `logs_url` is `file:///…` or `s3://bucket/prefix`, where its uploader puts files; `base_url` is asked only
    while `http_allowed`, and without TLS only if `plain_http`. `s3_region` is where its S3 bucket lies (None: S3
    is asked), `s3_owner` the account that must own it. Times are UTC. The token isn't here: `fleet.tokens`
    decrypts it when it is sent.
    """

    id: str
    name: str
    status: Status
    base_url: str | None
    logs_url: str | None
    http_allowed: bool
    ip_address: str | None
    registered_at: datetime
    approved_at: datetime | None
    retired_at: datetime | None
    last_seen: datetime | None
    last_log_at: datetime | None
    plain_http: bool = False
    os: str | None = None
    s3_region: str | None = None
    s3_owner: str | None = None
