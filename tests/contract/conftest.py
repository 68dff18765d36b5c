"""Every service as its real application, on real stores of its own, migrated and empty."""

from __future__ import annotations

import base64
import importlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping

import pytest
import uvicorn

from services.chassis.testing import House
from tests.contract.contracts import CONTRACTS
from tests.contract.requests import SERVICE_SECRET, SUPER_ADMIN_PASSWORD


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
        made[name] = House(service)
        if name == "patients":
            served.append(Served(made[name]))
            shared["patients_at"] = served[0].url
    yield made
    for each in [*served, *reversed(made.values())]:
        each.stop() if isinstance(each, Served) else each.close()
