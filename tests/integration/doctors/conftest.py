"""The doctors in a database of their own, with peers for identity and appointments that say what the test wants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.chassis.testing import House
from services.doctors import app
from tests import booking
from tests.integration.doctors import making
from tests.integration.doctors.identity import Identity


@pytest.fixture(scope="module")
def peers() -> Iterator[tuple[Identity, booking.Booking]]:
    """The two services that the doctors ask."""
    made = Identity(), booking.Booking()
    yield made
    for each in made:
        each.stop()


@pytest.fixture(scope="module")
def migrated(postgres_url, redis_server, peers) -> Iterator[House]:
    """The doctors, migrated; one application for a module."""
    identity, appointments = peers
    environ = {
        "DATABASE_URL": postgres_url,
        "BUS_URL": redis_server,
        "IDENTITY_URL": identity.url,
        "APPOINTMENTS_URL": appointments.url,
        "SERVICE_SECRET": "not used here",
    }
    service = app.service(environ)
    service.migrate()
    made = House(service)
    made.send("GET", "/")  # the application is put together by its first request, which threads must not share
    yield made
    made.close()


@pytest.fixture
def identity(peers) -> Identity:
    """What `identity` says, with nothing but what the test makes."""
    peers[0].empty()
    return peers[0]


@pytest.fixture
def appointments(peers) -> booking.Booking:
    """A service of appointments without a plan and without an appointment."""
    peers[1].empty()
    return peers[1]


@pytest.fixture
def house(migrated, postgres_url, identity, appointments) -> House:
    """The doctors, empty."""
    making.empty(postgres_url)
    return migrated
