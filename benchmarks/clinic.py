"""The hospital that is booked in: doctors with sessions on every day, receptionists, patients, and what they want."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from benchmarks import load
from tests.system import clinic as clinics
from tests.system.clinic import ZONE, Clinic, registered, until
from tests.system.house import Client, Person, RunningHouse, add_user, new_password, sign_in, word
from tests.waiting import wait_for

PLACES_A_DAY, DAYS_A_ROUND, ROUNDS = 32, 7, 9
HIRING = 8  # accounts that set it up side by side, because the gateway limits each
T, U = TypeVar("T"), TypeVar("U")


@dataclass(frozen=True)
class Hospital:
    """One facility, and everybody who comes to it."""

    clinic: Clinic
    desks: Sequence[Person]
    patients: Sequence[str]

    def wishes(self, count: int) -> list[bytes]:
        """Whole requests, each for a free place and a patient who is free then, by the receptionists in turn.

        The days are taken a week at a time, and in each week every patient wants one appointment at most; so nobody has
        two at a time, more than one a day, or more open ones than there may be.
        """
        found: list[bytes] = []
        tokens = [each.token for each in self.desks]
        start = datetime.now(ZONE).replace(hour=6, minute=0, second=0, microsecond=0)
        for turn in range(ROUNDS):
            for patient, (doctor, day, place) in zip(self.patients, self._places(turn), strict=False):
                at = (start + timedelta(days=day)).replace(hour=6 + place // 2, minute=30 * (place % 2))
                body = self.clinic.wanted(doctor, at.isoformat(), patient)
                headers = {
                    "authorization": f"Bearer {tokens[len(found) % len(tokens)]}",
                    "idempotency-key": str(uuid.uuid4()),
                }
                path = f"{self.clinic.path}/appointments"
                found.append(load.encoded("POST", path, json.dumps(body).encode(), headers))
                if len(found) == count:
                    return found
        return found

    def _places(self, turn: int) -> list[tuple[str, int, int]]:
        """The places of one week, mixed."""
        days = range(2 + turn * DAYS_A_ROUND, 2 + (turn + 1) * DAYS_A_ROUND)
        found = [(doctor, day, n) for doctor in self.clinic.doctors for day in days for n in range(PLACES_A_DAY)]
        secrets.SystemRandom().shuffle(found)
        return found


def opened(house: RunningHouse, *, desks: int, patients: int, say: Callable[[str], object]) -> Hospital:
    """Set it all up through the gateway."""
    client = Client(house.url)
    admin = _admin(house, client)
    clinic = clinics.opened(admin)
    doctors = -(-patients // (DAYS_A_ROUND * PLACES_A_DAY)) + 1
    say(f"setting up {doctors} doctors, {desks} receptionists, {patients} patients")
    people = [admin, *side_by_side(range(HIRING - 1), lambda _: _hired(admin, "super_admin"), at_once=2)]
    side_by_side(range(doctors), lambda n: _doctor(clinic, people[n % HIRING]), at_once=4)
    shares = [len(range(n, patients, HIRING)) for n in range(HIRING)]
    parts = side_by_side(zip(people, shares, strict=True), lambda each: registered(*each), at_once=HIRING)
    # Last of all, so that their tokens do not end within the load.
    hired = side_by_side(range(desks), lambda n: _hired(people[n % HIRING], "receptionist"), at_once=4)
    for doctor in clinic.doctors:
        wait_for(lambda doctor=doctor: _is_open(clinic, hired[0], doctor), within_s=60, what="sessions that hold")
    return Hospital(clinic, hired, [each for part in parts for each in part])


def side_by_side(what: Iterable[T], act: Callable[[T], U], *, at_once: int) -> list[U]:
    """Do something to each, some at a time, each in a thread of its own."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(act, what))


def _admin(house: RunningHouse, client: Client) -> Person:
    password = house.secret("super-admin")
    person = Person(client, "", "admin", ["super_admin"], password)
    return person.sign_in().change_password().sign_in().works(within_s=20)


def _doctor(clinic: Clinic, by: Person) -> None:
    """A doctor with sessions on every day; on a busy machine some are effective only a moment later."""
    body = {"family_name": word(), "given_name": word(), "licence": clinics.licence()}
    made = until(by, "POST", "/api/v1/doctors", body).expect(201).json["id"]
    for weekday in range(1, 8):
        body = {
            "facility_id": clinic.facility, "location_id": clinic.location, "weekday": weekday, "starts": "06:00",
            "ends": "22:00", "slot_minutes": 30, "capacity": 1, "valid_from": "2020-01-01",
        }  # fmt: skip
        _open_session(by, made, body)
    clinic.doctors.append(made)


def _open_session(by: Person, doctor: str, body: dict[str, object]) -> None:
    """Add it; while a change of the plan waits to be applied, the next one is refused."""
    ends = time.monotonic() + 60
    while True:
        got = until(by, "POST", f"/api/v1/doctors/{doctor}/sessions", body)
        if got.status in {201, 202}:
            return
        if got.status != 409 or got.json["code"] != "plan_pending" or time.monotonic() > ends:
            raise RuntimeError(f"a session was refused: {got.said}")
        time.sleep(0.5)


def _is_open(clinic: Clinic, by: Person, doctor: str) -> bool:
    """Whether the last session that was added, that of Sundays, can be booked."""
    ahead = next(days for days in range(2, 9) if clinic.day(days).isoweekday() == 7)
    return len(clinic.free(by, doctor, ahead=ahead)) == PLACES_A_DAY


def _hired(admin: Person, role: str) -> Person:
    """As the tests' `hire`; sign-ins are limited at the gateway, so they are tried again as told."""
    _, person = add_user(admin, role)
    _signed_in(person)
    fresh = new_password()
    body = {"current_password": person.password, "new_password": fresh}
    until(person, "POST", "/api/v1/account/password", body).expect(204)
    person.password = fresh
    return person.works(within_s=20)


def _signed_in(person: Person) -> None:
    while (got := sign_in(person.client, person.username, password=person.password)).status in clinics.AGAIN:
        time.sleep(0.2)
    person.tokens = got.expect(201).json
