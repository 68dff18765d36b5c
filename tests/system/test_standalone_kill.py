"""The proof by killing: clients write through the gateway while each process of the house is killed in turn."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import urllib3

from standalone import identities, needs, state
from standalone.state import ProcessState
from tests.system.house import Client, Person, RunningHouse, new_allergy, new_key, new_patient
from tests.waiting import wait_for

STORES = ["postgresql", "mongodb", "redis-records", "redis-bus", "redis-cache"]
PROGRAMS = [*needs.programs(), *(f"{service}-worker" for service in needs.services())]
PARTS = [*PROGRAMS, *STORES, "gateway", "inbox"]

WRITERS = 2
PAUSE_S = 0.05
DECIDED_S = 120.0


@dataclass
class Writer:
    """One client that registers patients and writes allergies, each with one key until it has a final answer.

    patients, allergies: what was answered 2xx. seen: every answer that was not, with what it said about trying again.
    """

    house: RunningHouse
    receptionist: Person
    nurse: Person
    stop: threading.Event
    patients: list[str] = field(default_factory=list)
    allergies: list[tuple[str, str]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    undecided: int = 0

    def run(self) -> None:
        client = Client(self.house.url)
        while not self.stop.wait(PAUSE_S):
            patient = self._decided(client, "/api/v1/patients", body=new_patient(), person=self.receptionist)
            if patient is None:
                continue
            self.patients.append(patient)
            place = f"/api/v1/patients/{patient}/allergies"
            allergy = self._decided(client, place, body=new_allergy("Penicillin"), person=self.nurse)
            if allergy is not None:
                self.allergies.append((patient, allergy))
        client.close()

    def _decided(self, client: Client, path: str, *, body: object, person: Person) -> str | None:
        """The id of what was made, once that is sure; the same request with the same key until then."""
        key, until, is_unknown = new_key(), time.monotonic() + DECIDED_S, False
        while time.monotonic() < until:
            try:
                reply = client.send("POST", path, body, token=person.token, key=key)
            except urllib3.exceptions.HTTPError:
                is_unknown = True
                time.sleep(0.1)  # a connection refused or reset: the process is gone
                continue
            if reply.status in {200, 201}:
                return str(reply.json["id"])
            if reply.status == 409 and is_unknown and reply.json["code"] == "still_running":
                time.sleep(0.1)  # the first attempt, whose answer was lost, is still at work: a true answer
                continue
            is_unknown = True
            self.seen.append(f"{reply.status} retry-after={reply.headers.get('retry-after', 'none')}")
            time.sleep(0.2)
        self.undecided += 1
        return None


def part(house: RunningHouse, name: str) -> ProcessState:
    """How one process is now, as the supervisor wrote it down."""
    return next(each for each in state.read(house.home / "run" / "state.json").processes if each.name == name)


def kill(process: ProcessState) -> None:
    """`kill -9`, for this very process and no other that has its id by now."""
    assert process.lives, f"{process.name} does not run"
    os.kill(process.pid, signal.SIGKILL)


def is_back(house: RunningHouse, before: ProcessState) -> bool:
    now = part(house, before.name)
    return now.pid != before.pid and now.lives and now.health == state.READY


def is_well(house: RunningHouse) -> bool:
    return state.read(house.home / "run" / "state.json").is_healthy


@contextmanager
def writing(house: RunningHouse, *, receptionist: Person, nurse: Person) -> Iterator[list[Writer]]:
    """Clients that write within the block, and have a final answer to each of their requests after it."""
    stop = threading.Event()
    writers = [Writer(house, receptionist.sign_in(), nurse.sign_in(), stop) for _ in range(WRITERS)]
    threads = [threading.Thread(target=writer.run) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def require_all_kept(writers: list[Writer], *, receptionist: Person, nurse: Person) -> None:
    """Everything that was answered 2xx is there, and nothing was left without an answer."""
    for writer in writers:
        assert writer.undecided == 0
        for patient in writer.patients:
            receptionist.get(f"/api/v1/patients/{patient}").expect(200)
        for patient, allergy in writer.allergies:
            kept = nurse.get(f"/api/v1/patients/{patient}/allergies").expect(200).json["items"]
            assert [each["id"] for each in kept] == [allergy]  # there, and once only


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", PARTS)
def test_nothing_that_was_answered_is_lost_when_a_process_is_killed(
    name: str, house: RunningHouse, receptionist: Person, nurse: Person, figure
):
    """It comes back by itself, and clients saw only 503 with Retry-After or a broken connection."""
    wait_for(lambda: is_well(house), within_s=30, what="the whole house is well")
    before = part(house, name)
    with writing(house, receptionist=receptionist, nurse=nurse) as writers:
        wait_for(lambda: all(len(each.patients) > 3 for each in writers), within_s=30, what="clients write")
        kill(before)
        killed_at = time.monotonic()
        wait_for(lambda: is_back(house, before), within_s=60, what=f"{name} is back", step_s=0.02)
        took_s = time.monotonic() - killed_at
        counts = [len(each.patients) for each in writers]
        wait_for(
            lambda: all(len(each.patients) > count + 3 for each, count in zip(writers, counts, strict=True)),
            within_s=30,
            what="clients write again",
        )
    odd = {seen for writer in writers for seen in writer.seen if not seen.startswith("503") or seen.endswith("none")}
    assert not odd
    require_all_kept(writers, receptionist=receptionist, nurse=nurse)
    figure(f"{name} was back after", took_s, "s")


@pytest.mark.timeout(300)
def test_a_house_that_was_killed_as_a_whole_comes_up_with_all_that_was_answered(
    house: RunningHouse, receptionist: Person, nurse: Person
):
    """`kill -9` of the supervisor and everything it keeps, while clients write; then `up`, and all of it is there."""
    wait_for(lambda: is_well(house), within_s=30, what="the whole house is well")
    known = state.read(house.home / "run" / "state.json")
    with writing(house, receptionist=receptionist, nurse=nurse) as writers:
        wait_for(lambda: all(len(each.patients) > 3 for each in writers), within_s=30, what="clients write")
        os.kill(known.pid, signal.SIGKILL)
        for process in known.processes:
            kill(process)
        gone = [(each.pid, each.began or "") for each in known.processes]
        assert identities.wait_gone(gone, timeout_s=10) == []
        house.up()
    require_all_kept(writers, receptionist=receptionist, nurse=nurse)


@pytest.mark.timeout(300)
def test_a_supervisor_that_was_killed_leaves_a_house_that_serves_and_is_taken_over(
    house: RunningHouse, receptionist: Person
):
    """Nobody is thrown out by the death of the supervisor alone; `up` takes what it left, and two never run at once."""
    wait_for(lambda: is_well(house), within_s=30, what="the whole house is well")
    known = state.read(house.home / "run" / "state.json")
    os.kill(known.pid, signal.SIGKILL)
    assert identities.wait_gone([(known.pid, known.began or "")], timeout_s=10) == []
    patient = receptionist.sign_in().post("/api/v1/patients", new_patient()).expect(201).json["id"]
    house.up()
    assert not [each.name for each in known.processes if each.lives]
    receptionist.get(f"/api/v1/patients/{patient}").expect(200)
