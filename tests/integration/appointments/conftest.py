"""The booking desk on a real Redis and a real PostgreSQL, called through its whole web application."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.integration.appointments import making


@pytest.fixture(scope="module")
def opened_desk(postgres_url: str, redis_server: str) -> Iterator[making.Booking]:
    """The booking desk of a module, on the database of Redis that `redis_url` empties for each test."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    with making.opened(postgres_url, f"{redis_server}/{1 + int(worker) % 63}") as opened:
        yield opened


@pytest.fixture
def desk(opened_desk: making.Booking, redis_url: str) -> making.Booking:
    """A booking desk with a facility of its own."""
    assert opened_desk.environ["RECORDS_URL"] == redis_url
    opened_desk.world = making.World()
    return opened_desk


@pytest.fixture
def crowded(postgres_url: str, redis_url: str) -> Iterator[making.Booking]:
    """A booking desk with threads for three hundred at once: one with the usual sixteen sheds what is over 128."""
    with making.opened(postgres_url, redis_url, THREADS="40") as opened:
        yield opened
