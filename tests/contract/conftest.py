"""Every service as its real application, on real stores of its own, migrated and empty."""

from __future__ import annotations

import base64
import dataclasses
import importlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import uvicorn

from services.chassis import spec
from services.chassis.testing import House, RoleTokens
from services.kernel.access import Actor
from tests.contract.contracts import CONTRACTS, OPENAPI
from tests.contract.requests import SERVICE_SECRET, SUPER_ADMIN_PASSWORD


class SessionTokens(RoleTokens):
    """Tokens of the form `role@subject/session`: who acts, and in which session."""

    def actor(self, token: str) -> tuple[Actor, Mapping[str, Any]]:
        """The account that a token names, in its session."""
        actor, claims = super().actor(token)
        subject, _, session = actor.subject.partition("/")
        session = session or actor.session
        return dataclasses.replace(actor, subject=subject, session=session), {**claims, "sub": subject, "sid": session}


class Served:
    """An application behind a real port, for the service that calls it."""

    def __init__(self, house: House) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = uvicorn.Config(house.web.app, port=port, lifespan="off", log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """End it."""
        self._server.should_exit = True
        self._thread.join(10)


def environ(service: str, shared: Mapping[str, str]) -> dict[str, str]:
    """What a service is told: the same names for all, each takes those that it knows."""
    own = {"DATABASE_URL": shared[f"{service}_url"], "DATABASE_NAME": shared["mongo_database"]}
    return {
        **own,
        "BUS_URL": shared["bus_url"],
        "IDENTITY_URL": "http://127.0.0.1:9",
        "PATIENTS_URL": shared["patients_at"],
        "SERVICE_SECRET": SERVICE_SECRET,
        "MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "SUPER_ADMIN_PASSWORD": SUPER_ADMIN_PASSWORD,
        "SERVICE_ACCOUNTS": json.dumps({"history": SERVICE_SECRET}),
        "CHECKPOINT_KEY": "made for this test only, and long enough",
    }


@pytest.fixture(scope="module")
def houses(new_postgres, mongo_server, mongo_database, redis_server) -> Iterator[dict[str, House]]:
    """All services by name; `history` calls the real `patients` over HTTP."""
    shared = {f"{name}_url": mongo_server if name == "history" else new_postgres() for name in CONTRACTS}
    shared |= {"mongo_database": mongo_database, "bus_url": redis_server, "patients_at": "http://127.0.0.1:9"}
    made: dict[str, House] = {}
    served: list[Served] = []
    for name in sorted(CONTRACTS, key=lambda each: each != "patients"):
        service = importlib.import_module(f"services.{name}.app").service(environ(name, shared))
        service.migrate()
        made[name] = House(service, tokens=SessionTokens(spec.permissions(OPENAPI)))
        if name == "patients":
            served.append(Served(made[name]))
            shared["patients_at"] = served[0].url
    yield made
    for each in [*served, *reversed(made.values())]:
        each.stop() if isinstance(each, Served) else each.close()
