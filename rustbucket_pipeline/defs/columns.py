"""Column schemas for Dagster's catalogue, read off our own tables: names and types are never written twice."""

import dagster as dg
from sqlalchemy import Table


def schema_of(table: Table) -> dg.TableSchema:
    """The table's columns as the asset page shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                str(column.type).lower(),
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), unique=column.primary_key),
            )
            for column in table.columns
        ]
    )
