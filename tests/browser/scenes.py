"""A demo house on an ordinary day: weeks behind it, people in the waiting room, requests, leave, a patient at home.

The demo itself books the coming week; what is added here is the same for the same day, and everybody is invented.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote

from standalone.demo_schedules import DOCTORS, REASONS
from tests.system.clinic import ZONE, until
from tests.system.house import Client, Person, RunningHouse

SEED, WEEKS, AT_ONCE = 20, 4, 6
NAMES = {
    "admin": "Arvid Nyhammar",
    "receptionist": "Rieke Sandholz",
    "nurse": "Ottilie Brandvik",
    "doctor": "Dr. Mathilde Ahrensburg",
    "pharmacist": "Casimir Oakhurst",
    "records-clerk": "Jorun Fjeldby",
    "auditor": "Nadira Solberg",
}
STAFF = (
    ("t.wexford", "Tamsin Wexford", "receptionist"),
    ("l.brunvoll", "Leif Brunvoll", "receptionist"),
    ("a.castellane", "Aurélie Castellane", "nurse"),
    ("h.obermoser", "Hannes Obermoser", "nurse"),
    ("s.kivimaki", "Saara Kivimäki", "doctor"),
    ("p.zajaczek", "Piotr Zajączek", "pharmacist"),
)
ENDS = (("completed", 86), ("no_show", 8), ("booked", 6))


@dataclass(frozen=True)
class Wish:
    """One appointment to be made, and how far it has come."""

    doctor: str
    patient: str
    type: str
    starts_at: datetime
    reason: str | None
    status: str


@dataclass
class Scene:
    """What the pictures are taken of."""

    house: RunningHouse
    client: Client
    boss: Person
    facility: str
    locations: Sequence[str]
    doctors: Sequence[str]
    types: dict[str, str]
    patients: Sequence[dict[str, Any]]

    @property
    def path(self) -> str:
        return f"/api/v1/facilities/{self.facility}"

    def do(self, path: str, body: object, *, by: Person | None = None, version: int | None = None) -> Any:
        """A change that is taken; None where the house has a reason against it (somebody is busy, has enough)."""
        got = until(by or self.boss, "POST", path, body, if_match=None if version is None else f'"{version}"')
        return got.json if got.status < 300 else None


def dressed(house: RunningHouse) -> Scene:
    """The house, with everything in it that the pictures want to show."""
    scene = _found(house)
    _name_people(scene)
    today = datetime.now(ZONE).date()
    _open_today(scene, today)
    wishes = [*_weeks(scene, today), *_today(scene, today)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda wish: _make(scene, wish), wishes))
    _requests(scene, today)
    _closed(scene, today)
    _at_home(scene, today)
    return scene


def signed_in(house: RunningHouse, client: Client, username: str, secret: str) -> Person:
    """Somebody of the house."""
    return Person(client, "", username, [], house.secret(secret)).sign_in()


def _found(house: RunningHouse) -> Scene:
    client = Client(house.url)
    boss = signed_in(house, client, "admin", "super-admin-changed")

    def listed(path: str) -> list[dict[str, Any]]:
        return list(boss.get(f"{path}?limit=100").expect(200).json["items"])

    doctors = {each["family_name"]: each["id"] for each in listed("/api/v1/doctors")}
    desk = signed_in(house, client, "demo.receptionist", "demo-password")
    facility = listed("/api/v1/facilities")[0]["id"]
    booked = (
        desk.get(f"/api/v1/facilities/{facility}/appointments?limit=200&{_period(days=8)}").expect(200).json["items"]
    )
    ids = list(dict.fromkeys(each["patient_id"] for each in booked))[:60]
    return Scene(
        house=house,
        client=client,
        boss=boss,
        facility=facility,
        locations=[each["id"] for each in listed("/api/v1/locations")],
        doctors=[doctors[each.family_name] for each in DOCTORS],
        types={each["name"]: each["id"] for each in listed("/api/v1/appointment-types")},
        patients=[boss.get(f"/api/v1/patients/{each}").expect(200).json for each in sorted(ids)],
    )


def _period(*, days: int) -> str:
    begins = datetime.combine(datetime.now(ZONE).date(), time(0), ZONE)
    return f"since={quote(begins.isoformat())}&until={quote((begins + timedelta(days=days)).isoformat())}"


def _name_people(scene: Scene) -> None:
    """Accounts of a demo are called after their roles; people are not."""
    known = {each["username"]: each for each in scene.boss.get("/api/v1/users?limit=100").expect(200).json["items"]}
    for role, name in NAMES.items():
        account = known[f"demo.{role}"]
        path = f"/api/v1/users/{account['id']}"
        scene.boss.send("PATCH", path, {"display_name": name}, if_match=f'"{account["version"]}"').expect(200)
    for username, name, role in STAFF:
        scene.do("/api/v1/users", {"username": username, "display_name": name, "roles": [role]})


def _open_today(scene: Scene, today: date) -> None:
    """Pictures taken on a Sunday show a house that is open on Sundays."""
    if today.isoweekday() <= 5:
        return
    for number, doctor in enumerate(scene.doctors):
        for starts, ends in DOCTORS[number].hours:
            body = {
                "facility_id": scene.facility,
                "location_id": scene.locations[number % len(scene.locations)],
                "weekday": today.isoweekday(),
                "starts": starts,
                "ends": ends,
                "slot_minutes": 15,
                "valid_from": today.isoformat(),
            }
            scene.do(f"/api/v1/doctors/{doctor}/sessions", body)


def _weeks(scene: Scene, today: date) -> Iterator[Wish]:
    """Those that are over: most were as planned."""
    chance = random.Random(SEED)
    for ago in range(1, WEEKS * 7):
        day = today - timedelta(days=ago)
        if day.isoweekday() > 5:
            continue
        for starts, wish in _asked(scene, day, chance, share=0.16 + 0.06 * chance.random()):
            names, weights = zip(*ENDS, strict=True)
            status = chance.choices(names, weights)[0] if ago > 1 else "completed"
            yield wish(starts, status if status != "booked" or ago < 5 else "completed")


def _today(scene: Scene, today: date) -> Iterator[Wish]:
    """One after the other: done, being seen, in the waiting room, still to come."""
    chance, now = random.Random(SEED + 1), datetime.now(ZONE)
    is_waiting = 0
    for starts, wish in _asked(scene, today, chance, share=0.5):
        if starts + timedelta(minutes=45) <= now:
            yield wish(starts, "completed")
        elif starts <= now + timedelta(minutes=15):
            yield wish(starts, "in_progress")
        elif is_waiting < 3:
            is_waiting += 1
            yield wish(starts, "arrived")
        else:
            yield wish(starts, "booked")


def _asked(
    scene: Scene, day: date, chance: random.Random, *, share: float
) -> Iterator[tuple[datetime, Callable[[datetime, str], Wish]]]:
    """Some of the half hours of a day, with whom."""
    kinds = [scene.types[each] for each in ("Follow-up", "Follow-up", "Short consultation")]
    for number, doctor in enumerate(scene.doctors):
        for starts in _half_hours(day, DOCTORS[number].hours):
            if chance.random() >= share:
                continue
            patient, kind = chance.choice(scene.patients)["id"], chance.choice(kinds)
            yield starts, _wished(doctor, patient, kind, chance.choice(REASONS))


def _wished(doctor: str, patient: str, kind: str, reason: str | None) -> Callable[[datetime, str], Wish]:
    return lambda at, status: Wish(doctor, patient, kind, at, reason, status)


def _half_hours(day: date, hours: Iterable[tuple[str, str]]) -> Iterator[datetime]:
    for starts, ends in hours:
        at = datetime.combine(day, time.fromisoformat(starts), ZONE)
        while at + timedelta(minutes=30) <= datetime.combine(day, time.fromisoformat(ends), ZONE):
            yield at
            at += timedelta(minutes=30)


def _make(scene: Scene, wish: Wish) -> None:
    body = {
        "patient_id": wish.patient,
        "doctor_id": wish.doctor,
        "appointment_type_id": wish.type,
        "starts_at": wish.starts_at.isoformat(),
    }
    body |= {} if wish.reason is None else {"reason": wish.reason}
    if wish.starts_at + timedelta(minutes=30) <= datetime.now(ZONE):
        body["retro_reason"] = "Taken over from the old book"
    made = scene.do(f"{scene.path}/appointments", body)
    steps = {
        "no_show": ["no_show"],
        "arrived": ["arrived"],
        "in_progress": ["arrived", "in_progress"],
        "completed": ["arrived", "in_progress", "completed"],
    }
    for status in steps.get(wish.status, ()):
        if made is not None:
            path = f"{scene.path}/appointments/{made['id']}/status"
            made = scene.do(path, {"to": status}, version=made["version"])


def _requests(scene: Scene, today: date) -> None:
    """People who have asked and wait for an answer."""
    desk = signed_in(scene.house, scene.client, "demo.receptionist", "demo-password")
    for number, reason in enumerate(
        ("Cough for two weeks", "Results of the blood test", "Vaccination before a journey")
    ):
        for place in _free(scene, desk, scene.doctors[number], "First visit", today)[number * 3 :]:
            body = {
                "patient_id": scene.patients[7 + 5 * number]["id"],
                "doctor_id": scene.doctors[number],
                "appointment_type_id": scene.types["First visit"],
                "starts_at": place,
                "reason": reason,
            }
            if scene.do(f"{scene.path}/appointment-requests", body, by=desk):
                break


def _free(scene: Scene, by: Person, doctor: str, kind: str, today: date) -> list[str]:
    begins = datetime.combine(today + timedelta(days=4), time(0), ZONE)
    query = f"doctor_id={doctor}&appointment_type_id={scene.types[kind]}&limit=200"
    period = f"since={quote(begins.isoformat())}&until={quote((begins + timedelta(days=9)).isoformat())}"
    found = by.get(f"{scene.path}/free-places?{query}&{period}").expect(200).json["items"]
    return [each["starts_at"] for each in found]


def _closed(scene: Scene, today: date) -> None:
    """A doctor who is away, and a wing that is being painted."""
    monday = today + timedelta(days=15 - today.isoweekday())
    away = {
        "facility_id": scene.facility,
        "starts_local": f"{monday + timedelta(days=2)}T00:00",
        "ends_local": f"{monday + timedelta(days=5)}T00:00",
        "reason": "Conference",
        "clashing": "keep",
    }
    scene.do(f"/api/v1/doctors/{scene.doctors[0]}/leave", away)
    painted = {
        "scope": "location",
        "scope_id": scene.locations[1],
        "starts_local": f"{monday + timedelta(days=7)}T12:00",
        "ends_local": f"{monday + timedelta(days=8)}T00:00",
        "reason": "The corridor is painted",
        "clashing": "keep",
    }
    scene.do(f"{scene.path}/closures", painted)


def _at_home(scene: Scene, today: date) -> None:
    """The demo account of a patient opens a record, with appointments to come, one that is over and one asked for."""
    desk = signed_in(scene.house, scene.client, "demo.receptionist", "demo-password")
    patient = signed_in(scene.house, scene.client, "demo.patient", "demo-password")
    record = next(each for each in scene.patients if each["language"] == "en")
    code = scene.do("/api/v1/activation-codes", {"patient_id": record["id"], "relation": "self"}, by=desk)["code"]
    body = {"code": code, "birth_date": record["birth_date"]}
    patient.post("/api/v1/account/links", body, key=None)
    account = scene.boss.get("/api/v1/users?limit=100").expect(200).json["items"]
    own = next(each for each in account if each["username"] == "demo.patient")
    name = {"display_name": f"{record['given_name']} {record['family_name']}"}
    scene.boss.send("PATCH", f"/api/v1/users/{own['id']}", name, if_match=f'"{own["version"]}"').expect(200)
    for doctor, kind, ask in ((1, "Follow-up", False), (2, "First visit", False), (3, "First visit", True)):
        places = _free(scene, desk, scene.doctors[doctor], kind, today)
        path = f"{scene.path}/{'appointment-requests' if ask else 'appointments'}"
        for place in places[5 * doctor :]:
            body = {
                "patient_id": record["id"],
                "doctor_id": scene.doctors[doctor],
                "appointment_type_id": scene.types[kind],
                "starts_at": place,
            }
            if scene.do(path, body, by=desk):
                break
