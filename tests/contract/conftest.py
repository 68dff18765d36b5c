"""Every service as its real application, on real stores of its own, migrated and empty."""

from __future__ import annotations

import base64
import importlib
import json
import secrets
import threading
from collections.abc import Iterator, Mapping

import pymongo
import pytest
import uvicorn

from services.chassis import spec
from services.chassis.call import Call
from services.chassis.service import new_id, now
from services.chassis.spec import Operation
from services.chassis.testing import Got, House
from services.kernel.access import NOBODY
from standalone.servers import ports
from tests import stores
from tests.contract.contracts import CONTRACTS, OPENAPI
from tests.contract.journey import Journey
from tests.contract.requests import SERVICE_SECRET, SMS_REPLY_SECRET, SUPER_ADMIN_PASSWORD, body_examples
from tests.contract.subjects import SessionTokens
from tests.contract.told import Told
from tests.integration.chassis.redis_server import OwnRedis
from tests.mailbox import Links, Mailbox, tokens
from tests.provider import Provider

ASKED = ("identity", "patients", "doctors", "appointments")  # services that others ask


class Served:
    """An application behind a real port, for the service that calls it."""

    def __init__(self, house: House, *, port: int) -> None:
        config = uvicorn.Config(house.web.app, port=port, lifespan="off", log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)

    def stop(self) -> None:
        """End it."""
        self._server.should_exit = True
        self._thread.join(10)


def environ(service: str, shared: Mapping[str, str], *, outside: Mapping[str, str]) -> dict[str, str]:
    """What a service is told: the same names for all, each takes those that it knows."""
    return {
        "DATABASE_URL": shared[f"{service}_url"],
        "DATABASE_NAME": shared["mongo_database"],
        "BUS_URL": shared["bus_url"],
        "RECORDS_URL": shared["bus_url"],
        **{f"{name.upper()}_URL": f"http://127.0.0.1:{shared[name]}" for name in ASKED},
        "SERVICE_SECRET": SERVICE_SECRET,
        "MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "SUPER_ADMIN_PASSWORD": SUPER_ADMIN_PASSWORD,
        "SERVICE_ACCOUNTS": json.dumps(dict.fromkeys(("history", "doctors", "identity"), SERVICE_SECRET)),
        **outside,
        "CHECKPOINT_KEY": "made for this test only, and long enough",
        "CONTACT_KEY": "made for this test only, and long enough",
        "SMS_REPLY_SECRET": SMS_REPLY_SECRET,
    }


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    """Where the mails of the house come to."""
    made = Mailbox()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def links(houses, mailbox) -> Links:
    """What the newest mail to an address links to; what a worker sends in time is sent now."""

    def newest(address: str) -> str:
        job = next(each for each in houses["identity"].service.jobs if each.name == "identity_mail")
        made = new_id()
        job.run(Call(id=made, operation="mail", actor=NOBODY, at=now(), request_id=str(made)))
        return tokens(mailbox.newest_first(), to=address)[0]

    return newest


@pytest.fixture(scope="session")
def own_redis(tmp_path_factory) -> Iterator[str]:
    """A Redis that a test may fill up without being felt in the tests of another worker."""
    server = OwnRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server.url
    server.kill()


@pytest.fixture(scope="session")
def houses(postgres_server, mongo_server, own_redis, mailbox) -> Iterator[dict[str, House]]:
    """All services by name; those that ask others call the real ones over HTTP. One set for all tests here."""
    name = f"t_contract_{secrets.token_hex(4)}"
    with stores.databases(postgres_server, name) as make, pymongo.MongoClient(mongo_server) as admin:
        urls = {f"{each}_url": mongo_server if each == "history" else make() for each in CONTRACTS}
        at = {name: str(ports.free()) for name in ASKED}
        shared = {**urls, **at, "bus_url": own_redis, "mongo_database": name}
        with Provider() as provider:
            yield from started(shared, outside={**provider.settings(), **mailbox.settings()})
        admin.drop_database(name)


class Performed:
    """Operations with one of their examples (`""` where there is no body), each performed once in a run."""

    def __init__(self, houses: Mapping[str, House], links: Links) -> None:
        self._houses, self._links = houses, links
        self._done: dict[tuple[str, str], tuple[Got, Journey]] = {}

    def __call__(self, operation: Operation, name: str) -> Got:
        """The answer."""
        return self.with_journey(operation, name)[0]

    def with_journey(self, operation: Operation, name: str) -> tuple[Got, Journey]:
        """The answer, and the journey on which it was given, with all that it has made."""
        key = (operation.operation_id, name)
        if key not in self._done:
            journey = Journey(self._houses, links=self._links)
            got = journey.perform(operation.operation_id, body=body_examples(operation).get(name))
            self._done[key] = got, journey
        return self._done[key]


@pytest.fixture(scope="session")
def performed(houses, links) -> Performed:
    """Every operation, performed when it is first asked for."""
    return Performed(houses, links)


@pytest.fixture(scope="session")
def told(houses) -> Told:
    """All that the services have told."""
    return Told(houses)


def started(shared: dict[str, str], *, outside: Mapping[str, str]) -> Iterator[dict[str, House]]:
    """Build, migrate and serve."""
    made: dict[str, House] = {}
    served: list[Served] = []
    for name in CONTRACTS:
        service = importlib.import_module(f"services.{name}.app").service(environ(name, shared, outside=outside))
        service.migrate()
        made[name] = House(service, tokens=SessionTokens(spec.permissions(OPENAPI)))
        if name in ASKED:
            served.append(Served(made[name], port=int(shared[name])))
    yield made
    for each in [*served, *reversed(made.values())]:
        each.close() if isinstance(each, House) else each.stop()
