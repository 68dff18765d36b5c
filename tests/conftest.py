"""Fixtures of every test: real stores, a database of its own for each module, and ids and times that are arguments."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator

import hypothesis
import pytest

from services.chassis import redis
from tests import stores

pytest_plugins = ["tests.features"]  # row marks, results and budgets of suites

# How long an example takes says something about the machine, and fails no test.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


def _name(request: pytest.FixtureRequest) -> str:
    """A name for one module's database, of its own in each worker and each run."""
    digest = hashlib.blake2b(request.node.nodeid.encode(), digest_size=4).hexdigest()
    return f"t_{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}_{digest}_{secrets.token_hex(3)}"


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The address of a PostgreSQL server with a role that may create databases."""
    return stores.address("postgres")


@pytest.fixture(scope="session")
def mongo_server() -> str:
    """The address of a MongoDB replica set."""
    return stores.address("mongo")


@pytest.fixture(scope="session")
def redis_server() -> str:
    """The address of a Redis with the durable settings, without a database number."""
    return stores.address("redis").rstrip("/").removesuffix("/0")


@pytest.fixture(scope="module")
def new_postgres(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Make an empty PostgreSQL database and say its address; it goes when the module is done."""
    with stores.databases(postgres_server, _name(request)) as make:
        yield make


@pytest.fixture(scope="module")
def postgres_url(new_postgres: Callable[[], str]) -> str:
    """The address of the module's own, empty PostgreSQL database."""
    return new_postgres()


@pytest.fixture(scope="module")
def mongo_database(mongo_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the module's own, empty Mongo database on `mongo_server`; it goes when the module is done."""
    import pymongo

    name = _name(request)
    yield name
    with pymongo.MongoClient[dict[str, object]](mongo_server) as admin:
        admin.drop_database(name)


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """The address of an empty Redis database, the worker's own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{redis_server}/{1 + int(worker) % 63}"
    with redis.client(url, timeout_s=5) as client:
        client.flushdb()
        yield url
        client.flushdb()
