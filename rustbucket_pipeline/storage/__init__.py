"""PostgreSQL and objects: connections, tables, migrations. No meaning of logs, no Dagster."""
