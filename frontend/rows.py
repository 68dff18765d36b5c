"""Appointments as the lists of a day show them: each row is made ready here, because what a template calls in every row
costs more than all the rest of its page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from frontend.addresses import about
from frontend.desk import Desk
from frontend.names import Things

_GONE = frozenset({"cancelled", "declined", "entered_in_error"})


class Row(NamedTuple):
    """One appointment. begins, ends: as the clocks of the facility show them. patient: the address of the record, the
    name and the birth date; None where it may not be seen or nobody answers.
    """

    address: str
    begins: str
    ends: str
    patient: tuple[str, str, str] | None
    doctor: str
    kind: str
    status: str
    is_over: bool
    is_gone: bool


def rows(desk: Desk, appointments: Iterable[Mapping[str, Any]], patients: Things, *, zone: str) -> list[Row]:
    """In the order in which they are given."""
    words, types = desk.words, desk.names.types()
    doctor = cache(desk.names.doctor)
    address, record = about("booking.show", "appointment_id"), about("patients.show", "patient_id")

    def named(patient: Mapping[str, Any]) -> tuple[str, str, str]:
        name = f"{patient['family_name']}, {patient['given_name']}"
        return record(patient["id"]), name, words.day(patient["birth_date"])

    return [
        Row(
            address=address(each["id"]),
            begins=words.clock(each["starts_at"], zone),
            ends=words.clock(each["ends_at"], zone),
            patient=named(patients[each["patient_id"]]) if each["patient_id"] in patients else None,
            doctor=doctor(each["doctor_id"]),
            kind=desk.names.called(types, each["appointment_type_id"]),
            status=each["status"],
            is_over=bool(each.get("overbook_reason")),
            is_gone=each["status"] in _GONE,
        )
        for each in appointments
    ]
