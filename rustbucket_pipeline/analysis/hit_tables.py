"""The temporary tables that hits are gathered in, as SQLAlchemy sees them; `sql/rule_tables.sql` makes them.

They live for one transaction, so they are none of the schema's tables.
"""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, MetaData, SmallInteger, String, Table
from sqlalchemy.dialects.postgresql import ARRAY

_temporary = MetaData()

rule_found = Table(
    "rule_found",
    _temporary,
    Column("field", String),
    Column("text_id", BigInteger),
    Column("told", String),
    Column("rule", SmallInteger),
    Column("event_types", ARRAY(String)),
    Column("protocols", ARRAY(String)),
    Column("counted", Boolean),
)
"""The texts that rules match, and what those ask of a row besides. A text has one id in a field."""

rule_hits = Table(
    "rule_hits",
    _temporary,
    Column("rule", SmallInteger),
    Column("text_id", BigInteger),
    Column("event_id", String),
    Column("event_ts", DateTime(timezone=True)),
    Column("rustbucket_id", String),
    Column("src_ip", String),
)
"""The rows that rules match by a text alone."""
