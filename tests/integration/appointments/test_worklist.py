"""What waits at a desk, in one question: each part of it as the list that it comes from has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.appointments.making import Booking, at, fresh, monday
from tests.integration.appointments.telling import entries
from tests.integration.appointments.test_reach import Staff

DAY = {"since": at(monday(2), "00:00"), "until": at(monday(3) - timedelta(days=6), "00:00")}


def worklist(desk: Booking, *, role: str = "receptionist", **query: Any) -> dict[str, Any]:
    got = desk.call("get_worklist", role=role, query=DAY | query)
    assert got.status == 200, got.body
    return dict(got.body)


def ids(found: Any) -> list[str]:
    return [each["id"] for each in found]


def test_the_day_is_shown_by_start_without_what_was_given_up_or_only_asked_for(desk: Booking):
    doctor, other = desk.doctor(), desk.doctor()
    late, early = (desk.booked(doctor, at(monday(2), clock)) for clock in ("11:00", "09:00"))
    middle = desk.booked(other, at(monday(2), "10:00"))
    gone = desk.booked(other, at(monday(2), "12:00"))
    assert desk.act("cancel_appointment", gone, {"reason_code": "other"}).status == 200
    asked = desk.request(doctor, at(monday(2), "14:00")).body
    desk.booked(doctor, at(monday(3), "09:00"))
    desk.carry()
    found = worklist(desk)
    assert ids(found["appointments"]) == ids([early, middle, late])
    assert (found["total"], found["arrived"], found["next"]["id"]) == (3, 0, early["id"])
    assert found["appointments"][0] == desk.read(early).body
    assert ids(found["requests"]["first"]) == [asked["id"]]
    assert found["unresolved"] == {"first": [], "count": 0, "more": False}
    of_one = worklist(desk, doctor_id=[other])
    assert (ids(of_one["appointments"]), of_one["requests"]["count"]) == ([middle["id"]], 0)


def test_of_a_long_day_as_many_are_shown_as_were_asked_for(desk: Booking):
    doctor = desk.doctor()
    made = [desk.booked(doctor, at(monday(2), f"{hour:02}:00")) for hour in range(9, 14)]
    found = worklist(desk, limit=3)
    assert (ids(found["appointments"]), found["total"]) == (ids(made[:3]), 5)


def test_the_first_five_of_what_waits_are_shown_and_all_are_counted(desk: Booking):
    doctor, past = desk.doctor(), at(monday(-1), "10:00")
    asked = [desk.request(doctor, at(monday(weeks), "10:00")).body for weeks in (6, 2, 8, 1, 3, 4, 5)]
    left = [desk.booked(desk.doctor(), past, retro_reason="Late") for _ in range(6)]
    desk.carry()
    found = worklist(desk)
    assert ids(found["requests"]["first"]) == ids(asked[:5])
    assert (found["requests"]["count"], found["requests"]["more"]) == (7, False)
    assert set(ids(found["unresolved"]["first"])) < set(ids(left))
    assert (found["unresolved"]["count"], found["unresolved"]["more"]) == (6, False)
    of_one = worklist(desk, doctor_id=[left[5]["doctor_id"]])["unresolved"]
    assert (ids(of_one["first"]), of_one["count"]) == ([left[5]["id"]], 1)


@pytest.mark.parametrize(
    ("role", "answers", "closes"),
    [("receptionist", True, True), ("nurse", False, True), ("records_clerk", False, False), ("doctor", True, True)],
)
def test_a_part_is_there_for_those_who_may_do_something_about_it(desk: Booking, role: str, answers: bool, closes: bool):
    found = worklist(desk, role=role)
    assert (found["requests"] is not None, found["unresolved"] is not None) == (answers, closes)


def test_each_part_is_about_the_places_where_its_right_is_held(desk: Booking):
    """A nurse of the whole house who answers requests in one ward alone."""
    ward, other = fresh(), fresh()
    doctors = [desk.doctor(department_ids=[each]) for each in (ward, other)]
    booked = [desk.booked(each, at(monday(2), "10:00")) for each in doctors]
    asked = [desk.request(each, at(monday(2), "11:00")).body for each in doctors]
    desk.carry()
    both = Staff(desk, nurse=desk.world.facility)
    both.role = "nurse+receptionist"
    desk.house.roles.areas[both.subject] = {
        "nurse": {"facilities": [desk.world.facility], "departments": []},
        "receptionist": {"facilities": [desk.world.facility], "departments": [ward]},
    }
    found = both.does("get_worklist", query=DAY).body
    assert ids(found["appointments"]) == ids(booked)
    assert ids(found["requests"]["first"]) == [asked[0]["id"]]
    assert Staff(desk, receptionist=fresh()).does("get_worklist", query=DAY).status == 404


def test_whoever_is_shown_stands_in_the_trail(desk: Booking):
    doctor = desk.doctor()
    made = [desk.booked(doctor, at(monday(2), clock)) for clock in ("09:00", "10:00", "11:00")]
    asked = desk.request(doctor, at(monday(4), "10:00")).body
    old = desk.booked(desk.doctor(), at(monday(-1), "10:00"), retro_reason="Late")
    desk.carry()
    worklist(desk, limit=2)
    desk.carry()
    looked = [each for each in entries(desk) if each["operation"] == "get_worklist"]
    [entry] = [each for each in looked if made[0]["patient_id"] in each["found"]]
    assert set(entry["found"]) == {each["patient_id"] for each in (*made[:2], asked, old)}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"until": at(monday(2), "00:00")}, "until"),
        ({"until": at(monday(3), "00:00")}, "until"),
        ({"limit": 201}, "limit"),
        ({"doctor_id": ["nobody"]}, "doctor_id"),
    ],
)
def test_more_than_a_day_or_a_page_is_refused(desk: Booking, query: dict[str, Any], said: str):
    got = desk.call("get_worklist", role="receptionist", query=DAY | query)
    assert got.status in {400, 422}
    assert {each.get("parameter", "").partition(".")[0] for each in got.body["errors"]} == {said}


def test_a_patient_has_no_desk(desk: Booking):
    assert desk.call("get_worklist", role="patient", query=DAY).status == 404
