"""From an empty database to the head, twice, and the tables are those that the code of each service describes."""

from __future__ import annotations

from importlib import import_module

import pytest
import sqlalchemy as sa

from services.chassis import sql

# Where each service on PostgreSQL describes its tables.
SCHEMAS = {
    "appointments": "services.appointments.schema.tables",
    "audit": "services.audit.schema",
    "doctors": "services.doctors.schema",
    "identity": "services.identity.schema",
    "patients": "services.patients.schema",
    "reports": "services.reports.schema",
}
SEQUENCES = {"patients": {"mrn_sequence"}}


@pytest.mark.parametrize("service", SCHEMAS)
def test_migrations_lead_to_the_tables_that_the_code_describes(service: str, new_postgres):
    url, migrations = new_postgres(), import_module(f"services.{service}.app").MIGRATIONS
    sql.migrate(url, migrations)
    sql.migrate(url, migrations)
    engine = sql.engine(url, name="test", pool=0)
    sql.at_head(engine, migrations)
    found = sa.inspect(engine)
    described = import_module(SCHEMAS[service]).metadata.tables
    assert set(found.get_table_names()) - {"alembic_version"} == set(described)
    for name, table in described.items():
        columns = {column["name"]: column["nullable"] for column in found.get_columns(name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}, name
        indexes = {index["name"] for index in found.get_indexes(name)}
        assert {index.name for index in table.indexes} <= indexes, name
    assert SEQUENCES.get(service, set()) <= set(found.get_sequence_names())
