"""Where in a row a rule looks, and what it asks of a row besides its text; as SQL. No tables of the work here."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, String, and_, func, literal, true
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import ARRAY

from rustbucket_pipeline.analysis.matching import LONGEST_MATCHED
from rustbucket_pipeline.analysis.rules import FieldName, Per, Rule
from rustbucket_pipeline.model.window import Window
from rustbucket_pipeline.storage.tables import log_events

ROW = log_events.c

_OWN_KEYS = ["request", "session", "rcpt_to", "uuid", "sensor", "message"]
"""Keys of `fields` that other texts hold, or that differ from row to row and say nothing."""

Term = ColumnElement[Any]

_TEXTS: Mapping[FieldName, Term] = {
    FieldName.COMMAND: ROW.command,
    FieldName.PATH: ROW.http_path,
    FieldName.REQUEST: func.coalesce(ROW.fields["request"].astext, ROW.http_path),
    FieldName.USERNAME: ROW.username,
    FieldName.PASSWORD: ROW.password,
    FieldName.CREDENTIAL: ROW.username.concat(":").concat(ROW.password),
    FieldName.RECIPIENT: ROW.fields["rcpt_to"].astext,
    FieldName.MESSAGE: ROW.message,
    FieldName.ANY: as_type(ROW.fields.op("-")(as_type(_OWN_KEYS, ARRAY(String))), String),
}
"""Where each text stands in a row; for `any`, what no other text holds."""

ANYWHERE = frozenset(FieldName) - {FieldName.CREDENTIAL}
"""The texts that a rule for `any` looks at."""


def told(name: FieldName) -> Term:
    """The text, as far as patterns see it."""
    return func.left(_TEXTS[name], LONGEST_MATCHED)


def within(window: Window) -> ColumnElement[bool]:
    """Rows of the window."""
    return and_(ROW.event_ts >= window.start, ROW.event_ts < window.end)


def suits(rule: Rule) -> ColumnElement[bool]:
    """Rows of the rule's types and protocols; the only one telling of an action, where just that counts."""
    match = rule.match
    kinds = ROW.event_type.in_(match.event_types)
    return and_(
        kinds,
        ROW.counted if match.counted else true(),
        ROW.protocol.in_(match.protocols) if match.protocols else true(),
    )


def group_of(per: Per) -> tuple[Term, Term]:
    """What a row is counted by, in two parts; one of them NULL: it isn't."""
    source = func.coalesce(ROW.src_ip, ROW.rustbucket_id)
    nothing = literal("", String)
    groups: Mapping[Per, tuple[Term, Term]] = {
        Per.WINDOW: (nothing, nothing),
        Per.SOURCE: (source, nothing),
        Per.RUSTBUCKET: (ROW.rustbucket_id, nothing),
        Per.CREDENTIAL: (ROW.username, ROW.password),
        Per.PASSWORD: (source, ROW.password),
    }
    return groups[per]
