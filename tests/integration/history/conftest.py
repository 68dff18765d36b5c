"""The history in a database of its own, and a service of patients that says what the test wants."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from services.chassis.testing import House
from services.history import app
from tests.integration.chassis.peer import Connection, Peer
from tests.integration.history import making


class Patients:
    """What `patients` says of each record; `answer` overrides it with one status for all."""

    def __init__(self) -> None:
        self.known = {making.PATIENT: ("active", None), making.OTHER: ("active", None)}
        self.status: int | None = None
        self.peer = Peer(self._answer)

    def _answer(self, connection: Connection) -> None:
        asked = r"/api/v1/patients/([0-9a-f-]{36})/standing\?permission=history\.[a-z]+"
        found = re.fullmatch(asked, connection.request.target)
        known = self.known.get(found[1]) if found else None
        status = self.status or (200 if known else 404)
        body = {"id": found[1], "standing": known[0], "merged_into": known[1]} if status == 200 else {"status": status}
        connection.answer(status, json.loads(json.dumps(body)))

    @property
    def asked(self) -> list[str | None]:
        """The tokens that it was asked with."""
        return [request.headers.get("authorization") for request in self.peer.requests]


@pytest.fixture
def patients() -> Iterator[Patients]:
    """A service of patients with two active records."""
    made = Patients()
    yield made
    made.peer.stop()


@pytest.fixture
def house(mongo_server, mongo_database, redis_server, patients) -> Iterator[House]:
    """The history, migrated and empty."""
    environ = {
        "DATABASE_URL": mongo_server,
        "DATABASE_NAME": mongo_database,
        "PATIENTS_URL": patients.peer.url,
        "BUS_URL": redis_server,
        "IDENTITY_URL": "http://127.0.0.1:9",
        "SERVICE_SECRET": "not used here",
    }
    service = app.service(environ)
    service.migrate()
    made = House(service)
    making.empty(made)
    made.send("GET", "/")  # the application is put together by its first request, which threads must not share
    yield made
    made.close()
