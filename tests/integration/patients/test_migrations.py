"""From an empty database to the head, twice, and the tables are those that the code describes."""

from __future__ import annotations

import sqlalchemy as sa

from services.chassis import sql
from services.patients import schema
from services.patients.app import MIGRATIONS


def test_migrations_lead_to_the_tables_that_the_code_describes(new_postgres):
    url = new_postgres()
    sql.migrate(url, MIGRATIONS)
    sql.migrate(url, MIGRATIONS)
    engine = sql.engine(url, name="test", pool=0)
    sql.at_head(engine, MIGRATIONS)
    found = sa.inspect(engine)
    described = schema.metadata.tables
    assert set(found.get_table_names()) - {"alembic_version"} == set(described)
    for name, table in described.items():
        columns = {column["name"]: column["nullable"] for column in found.get_columns(name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}, name
    assert found.has_sequence("mrn_sequence")
