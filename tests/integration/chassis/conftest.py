"""Stores for the tests of the chassis: a database of things in PostgreSQL, one in MongoDB, and both in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.chassis import mongo, redis, sql
from services.chassis.client import Client
from tests.integration.chassis import making
from tests.integration.chassis.events import write_contract
from tests.integration.chassis.peer import Behaviour, Peer

CONTRACT = """
openapi: 3.0.3
info: {title: Peer, version: "1"}
paths:
  /api/v1/things/{thing_id}:
    get: {operationId: get_thing, x-permission: things.read, x-audit: none, responses: {"200": {description: ok}}}
    put: {operationId: put_thing, x-permission: things.read, x-audit: none, responses: {"200": {description: ok}}}
  /api/v1/things:
    get: {operationId: list_things, x-permission: things.read, x-audit: none, responses: {"200": {description: ok}}}
    post: {operationId: add_thing, x-permission: things.read, x-audit: none, responses: {"201": {description: ok}}}
  /api/v1/things/search:
    post: {operationId: find_things, x-permission: things.read, x-audit: none, responses: {"200": {description: ok}}}
"""


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


@pytest.fixture
def openapi_dir(tmp_path: Path) -> Path:
    """A folder with the contract of one service, `peer`."""
    (tmp_path / "peer.yaml").write_text(CONTRACT)
    return tmp_path


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Peer]]:
    """Start a peer that behaves so; it ends with the test."""
    started: list[Peer] = []

    def start(behaviour: Behaviour) -> Peer:
        started.append(Peer(behaviour))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def connect(openapi_dir: Path) -> Iterator[Callable[..., Client]]:
    """A client of the peer at this address."""
    made: list[Client] = []

    def make(url: str, **arguments: Any) -> Client:
        made.append(Client(openapi_dir, urls={"peer": url}, **{"pause_s": lambda: 0.05, **arguments}))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """A folder of contracts with the events of the tests."""
    return write_contract(tmp_path)
