"""The temporary tables that hits are gathered in, as SQLAlchemy sees them; `sql/rule_tables.sql` makes them.

They live for one transaction, so they are none of the schema's tables.
"""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, MetaData, SmallInteger, String, Table
from sqlalchemy.dialects.postgresql import ARRAY

_temporary = MetaData()

rule_texts = Table("rule_texts", _temporary, Column("id", BigInteger, primary_key=True), Column("told", String))
"""Each distinct text of one field."""

rule_found = Table(
    "rule_found",
    _temporary,
    Column("rule", SmallInteger),
    Column("told", String),
    Column("event_types", ARRAY(String)),
    Column("protocols", ARRAY(String)),
    Column("counted", Boolean),
    Column("per", String),
)
"""The texts that rules match, and what those ask of a row besides."""

rule_hits = Table(
    "rule_hits",
    _temporary,
    Column("rule", SmallInteger),
    Column("event_id", String),
    Column("event_ts", DateTime(timezone=True)),
    Column("rustbucket_id", String),
    Column("src_ip", String),
    Column("gathered", String),
    Column("told", String),
)
"""The rows each rule matches; `gathered` is what it counts by."""
