"""A clinic in the running house: a facility with doctors who have sessions, and a desk at which is booked."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import urllib3

from tests.system.house import Client, Person, Reply, new_key, new_patient, word
from tests.waiting import wait_for

ZONE = ZoneInfo("Europe/Berlin")
AGAIN = {429, 503, 504}


@dataclass
class Clinic:
    """A facility, a location, one type of half an hour, and who may do everything in it."""

    admin: Person
    facility: str
    location: str
    type: str
    doctors: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/api/v1/facilities/{self.facility}"

    def doctor(self, profile: Mapping[str, object] | None = None, **session: Any) -> str:
        """A doctor with the same session on every day of the week."""
        body = {"family_name": word(), "given_name": word(), "licence": licence(), **(profile or {})}
        made = until(self.admin, "POST", "/api/v1/doctors", body).expect(201).json
        for weekday in session.pop("weekdays", range(1, 8)):
            self.session(made["id"], weekday=weekday, **session)
        self.doctors.append(made["id"])
        return str(made["id"])

    def session(self, doctor: str, **more: Any) -> dict[str, Any]:
        """One more session of a doctor; it is effective when this returns."""
        body = {
            "facility_id": self.facility,
            "location_id": self.location,
            "weekday": 1,
            "starts": "06:00",
            "ends": "22:00",
            "slot_minutes": 30,
            "capacity": 1,
            "valid_from": "2020-01-01",
            **more,
        }
        found = until(self.admin, "POST", f"/api/v1/doctors/{doctor}/sessions", body).expect(201).json
        return dict(found)

    def day(self, ahead: int = 7) -> date:
        return datetime.now(ZONE).date() + timedelta(days=ahead)

    def at(self, clock: str, *, ahead: int = 7) -> str:
        """A time on the clinic's clock some days ahead."""
        hour, minute = map(int, clock.split(":"))
        day = self.day(ahead)
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).isoformat()

    def wanted(self, doctor: str, start: str, patient: str, **more: Any) -> dict[str, Any]:
        return {
            "patient_id": patient,
            "doctor_id": doctor,
            "appointment_type_id": self.type,
            "starts_at": start,
            **more,
        }

    def booked(self, by: Person, doctor: str, start: str, patient: str, **more: Any) -> dict[str, Any]:
        """A booking that stands."""
        got = until(by, "POST", f"{self.path}/appointments", self.wanted(doctor, start, patient, **more))
        return dict(got.expect(201).json)

    def free(self, by: Person, doctor: str, *, ahead: int = 7) -> list[str]:
        query = f"doctor_id={doctor}&appointment_type_id={self.type}&limit=200"
        since, till = self.at("00:00", ahead=ahead), self.at("23:59", ahead=ahead)
        period = f"&since={since}&until={till}".replace("+", "%2B")
        found = by.get(f"{self.path}/free-places?{query}{period}").expect(200).json["items"]
        return [each["starts_at"] for each in found]

    def listed(self, by: Person, *, ahead: int = 7, days: int = 1) -> list[dict[str, Any]]:
        """All appointments of some days."""
        since, till = self.at("00:00", ahead=ahead), self.at("00:00", ahead=ahead + days)
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            query = f"since={since}&until={till}&limit=200".replace("+", "%2B") + cursor
            page = by.get(f"{self.path}/appointments?{query}").expect(200).json
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"


def opened(admin: Person) -> Clinic:
    """A new clinic."""
    body = {"name": f"Clinic {secrets.token_hex(4)}", "zone": "Europe/Berlin"}
    facility = until(admin, "POST", "/api/v1/facilities", body).expect(201).json["id"]
    body = {"facility_id": facility, "name": f"Wing {secrets.token_hex(4)}"}
    location = until(admin, "POST", "/api/v1/locations", body).expect(201).json["id"]
    body = {"name": f"Visit {secrets.token_hex(4)}", "minutes": 30, "color": "#2f6fab", "audience": "everyone"}
    kind = until(admin, "POST", "/api/v1/appointment-types", body).expect(201).json["id"]
    return Clinic(admin, facility, location, kind)


def registered(by: Person, count: int, *, emails: bool = False) -> list[str]:
    """So many patients; with mail addresses, or out of reach of every message."""
    made = []
    for _ in range(count):
        more = {"emails": [{"address": f"{word().lower()}@example.org", "use": "home"}]} if emails else {}
        made.append(str(until(by, "POST", "/api/v1/patients", new_patient(**more)).expect(201).json["id"]))
    return made


def licence() -> dict[str, str]:
    return {"number": secrets.token_hex(6), "authority": "Medical Chamber"}


def until(
    person: Person,
    method: str,
    path: str,
    body: object = None,
    *,
    key: str | None = None,
    if_match: str | None = None,
    again: Counter[str] | None = None,
) -> Reply:
    """A request that is sent again, with the same key, while the answer says "not now" or there is none.

    `again` counts those by what was said.
    """
    name, ends = key or new_key(), time.monotonic() + 60
    while True:
        try:
            got = person.send(method, path, body, key=name if method == "POST" else None, if_match=if_match)
            if got.status not in AGAIN and not (got.status == 409 and got.json["code"] == "still_running"):
                return got
            said = f"{got.status} {got.json['code']}"
        except urllib3.exceptions.HTTPError:
            said = "no answer"
        if again is not None:
            again[said] += 1
        assert time.monotonic() < ends, f"{method} {path} was not decided within a minute"
        time.sleep(random.uniform(0.05, 0.2))


def settled(is_so: Callable[[], bool]) -> None:
    """Once what was changed in one service is known in the other."""
    wait_for(is_so, within_s=40, what="the change is known")


def at_once(run: Callable[[int], Any], count: int) -> list[Any]:
    """Run something so many times, all let go at the same moment."""
    gate = threading.Barrier(count)

    def one(number: int) -> Any:
        gate.wait()
        return run(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@contextmanager
def clients(url: str, count: int) -> Iterator[Sequence[Client]]:
    """Clients with connections of their own."""
    made = [Client(url) for _ in range(count)]
    try:
        yield made
    finally:
        for each in made:
            each.close()
