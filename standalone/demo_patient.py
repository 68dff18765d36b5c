"""The patient of a demo: an account that is linked to a record, and asks and books as people do at home."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from standalone.demo_schedules import Clinic
from standalone.people import Person
from standalone.visitor import Refused, Visitor

ROLE = "patient"
LANGUAGES = ("en", "de")
_OF_AGE = timedelta(days=21 * 365)

Key = Callable[..., str]


def chosen(everybody: Sequence[Person], *, today: date) -> Person:
    """Whose record it is: somebody of age with allergies and problems, in a language that many read."""

    def fits(person: Person) -> tuple[bool, bool, bool]:
        born = date.fromisoformat(person.registration["birth_date"])
        return (
            today - born > _OF_AGE,
            bool(person.allergies) and bool(person.problems),
            person.registration["language"] in LANGUAGES,
        )

    return max(everybody, key=fits)  # the first of those that fit as well


def link(desk: Visitor, patient: Visitor, person: Person, *, record: str) -> None:
    """The desk hands out a code, and the patient types it with the birth date; once, also when the demo was cut off."""
    if patient.get("/api/v1/account")["links"]:
        return
    # A code is shown once: whoever was cut off before using it gets another one.
    made = desk.post("/api/v1/activation-codes", {"patient_id": record, "relation": "self"}, key=uuid4().hex)
    patient.post("/api/v1/account/links", {"code": made["code"], "birth_date": person.registration["birth_date"]})


def book(patient: Visitor, clinic: Clinic, *, record: str, places: Sequence[Mapping[str, Any]], key: Key) -> int:
    """The patient books one place and asks for another; how many of both are there now."""
    done, at = 0, f"/api/v1/facilities/{clinic.facility}"
    for path, place in zip((f"{at}/appointments", f"{at}/appointment-requests"), places, strict=False):
        body = {
            "patient_id": record,
            "doctor_id": place["doctor_id"],
            "appointment_type_id": clinic.types["Follow-up"],
            "starts_at": place["starts_at"],
            "reason": "Results",
        }
        try:
            patient.post(path, body, key=key("own", path))
        except Refused as error:
            if error.status != 409:
                raise
            continue
        done += 1
    return done
