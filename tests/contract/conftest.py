"""Every service as its real application, on real stores of its own, migrated and empty."""

from __future__ import annotations

import base64
import dataclasses
import importlib
import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pymongo
import pytest
import uvicorn

from services.chassis import spec
from services.chassis.spec import Operation
from services.chassis.testing import Got, House, RoleTokens
from services.kernel.access import Actor
from tests import booking, stores
from tests.contract.contracts import CONTRACTS, OPENAPI
from tests.contract.journey import Journey
from tests.contract.requests import SERVICE_SECRET, SUPER_ADMIN_PASSWORD, body_examples

ASKED = ("identity", "patients")  # services that others ask


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
    if service == "doctors":
        own["OPENAPI_DIR"] = shared["contracts"]
    return {
        **own,
        "BUS_URL": shared["bus_url"],
        "IDENTITY_URL": shared["identity_at"],
        "PATIENTS_URL": shared["patients_at"],
        "APPOINTMENTS_URL": shared["appointments_at"],
        "SERVICE_SECRET": SERVICE_SECRET,
        "MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "SUPER_ADMIN_PASSWORD": SUPER_ADMIN_PASSWORD,
        "SERVICE_ACCOUNTS": json.dumps({"history": SERVICE_SECRET, "doctors": SERVICE_SECRET}),
        "CHECKPOINT_KEY": "made for this test only, and long enough",
    }


@pytest.fixture(scope="session")
def houses(postgres_server, mongo_server, redis_server, tmp_path_factory) -> Iterator[dict[str, House]]:
    """All services by name; those that ask `patients` and `identity` call the real ones over HTTP.

    Plans are taken by a peer that says yes. One set for all tests of this folder.
    """
    name = f"t_contract_{secrets.token_hex(4)}"
    with stores.databases(postgres_server, name) as make, pymongo.MongoClient(mongo_server) as admin:
        urls = {f"{each}_url": mongo_server if each == "history" else make() for each in CONTRACTS}
        at = {"bus_url": redis_server, "contracts": str(booking.contracts(tmp_path_factory.mktemp("contracts")))}
        yield from started({**urls, **at, "mongo_database": name})
        admin.drop_database(name)


@pytest.fixture(scope="session")
def performed(houses) -> Callable[[Operation, str], Got]:
    """The answer to an operation with one of its examples (`""` where it has no body), each performed once in a run."""
    done: dict[tuple[str, str], Got] = {}

    def perform(operation: Operation, name: str) -> Got:
        key = (operation.operation_id, name)
        if key not in done:
            done[key] = Journey(houses).perform(operation.operation_id, body=body_examples(operation).get(name))
        return done[key]

    return perform


def started(shared: dict[str, str]) -> Iterator[dict[str, House]]:
    """Build, migrate and serve; those that others ask come first."""
    appointments = booking.Booking()
    shared |= dict.fromkeys((f"{name}_at" for name in ASKED), "http://127.0.0.1:9")
    shared["appointments_at"] = appointments.url
    made: dict[str, House] = {}
    served: list[Served] = []
    for name in sorted(CONTRACTS, key=lambda each: each not in ASKED):
        service = importlib.import_module(f"services.{name}.app").service(environ(name, shared))
        service.migrate()
        made[name] = House(service, tokens=SessionTokens(spec.permissions(OPENAPI)))
        if name in ASKED:
            served.append(Served(made[name]))
            shared[f"{name}_at"] = served[-1].url
    yield made
    for each in [*served, appointments, *reversed(made.values())]:
        each.close() if isinstance(each, House) else each.stop()
