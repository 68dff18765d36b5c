"""What staff reach whose roles are narrowed to facilities: inside everything, outside nothing that shows."""

from __future__ import annotations

import pytest

from tests.integration.appointments.making import Booking, at, fresh, monday
from tests.integration.appointments.telling import entries

PERIOD = {"since": at(monday(2), "00:00"), "until": at(monday(3), "00:00")}


class Staff:
    """Somebody with roles of which each holds in some facilities only."""

    def __init__(self, desk: Booking, **areas: str) -> None:
        self.desk, self.subject, self.role = desk, fresh(), "+".join(areas)
        desk.house.roles.areas[self.subject] = {
            role: {"facilities": [facility], "departments": []} for role, facility in areas.items()
        }

    def does(self, operation, **more):
        return self.desk.call(operation, role=self.role, subject=self.subject, **more)

    def acts(self, operation, appointment, body=None, **more):
        return self.desk.act(operation, appointment, body, role=self.role, subject=self.subject, **more)


@pytest.fixture
def clerk(desk: Booking) -> Staff:
    """A receptionist of the facility in which the desk stands."""
    return Staff(desk, receptionist=desk.world.facility)


def attempts(staff: Staff, doctor: str, made: dict):
    """Each operation on an appointment, and each that begins with a facility."""
    desk, later = staff.desk, at(monday(2), "15:00")
    place = {"doctor_id": doctor, "appointment_type_id": desk.world.type}
    return {
        "get": staff.does("get_appointment", appointment_id=made["id"]),
        "changes": staff.does("list_appointment_changes", appointment_id=made["id"]),
        "move": staff.acts("reschedule_appointment", made, {"starts_at": later}),
        "cancel": staff.acts("cancel_appointment", made, {"reason_code": "other"}),
        "approve": staff.acts("approve_appointment", made),
        "decline": staff.acts("decline_appointment", made, {"reason": "No"}),
        "status": staff.acts("set_appointment_status", made, {"to": "arrived"}),
        "book": staff.does("book_appointment", body=desk.wish(doctor, later)),
        "ask": staff.does("request_appointment", body=desk.wish(doctor, later)),
        "hold": staff.does("hold_place", body={**place, "starts_at": later}),
        "find": staff.does("find_free_places", query=place),
        "first": staff.does(
            "find_first_free_place", query={"specialization_id": fresh(), "appointment_type_id": desk.world.type}
        ),
        "day": staff.does("list_appointments", query=PERIOD),
        "states": staff.does("list_appointment_states"),
        "unresolved": staff.does("list_unresolved_appointments"),
        "asked": staff.does("list_appointment_requests"),
    }


def test_inside_the_area_all_is_as_for_the_whole_house(desk: Booking, clerk: Staff):
    doctor = desk.doctor()
    made = desk.booked(doctor, at(monday(2), "10:00"))
    desk.carry()
    got = {name: each.status for name, each in attempts(clerk, doctor, made).items()}
    moved_once = {"cancel": 412, "approve": 412, "decline": 412, "status": 412}
    stands = dict.fromkeys(("get", "changes", "move", "find", "first", "day", "states", "unresolved", "asked"), 200)
    assert got == stands | moved_once | {"book": 409, "ask": 201, "hold": 409}


@pytest.mark.parametrize("is_there", [True, False])
def test_outside_the_area_what_there_is_answers_as_what_there_is_not(desk: Booking, is_there: bool):
    clerk, doctor = Staff(desk, receptionist=fresh()), desk.doctor()
    made = desk.booked(doctor, at(monday(2), "10:00"))
    if not is_there:
        made, doctor, desk.world.facility = made | {"id": fresh()}, fresh(), fresh()
    asked = len(desk.world.asked)
    got = attempts(clerk, doctor, made)
    assert {name: each.status for name, each in got.items() if each.status != 404} == {}
    assert len({str({**each.body, "request_id": None}) for each in got.values()}) == 1
    assert len(desk.world.asked) == asked, "nobody else is asked, so that no time tells what there is"


def test_an_attempt_outside_the_area_is_in_the_trail(desk: Booking):
    clerk, made = Staff(desk, receptionist=fresh()), desk.booked(desk.doctor(), at(monday(2), "10:00"))
    clerk.does("get_appointment", appointment_id=made["id"])
    clerk.does("list_appointments", query=PERIOD)
    desk.carry()
    found = [each for each in entries(desk) if each["actor"] == clerk.subject]
    assert [(each["operation"], each["patient_id"], each["outcome"]) for each in found] == [
        ("get_appointment", made["patient_id"], "not_found"),
        ("list_appointments", None, "not_found"),
    ]


def test_of_a_patient_only_what_lies_in_the_area_is_listed_and_counted(desk: Booking, clerk: Staff):
    patient = fresh()
    here = desk.booked(desk.doctor(), at(monday(2), "10:00"), patient=patient)
    desk.world.facility = fresh()
    there = desk.booked(desk.doctor(), at(monday(3), "10:00"), patient=patient)
    desk.act("cancel_appointment", there, {"reason_code": "other"})
    desk.carry()
    wide = desk.call("list_patient_appointments", patient_id=patient).body["items"]
    narrow = clerk.does("list_patient_appointments", patient_id=patient).body["items"]
    assert [each["id"] for each in wide] == [there["id"], here["id"]]
    assert [each["id"] for each in narrow] == [here["id"]]
    assert desk.call("get_patient_attendance", patient_id=patient).body["cancelled"] == 1
    assert clerk.does("get_patient_attendance", patient_id=patient).body["cancelled"] == 0


def test_a_further_right_counts_only_where_the_role_that_gives_it_holds(desk: Booking):
    """A doctor overbooks at the own facility; who is a receptionist here and a doctor there does not do it here."""
    doctor, start = desk.doctor(), at(monday(2), "10:00")
    desk.booked(doctor, start)
    wish = {"body": desk.wish(doctor, start, overbook_reason="Urgent")}
    elsewhere = Staff(desk, receptionist=desk.world.facility, doctor=fresh())
    assert elsewhere.does("book_appointment", **wish).status == 403
    assert Staff(desk, doctor=desk.world.facility).does("book_appointment", **wish).status == 201


def test_each_permission_is_held_where_its_role_holds(desk: Booking):
    """A nurse here and a receptionist there reads here, and books there."""
    nurse = Staff(desk, nurse=desk.world.facility, receptionist=fresh())
    doctor = desk.doctor()
    made = desk.booked(doctor, at(monday(2), "10:00"))
    assert nurse.does("get_appointment", appointment_id=made["id"]).status == 200
    assert nurse.does("book_appointment", body=desk.wish(doctor, at(monday(2), "11:00"))).status == 404


def test_an_area_that_was_taken_away_is_no_way_to_an_old_answer(desk: Booking, clerk: Staff):
    body, key = desk.wish(desk.doctor(), at(monday(2), "10:00")), fresh()
    made = clerk.does("book_appointment", body=body, key=key)
    assert made.status == 201
    desk.house.roles.areas[clerk.subject] = {"receptionist": {"facilities": [fresh()], "departments": []}}
    assert clerk.does("book_appointment", body=body, key=key).status == 404


def test_what_is_known_of_a_record_is_known_to_whoever_asked(desk: Booking, clerk: Staff):
    """`patients` answers within the reach of whoever asks: one that is narrowed uses no answer of another."""
    doctor, patient, path = desk.doctor(), fresh(), "/api/v1/patients/{}/standing"
    desk.booked(doctor, at(monday(2), "10:00"), patient=patient)
    asked = desk.world.asked.count(path.format(patient))
    assert clerk.does("book_appointment", body=desk.wish(doctor, at(monday(2), "11:00"), patient=patient)).status == 201
    assert desk.world.asked.count(path.format(patient)) == asked + 1


def test_who_works_here_and_is_a_patient_elsewhere_is_staff_here_and_a_person_there(desk: Booking):
    doctor, start = desk.doctor(), at(monday(2), "10:00")
    own, colleague = fresh(), Staff(desk, receptionist=desk.world.facility)
    colleague.role = "receptionist+patient"
    desk.house.roles.links[colleague.subject] = [[own, "own", None]]
    here = colleague.does("book_appointment", body=desk.wish(doctor, start, patient=own))
    assert (here.status, here.body["created_as"]) == (201, "staff")
    desk.world.facility = fresh()
    there = colleague.does("book_appointment", body=desk.wish(desk.doctor(), at(monday(3), "10:00"), patient=own))
    assert (there.status, there.body["created_as"]) == (201, "self")
    assert colleague.does("list_appointments", query=PERIOD).status == 404


def test_a_role_for_a_department_reaches_its_doctors_and_those_of_none(desk: Booking):
    """Whatever is read, of the schedules or of the journal, a page is full of what is in reach."""
    ward, other = fresh(), fresh()
    nurse = Staff(desk, receptionist=desk.world.facility)
    desk.house.roles.areas[nurse.subject] = {
        "receptionist": {"facilities": [desk.world.facility], "departments": [ward]}
    }
    special, patient = fresh(), fresh()
    more = {"specialization_ids": [special]}
    doctors = [desk.doctor(department_ids=each, **more) for each in ([ward, other], [other], [])]
    made = [desk.booked(each, at(monday(2), f"1{n}:00"), patient=patient) for n, each in enumerate(doctors)]
    past = at(monday(-1), "10:00")
    old = [desk.booked(each, past, retro_reason="Late", overlap_reason="Late", patient=patient) for each in doctors]
    desk.carry()
    assert [nurse.does("get_appointment", appointment_id=each["id"]).status for each in made] == [200, 404, 200]
    reached = {made[0]["id"], made[2]["id"]}
    first = nurse.does("list_appointments", query=PERIOD | {"limit": 1}).body
    query = PERIOD | {"limit": 1, "cursor": first["next_cursor"]}
    second = nurse.does("list_appointments", query=query).body
    assert ({each["items"][0]["id"] for each in (first, second)}, second["next_cursor"]) == (reached, None)
    open_ = nurse.does("list_unresolved_appointments").body["items"]
    assert {each["id"] for each in open_} == {old[0]["id"], old[2]["id"]}
    everything = reached | {old[0]["id"], old[2]["id"]}
    assert {each["id"] for each in nurse.does("list_appointment_states").body["items"]} == everything
    own = nurse.does("list_patient_appointments", patient_id=patient).body["items"]
    assert {each["id"] for each in own} == everything
    query = {"appointment_type_id": desk.world.type, "since": PERIOD["since"], "until": PERIOD["until"], "limit": 200}
    found = nurse.does("find_free_places", query=query | {"specialization_id": special}).body["items"]
    assert {each["doctor_id"] for each in found} == {doctors[0], doctors[2]}
    wishes = [desk.wish(each, at(monday(3), f"1{n}:00")) for n, each in enumerate(doctors)]
    assert [nurse.does("book_appointment", body=each).status for each in wishes] == [201, 404, 201]
    alone = [nurse.does("find_free_places", query=query | {"doctor_id": each}).status for each in doctors]
    assert alone == [200, 404, 200]
    moved = nurse.acts(
        "reschedule_appointment", made[0], {"doctor_id": doctors[1], "starts_at": at(monday(3), "14:00")}
    )
    assert moved.status == 404
    assert nurse.does("get_appointment", appointment_id=made[0]["id"]).body["version"] == 1
