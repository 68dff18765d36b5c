"""From an empty database to the head, twice, and the tables are those that the code describes."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from services.chassis import sql
from services.doctors import schema
from services.doctors.app import MIGRATIONS
from tests.integration.doctors import making


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
        indexes = {index["name"] for index in found.get_indexes(name)}
        assert {index.name for index in table.indexes} <= indexes, name


def test_versions_of_records_cannot_be_changed(house, postgres_url):
    making.doctor(house)
    with psycopg.connect(postgres_url) as admin, pytest.raises(psycopg.errors.RestrictViolation):
        admin.execute("UPDATE record_versions SET by = 'nobody'")
