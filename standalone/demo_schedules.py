"""The booking desk of a demo: specializations, types of appointments, doctors with their hours, a filled calendar."""

# ruff: noqa: RUF001 - names in their own letters, as in people.py

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from standalone.visitor import Refused, Visitor

SPECIALIZATIONS = ("General practice", "Cardiology", "Paediatrics")
TYPES: tuple[tuple[str, int, str, str], ...] = (
    ("First visit", 45, "#2f6fab", "everyone"),
    ("Follow-up", 30, "#3f8f5f", "everyone"),
    ("Short consultation", 15, "#8a6fb0", "everyone"),
    ("Case conference", 30, "#777777", "staff"),
)
REASONS = ("Follow-up", "Blood pressure", "Vaccination", "Results", None)
DAYS = 7
EVERY = 4
"""One of so many free places is booked."""


@dataclass(frozen=True, slots=True)
class Doctor:
    """One invented doctor: names, specialization, and hours on each working day."""

    given_name: str
    family_name: str
    title: str
    specialization: str
    hours: tuple[tuple[str, str], ...]


DOCTORS = (
    Doctor("Mathilde", "Ahrensburg", "Dr.", "General practice", (("08:00", "12:00"), ("13:00", "17:00"))),
    Doctor("Emre", "Yıldızoğlu", "Dr.", "General practice", (("09:00", "15:00"),)),
    Doctor("Κλειώ", "Παπαδάκη", "Prof.", "Cardiology", (("08:30", "13:00"),)),
    Doctor("Tomasz", "Łękawski", "Dr.", "Cardiology", (("12:00", "18:00"),)),
    Doctor("美咲", "長谷川", "Dr.", "Paediatrics", (("08:00", "14:00"),)),
)

Key = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Clinic:
    """Where the demo books: its facility, and the ids of its locations and types."""

    facility: str
    locations: Sequence[str]
    types: Mapping[str, str]
    doctors: Sequence[str]


def set_up(admin: Visitor, *, facility: str, locations: Sequence[str], account: str, key: Key) -> Clinic:
    """Doctors with their hours; the first one is the one who signs in with the demo account of a doctor."""
    known = {
        name: admin.post("/api/v1/specializations", {"name": name}, key=key("specialization", name))["id"]
        for name in SPECIALIZATIONS
    }
    types = {}
    for name, minutes, color, audience in TYPES:
        body = {"name": name, "minutes": minutes, "color": color, "audience": audience}
        types[name] = admin.post("/api/v1/appointment-types", body, key=key("type", name))["id"]
    doctors = []
    for number, doctor in enumerate(DOCTORS):
        body = profile(doctor, licence=f"DEMO-{number:03d}", specialization=known[doctor.specialization])
        if number == 0:
            body["user_id"] = account
        id_ = admin.post("/api/v1/doctors", body, key=key("doctor", number))["id"]
        doctors.append(id_)
        add_hours(admin, id_, doctor, facility=facility, location=locations[number % len(locations)], key=key)
    return Clinic(facility, locations, types, doctors)


def fill(desk: Visitor, clinic: Clinic, *, patients: Sequence[str], day: datetime, key: Key) -> int:
    """Book some of the free places of the coming days; how many appointments there are now."""
    count = 0
    waiting = list(patients)
    for doctor in clinic.doctors:
        for number, place in enumerate(_free(desk, clinic, doctor, day)):
            if number % EVERY or not waiting:
                continue
            body = {
                "patient_id": waiting[0],
                "doctor_id": doctor,
                "appointment_type_id": clinic.types["Follow-up"],
                "starts_at": place["starts_at"],
            }
            reason = REASONS[number % len(REASONS)]
            body |= {} if reason is None else {"reason": reason}
            waiting.append(waiting.pop(0))
            count += _book(desk, clinic, body, key=key("booking", doctor, place["starts_at"]))
    return count


def last_free(visitor: Visitor, clinic: Clinic, *, day: datetime) -> list[dict[str, Any]]:
    """The last place that each of two doctors has left in the coming days."""
    found = [_free(visitor, clinic, doctor, day)[-1:] for doctor in clinic.doctors[:2]]
    return [{name: place[name] for name in ("doctor_id", "starts_at")} for places in found for place in places]


def _book(desk: Visitor, clinic: Clinic, body: Mapping[str, Any], *, key: str) -> int:
    """Book one; somebody who is busy then, or has enough appointments, is left out."""
    try:
        desk.post(f"/api/v1/facilities/{clinic.facility}/appointments", body, key=key)
    except Refused as error:
        if error.status == 409:
            return 0
        raise
    return 1


def _free(desk: Visitor, clinic: Clinic, doctor: str, day: datetime) -> list[dict[str, Any]]:
    asked = {
        "doctor_id": doctor,
        "appointment_type_id": clinic.types["Follow-up"],
        "since": day.isoformat(),
        "until": (day + timedelta(days=DAYS)).isoformat(),
        "limit": 200,
    }
    found = desk.get(f"/api/v1/facilities/{clinic.facility}/free-places?{urlencode(asked)}")
    return list(found["items"])


def profile(doctor: Doctor, *, licence: str, specialization: str) -> dict[str, Any]:
    """What the administration writes down of a new doctor."""
    return {
        "family_name": doctor.family_name,
        "given_name": doctor.given_name,
        "title": doctor.title,
        "licence": {"number": licence, "authority": "Invented Chamber", "expires_on": "2099-12-31"},
        "languages": ["de", "en"],
        "contacts": {"email": f"{licence.lower()}@example.org"},
        "specialization_ids": [specialization],
    }


def add_hours(
    admin: Visitor,
    id_: str,
    doctor: Doctor,
    *,
    facility: str,
    location: str,
    key: Key,
    weekdays: Sequence[int] = range(1, 6),
) -> None:
    """The hours of a doctor at one place, the same on each of these days of the week (1 is Monday)."""
    for weekday in weekdays:
        for starts, ends in doctor.hours:
            body = {
                "facility_id": facility,
                "location_id": location,
                "weekday": weekday,
                "starts": starts,
                "ends": ends,
                "slot_minutes": 15,
                "capacity": 1,
                "valid_from": "2020-01-01",
            }
            admin.post(f"/api/v1/doctors/{id_}/sessions", body, key=key("session", id_, weekday, starts))
