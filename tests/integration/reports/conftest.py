"""The reports in a database of their own, with peers for the services that own what is counted."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from services.chassis import redis
from services.chassis.testing import House
from services.reports import app
from tests.integration.reports import making
from tests.integration.reports.owners import Owners


@pytest.fixture(scope="module")
def owners() -> Iterator[Owners]:
    """Identity, doctors and appointments."""
    made = Owners()
    yield made
    made.peer.stop()


@pytest.fixture(scope="module")
def migrated(postgres_url, redis_server, owners) -> Iterator[House]:
    """The reports, migrated; one application for a module."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    environ = {
        "DATABASE_URL": postgres_url,
        "BUS_URL": f"{redis_server}/{1 + int(worker) % 63}",  # the one that `redis_url` empties for each test
        "IDENTITY_URL": owners.url,
        "APPOINTMENTS_URL": owners.url,
        "DOCTORS_URL": owners.url,
        "SERVICE_SECRET": "not used here",
    }
    service = app.service(environ)
    service.migrate()
    made = House(service)
    yield made
    made.close()


@pytest.fixture
def reports(migrated, owners, postgres_url, redis_url) -> Iterator[making.Reports]:
    """The reports, empty, with a bus and owners that are empty too."""
    making.empty(postgres_url)
    owners.empty()
    with redis.client(redis_url, timeout_s=5) as client:
        yield making.Reports(migrated, owners, client, redis_url)
