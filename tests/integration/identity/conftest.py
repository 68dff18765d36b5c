"""identity in a database of its own, with its own keys and the policy as it comes over the bus."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from services.chassis import redis
from services.chassis.policy import Policy
from services.identity import app
from tests.integration.identity import making
from tests.integration.identity.patients import Patients
from tests.mailbox import Mailbox
from tests.provider import Provider


@pytest.fixture(scope="module")
def records() -> Iterator[Patients]:
    """The records that accounts are linked to."""
    made = Patients()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def outside() -> Iterator[Provider]:
    """The outside provider."""
    with Provider() as made:
        yield made


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    """Where mails come to."""
    made = Mailbox()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def house(postgres_url, redis_server, records, outside, mailbox) -> Iterator[making.RealHouse]:
    """identity after its first start; one application for a module, and a Redis database of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{redis_server}/{63 - int(worker) % 16}"
    environ = making.environ(postgres_url, url, PATIENTS_URL=records.url, **outside.settings(), **mailbox.settings())
    service = app.service(environ)
    service.migrate()
    bus = redis.client(url, timeout_s=5)
    bus.flushdb()
    made = making.RealHouse(service, Policy(bus, permissions=making.permissions(service)))
    made.send("GET", "/")  # the application is put together by its first request, which threads must not share
    yield made
    made.close()
    bus.close()
