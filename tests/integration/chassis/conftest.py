"""Stores for the tests of the chassis: a database of things in PostgreSQL, one in MongoDB, and both in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.chassis import mongo, redis, sql
from tests.integration.chassis import making


@pytest.fixture(scope="module")
def module_database(postgres_url: str) -> Iterator[sql.Database]:
    """The module's database, migrated."""
    made = making.sql_store(postgres_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def database(module_database: sql.Database) -> sql.Database:
    """An empty database."""
    making.empty(module_database)
    return module_database


@pytest.fixture(scope="module")
def module_documents(mongo_server: str, mongo_database: str) -> Iterator[mongo.Documents]:
    """The module's Mongo database, migrated."""
    made = making.mongo_store(mongo_server, mongo_database)
    yield made
    made.client.close()


@pytest.fixture
def documents(module_documents: mongo.Documents) -> mongo.Documents:
    """An empty Mongo database."""
    making.empty(module_documents)
    return module_documents


@pytest.fixture(params=["sql", "mongo"])
def store(request: pytest.FixtureRequest) -> sql.Database | mongo.Documents:
    """An empty store, of each kind in turn."""
    name = "database" if request.param == "sql" else "documents"
    made: sql.Database | mongo.Documents = request.getfixturevalue(name)
    return made


@pytest.fixture
def bus(redis_url: str) -> Iterator[redis.Client]:
    """An empty bus."""
    with redis.client(redis_url, timeout_s=5) as client:
        yield client
