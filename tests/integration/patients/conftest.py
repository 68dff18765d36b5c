"""The patients in a database of their own, called through their whole web application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.chassis import spec
from services.chassis.testing import House, RoleTokens
from services.kernel.access import Actor
from services.patients import app
from tests.integration.patients import making


class Tokens(RoleTokens):
    """The roles of the system, and `kiosk`: an own role that registers and may not read."""

    def actor(self, token):
        """The account that a token names."""
        role, _, subject = token.partition("@")
        if role != "kiosk":
            return super().actor(token)
        permissions = frozenset({"patients.register"})
        actor = Actor(subject=subject, session="test", roles=frozenset({role}), permissions=permissions)
        return actor, {"sub": subject, "sid": "test", "roles": [role]}


@pytest.fixture(scope="module")
def migrated(postgres_url, redis_server) -> Iterator[House]:
    """The patients, migrated; one application for a module."""
    service = app.service(making.environ(postgres_url, redis_server))
    service.migrate()
    made = House(service, tokens=Tokens(spec.permissions(service.settings.openapi_dir)))
    made.send("GET", "/")  # the application is put together by its first request, which threads must not share
    yield made
    made.close()


@pytest.fixture
def house(migrated, postgres_url) -> House:
    """The patients, empty."""
    making.empty(postgres_url)
    return migrated
