"""Notifications in a database of their own, beside a hospital that says what a test wants; and the inbox of a house."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.chassis.testing import House
from services.notifications import app
from standalone.servers import ports
from tests.inbox import Inbox
from tests.integration.notifications import making
from tests.integration.notifications.hospital import Hospital


@pytest.fixture(scope="module")
def running_inbox(tmp_path_factory):
    """An inbox for all tests of a module."""
    running = Inbox(tmp_path_factory.mktemp("inbox"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def inbox(running_inbox):
    """The same, empty and without faults."""
    running_inbox.ask("DELETE", "/api/messages")
    running_inbox.faults()
    return running_inbox


@pytest.fixture
def unused_port():
    """A port at which nobody listens."""
    return ports.free()


@pytest.fixture(scope="module")
def running_hospital() -> Iterator[Hospital]:
    """The other services."""
    made = Hospital()
    yield made
    made.stop()


@pytest.fixture
def hospital(running_hospital) -> Hospital:
    """The same, with nobody in it and nothing away."""
    running_hospital.people.clear()
    running_hospital.away.clear()
    running_hospital.asked.clear()
    return running_hospital


@pytest.fixture(scope="module")
def all_fakes() -> dict[str, making.Fake]:
    """Channels that take everything, for e-mail, SMS and push."""
    return {name: making.Fake(name) for name in ("email", "sms", "push")}


@pytest.fixture
def fakes(all_fakes) -> dict[str, making.Fake]:
    """The same, with nothing in them."""
    for each in all_fakes.values():
        each.got.clear()
        each.answers.clear()
    return all_fakes


@pytest.fixture(scope="module")
def migrated(postgres_url, redis_server, running_hospital, all_fakes) -> Iterator[House]:
    """Notifications, migrated; one application for a module."""
    given = making.environ(postgres_url, redis_server, running_hospital, LEASE_S="1")
    service = app.service(given, ways_out=lambda _: list(all_fakes.values()))
    service.migrate()
    made = House(service)
    made.send("GET", "/")  # the application is put together by its first request, which threads must not share
    yield made
    made.close()


@pytest.fixture
def house(migrated, postgres_url, hospital, fakes) -> House:
    """Notifications, empty, and by day."""
    making.empty(postgres_url)
    return migrated


@pytest.fixture
def by_day(house, hospital) -> House:
    """A facility without quiet hours, because tests run at night too."""
    wanted = {"facility_id": hospital.facility, "body": making.ALL_DAY}
    making.done(house.call("set_notification_settings", version=1, **wanted))
    return house
