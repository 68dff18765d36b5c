"""Signing keys under load, in a house of their own: turned without one false refusal, and withdrawn in time."""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.chassis.auth import open_token
from tests.contract.contracts import CONTRACTS
from tests.contract.requests import path_of
from tests.system.house import Client, Person, RunningHouse, hire, new_patient, sign_in
from tests.waiting import wait_for, within

HOLDS_WITHIN_S, AT_THE_GATEWAY_S = 2.0, 60.0
TURNED_WITHIN_S, AFTERWARDS_S = 150.0, 15.0
REFRESH_EVERY = 20


@pytest.fixture(scope="module")
def own_house() -> Iterator[RunningHouse]:
    """What happens to its keys happens to nobody else's tokens."""
    with tempfile.TemporaryDirectory(prefix="house-", ignore_cleanup_errors=True) as folder:
        running = RunningHouse(Path(folder) / "house", scale="identity=2,patients=2")
        try:
            running.up()
            yield running
        finally:
            running.down()


@pytest.fixture(scope="module")
def boss(own_house: RunningHouse) -> Person:
    """Its super admin."""
    client, first = Client(own_house.url), own_house.secret("super-admin")
    person = Person(client, "", "admin", ["super_admin"], first, sign_in(client, "admin", password=first).json)
    return person.change_password().sign_in().works()


class Worker:
    """Somebody who works all the time, and refreshes the tokens now and then; `statuses` is what came of it."""

    def __init__(self, person: Person) -> None:
        self.person, self.statuses, self._stopping = person, Counter[int](), threading.Event()
        self.refreshes = 0
        self._path = person.post("/api/v1/patients", new_patient()).expect(201).headers["location"]
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        assert self._thread.is_alive(), "a refresh was refused"
        self._stopping.set()
        self._thread.join(30)

    def _work(self) -> None:
        for turn in itertools.count(1):
            if self._stopping.wait(0.05):
                return
            for path in ("/api/v1/account", self._path):
                self.statuses[self.person.get(path).status] += 1
            if turn % REFRESH_EVERY == 0:
                self.refreshes += 1
                refreshed(self.person)


def refreshed(person: Person) -> str:
    """Exchange the refresh token; the id of the key that signed the new access token."""
    body = {"refresh_token": person.tokens["refresh_token"]}
    person.tokens = person.client.send("POST", "/api/v1/sessions/refresh", body).expect(200).json
    return str(open_token(person.token).header["kid"])


@pytest.mark.nightly
@pytest.mark.target("B-24")
@pytest.mark.timeout(900)
def test_a_key_that_is_turned_refuses_nobody_and_one_that_is_withdrawn_is_dead_in_time(own_house, boss, figure):
    workers = [Worker(hire(boss, "receptionist")) for _ in range(2)]
    made = boss.post("/api/v1/signing-keys").expect(201).json["id"]
    wait_for(lambda: refreshed(boss) == made, within_s=TURNED_WITHIN_S, what="the new key signs", step_s=5)
    time.sleep(AFTERWARDS_S)  # tokens of both keys are in use
    for each in workers:
        each.stop()
    seen = sum((each.statuses for each in workers), Counter[int]())
    assert set(seen) == {200}, seen
    assert seen.total() > 500
    assert all(each.refreshes for each in workers)

    person = hire(boss, "receptionist")
    old, kid = person.token, open_token(person.token).header["kid"]
    boss.post(f"/api/v1/signing-keys/{kid}/withdraw").expect(200)
    began = time.monotonic()
    for name, path in first_reads().items():
        direct = Client(f"http://127.0.0.1:{own_house.port(name)}")
        assert within(HOLDS_WITHIN_S, refuses(direct, old, path=path)), f"{name} goes on"
    assert time.monotonic() - began < HOLDS_WITHIN_S * 2
    assert within(AT_THE_GATEWAY_S, refuses(person.client, old))
    assert refreshed(person) != kid, "the session goes on with the next key"
    began = time.monotonic()
    wait_for(
        lambda: person.get("/api/v1/account").status == 200, within_s=AT_THE_GATEWAY_S, what="the gateway knows it"
    )
    figure("the gateway refused tokens of the next key for", time.monotonic() - began, "s")
    for path in first_reads().values():
        assert refuses(person.client, old, path=path)(), path


def first_reads() -> dict[str, str]:
    """Of each service one thing that is read with a token."""
    reads = {
        name: next(each for each in contract.operations.values() if each.method == "GET" and not each.is_public)
        for name, contract in CONTRACTS.items()
    }
    return {name: each.path.format(**path_of(each)) for name, each in reads.items()}


def refuses(client: Client, token: str, *, path: str = "/api/v1/account") -> Callable[[], bool]:
    """Whether a token opens nothing any more."""
    return lambda: client.send("GET", path, token=token).status == 401
