"""Rows of a day say what they have always said: times of the facility, names, and nothing of what may not be seen."""

from __future__ import annotations

from types import SimpleNamespace

import flask
import pytest

from frontend.controllers import AREAS
from frontend.names import NOTHING
from frontend.rows import rows
from frontend.words import Words

DOCTOR, PATIENT, OTHER, TYPE = (f"{number:08x}-0000-4000-8000-000000000000" for number in range(4))


class Names:
    """What one account knows, and how often a doctor was asked for."""

    asked = 0

    def doctor(self, doctor_id):
        self.asked += 1
        return "Dr Ada Stone" if doctor_id == DOCTOR else NOTHING

    def types(self):
        return {TYPE: {"name": "Check-up"}}

    def called(self, things, key):
        return things.get(key, {}).get("name", NOTHING)


@pytest.fixture
def desk():
    made = flask.Flask("frontend")
    for area in AREAS:
        area.register(made)
    with made.test_request_context():
        yield SimpleNamespace(words=Words("en"), names=Names())


def appointment(number, **given):
    return {
        "id": f"{number:08x}-0000-4000-8000-00000000000a",
        "doctor_id": DOCTOR,
        "patient_id": PATIENT,
        "appointment_type_id": TYPE,
        "starts_at": f"2026-03-02T{7 + number:02}:00:00+00:00",
        "ends_at": f"2026-03-02T{7 + number:02}:20:00+00:00",
        "status": "booked",
        "overbook_reason": None,
        **given,
    }


PATIENTS = {PATIENT: {"id": PATIENT, "family_name": "Reed", "given_name": "Kim", "birth_date": "1990-02-03"}}


def test_a_row_has_the_times_of_the_facility_names_and_addresses(desk):
    (row,) = rows(desk, [appointment(1)], PATIENTS, zone="Europe/Berlin")
    assert (row.begins, row.ends, row.doctor, row.kind, row.status) == (
        "09:00", "09:20", "Dr Ada Stone", "Check-up", "booked",
    )  # fmt: skip
    assert row.address == f"/booking/{appointment(1)['id']}"
    assert row.patient == (f"/patients/{PATIENT}", "Reed, Kim", "3 Feb 1990")
    assert not row.is_over
    assert not row.is_gone


def test_who_may_not_be_seen_and_what_is_not_known_stand_as_nothing(desk):
    given = appointment(1, patient_id=OTHER, doctor_id=OTHER, appointment_type_id=OTHER)
    (row,) = rows(desk, [given], PATIENTS, zone="Europe/Berlin")
    assert (row.patient, row.doctor, row.kind) == (None, NOTHING, NOTHING)


def test_a_birth_date_that_nobody_knows_is_nothing(desk):
    unknown = {PATIENT: {**PATIENTS[PATIENT], "birth_date": None}}
    (row,) = rows(desk, [appointment(1)], unknown, zone="Europe/Berlin")
    assert row.patient is not None
    assert row.patient[2] == NOTHING


@pytest.mark.parametrize(
    ("status", "is_gone"),
    [("cancelled", True), ("declined", True), ("entered_in_error", True), ("no_show", False), ("completed", False)],
)
def test_what_does_not_take_place_is_gone(desk, status, is_gone):
    (row,) = rows(desk, [appointment(1, status=status)], PATIENTS, zone="Europe/Berlin")
    assert row.is_gone is is_gone


def test_what_was_booked_over_is_said_and_the_order_stays(desk):
    given = [appointment(3), appointment(1, overbook_reason="urgent"), appointment(2)]
    found = rows(desk, given, PATIENTS, zone="UTC")
    assert [each.begins for each in found] == ["10:00", "08:00", "09:00"]
    assert [each.is_over for each in found] == [False, True, False]


def test_a_doctor_of_many_rows_is_asked_for_once(desk):
    rows(desk, [appointment(number) for number in range(9)], PATIENTS, zone="UTC")
    assert desk.names.asked == 1
