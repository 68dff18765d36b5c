"""A process that dies between writing down who sees something and showing it: the entry is there, the answer is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pymongo
import pytest
import urllib3

from services.audit import app as audit
from services.history import app as history
from standalone.servers import ports
from tests.integration.appointments.replicas import Process
from tests.integration.audit import making
from tests.integration.chassis.making import jwk_of, signing_key, token_of
from tests.integration.chassis.peer import Peer
from tests.waiting import wait_for

PATIENT = "01939c3e-0000-7000-8000-000000000001"
STANDING = {"id": PATIENT, "standing": "active", "merged_into": None}


@dataclass
class Reading:
    """A service that shows something, in a process of its own, and how to look into its outbox."""

    process: Process
    address: str
    headers: dict[str, str]
    is_written: Callable[[], bool]

    def ask(self) -> urllib3.BaseHTTPResponse:
        """Ask for what it shows."""
        pool = urllib3.PoolManager(retries=False, timeout=5, headers=self.headers)
        return pool.request("GET", self.address)

    def start(self, failpoint: str) -> None:
        """Start it, and wait until it can answer."""
        self.process.start(failpoint)
        ready = urllib3.util.parse_url(self.address)._replace(path="/readyz").url

        def is_ready() -> bool:
            try:
                return urllib3.request("GET", ready, retries=False, timeout=1).status == 200
            except urllib3.exceptions.HTTPError:
                return False

        wait_for(is_ready, within_s=60, what="the process is ready")


def of_audit(told: dict[str, str], new_postgres: Callable[[], str]) -> tuple[dict[str, str], str, Callable[[], bool]]:
    """The audit, which shows a record's accesses out of PostgreSQL."""
    environ = making.environ(new_postgres()) | told
    service = audit.service(environ)
    service.migrate()
    for close in service.close:
        close()

    def is_written() -> bool:
        with psycopg.connect(environ["DATABASE_URL"]) as look:
            return look.execute("SELECT count(*) FROM outbox").fetchone() == (1,)

    return environ, "accesses", is_written


def of_history(told: dict[str, str], server: str, database: str) -> tuple[dict[str, str], str, Callable[[], bool]]:
    """The history, which shows allergies out of MongoDB."""
    environ = {**told, "DATABASE_URL": server, "DATABASE_NAME": database, "BUS_URL": "redis://127.0.0.1:9"}
    environ |= {"PATIENTS_URL": told["IDENTITY_URL"], "SERVICE_SECRET": "not used here"}
    service = history.service(environ)
    service.migrate()
    for close in service.close:
        close()

    def is_written() -> bool:
        with pymongo.MongoClient(server) as look:
            return look[database]["outbox"].count_documents({}) == 1

    return environ, "allergies", is_written


@pytest.fixture(params=["audit", "history"])
def reading(request: pytest.FixtureRequest) -> Iterator[Reading]:
    """A service on each kind of store, with others that say what it asks."""
    key, port = signing_key(), ports.free()
    keys = {"keys": [jwk_of(key)]}
    peer = Peer(lambda each: each.answer(200, STANDING if "standing" in each.request.target else keys))
    told = {"IDENTITY_URL": peer.url, "PORT": str(port)}
    if request.param == "audit":
        environ, shown, is_written = of_audit(told, request.getfixturevalue("new_postgres"))
    else:
        server, database = request.getfixturevalue("mongo_server"), request.getfixturevalue("mongo_database")
        environ, shown, is_written = of_history(told, server, database)
    process = Process("serve", request.param, environ)
    headers = {"authorization": f"Bearer {token_of(key, roles=['super_admin'])}"}
    yield Reading(process, f"http://127.0.0.1:{port}/api/v1/patients/{PATIENT}/{shown}", headers, is_written)
    process.stop()
    peer.stop()


@pytest.mark.target("C-14")
@pytest.mark.timeout(180)
def test_who_dies_before_the_answer_has_written_down_who_was_to_see_it(reading):
    """There is no moment at which somebody has seen something and the trail does not know."""
    reading.start("answer.before")
    with pytest.raises(urllib3.exceptions.HTTPError):
        reading.ask()
    assert reading.is_written()
