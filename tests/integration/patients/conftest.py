"""The patients in a database of their own, called through their whole web application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.chassis.testing import House
from services.patients import app
from tests.integration.patients import making


@pytest.fixture(scope="module")
def migrated(postgres_url, redis_server) -> Iterator[House]:
    """The patients, migrated; one application for a module."""
    service = app.service(making.environ(postgres_url, redis_server))
    service.migrate()
    made = House(service)
    made.send("GET", "/")  # the application is put together by its first request, which threads must not share
    yield made
    made.close()


@pytest.fixture
def house(migrated, postgres_url) -> House:
    """The patients, empty."""
    making.empty(postgres_url)
    return migrated
