"""People who book for themselves and in the name of others: what they find, do and see, and where their limits are."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from services.appointments import view
from tests.integration.appointments.making import (
    BERLIN,
    Booking,
    at,
    fresh,
    monday,
    opened,
    together,
)
from tests.integration.appointments.telling import entries, events

TYPES = {"minutes": 30, "specialization_ids": []}


class Person:
    """Somebody with an account, a record of their own and a child's."""

    def __init__(self, desk: Booking) -> None:
        self.desk, self.subject, self.own, self.child = desk, fresh(), fresh(), fresh()
        self.link([[self.own, "own", None], [self.child, "linked", None]])

    def link(self, links):
        self.desk.house.roles.links[self.subject] = links

    def does(self, operation, **more):
        return self.desk.call(operation, role="patient", subject=self.subject, **more)

    def books(self, doctor, start, *, patient=None, **more):
        return self.desk.book(doctor, start, patient=patient or self.own, role="patient", subject=self.subject, **more)

    def booked(self, doctor, start, **more):
        got = self.books(doctor, start, **more)
        assert got.status == 201, got.body
        return got.body

    def acts(self, operation, appointment, body=None, **more):
        return self.desk.act(operation, appointment, body, role="patient", subject=self.subject, **more)

    def finds(self, doctor, **more):
        query = {"doctor_id": doctor, "appointment_type_id": self.desk.world.type, "limit": 200, **more}
        got = self.does("find_free_places", query=query)
        assert got.status == 200, got.body
        return [each["starts_at"] for each in got.body["items"]]


@pytest.fixture
def person(desk: Booking) -> Person:
    return Person(desk)


def test_people_find_hold_book_move_and_cancel_and_see_what_concerns_them(desk: Booking, person: Person):
    doctor, first, second = desk.doctor(), at(monday(2), "10:00"), at(monday(2), "11:00")
    period = {"since": at(monday(2), "00:00"), "until": at(monday(2), "23:00")}
    assert first in person.finds(doctor, **period)
    body = {"doctor_id": doctor, "appointment_type_id": desk.world.type, "starts_at": first}
    held = person.does("hold_place", body=body)
    assert held.status == 201
    made = person.booked(doctor, first, hold_id=held.body["id"], reason="My knee")
    assert set(made) == set(view.OWN)
    assert (made["reason"], made["created_as"]) == ("My knee", "self")
    assert first not in person.finds(doctor, **period)
    moved = person.acts("reschedule_appointment", made, {"starts_at": second})
    assert (moved.status, moved.body["starts_at"]) == (200, second)
    read = person.does("get_appointment", appointment_id=made["id"])
    assert (read.status, read.body) == (200, moved.body)
    gone = person.acts("cancel_appointment", moved.body, {"reason_code": "patient_request", "note": "Better."})
    assert (gone.status, gone.body["status"], set(gone.body)) == (200, "cancelled", set(view.OWN))
    assert {first, second} <= set(person.finds(doctor, **period))


def test_who_acted_as_what_is_in_the_journal_and_for_staff_to_see(desk: Booking, person: Person):
    doctor = desk.doctor()
    made = person.booked(doctor, at(monday(2), "10:00"))
    child = person.booked(doctor, at(monday(2), "11:00"), patient=person.child)
    assert child["created_as"] == "guardian"
    desk.act("reschedule_appointment", made, {"starts_at": at(monday(2), "12:00")})
    seen = desk.read(made).body
    assert (seen["created_as"], seen["created_by"], seen["changed_as"]) == ("self", person.subject, "staff")
    desk.carry()
    changes = desk.call("list_appointment_changes", appointment_id=made["id"]).body["items"]
    assert [(each["as"], each["what"]) for each in changes] == [
        ("staff", "reschedule_appointment"),
        ("self", "book_appointment"),
    ]


def test_what_people_do_is_told_by_the_same_events_and_audited_as_theirs(desk: Booking, person: Person):
    made = person.booked(desk.doctor(), at(monday(2), "10:00"), patient=person.child)
    moved = person.acts("reschedule_appointment", made, {"starts_at": at(monday(2), "12:00")}).body
    person.acts("cancel_appointment", moved, {"reason_code": "patient_ill"})
    desk.carry()
    told = [kind for subject, kind in events(desk) if subject == made["id"]]
    assert told == [f"appointments.{each}.v1" for each in ("booked", "rescheduled", "cancelled")]
    found = [each for each in entries(desk) if each["actor"] == person.subject]
    assert {(each["patient_id"], each["record_id"], each["outcome"]) for each in found} == {
        (person.child, made["id"], "success")
    }
    assert [each["action"] for each in found] == ["create", "update", "update"]


def test_what_staff_made_is_shown_without_what_staff_say_to_each_other(desk: Booking, person: Person):
    doctor = desk.doctor()
    made = desk.booked(doctor, at(monday(2), "10:00"), patient=person.own, reason="Comes too often")
    told = person.does("get_appointment", appointment_id=made["id"]).body
    assert (set(told), told["reason"], told["created_as"]) == (set(view.OWN), None, "staff")
    desk.carry()
    [listed] = person.does("list_patient_appointments", patient_id=person.own).body["items"]
    assert listed == told
    stale = person.acts("cancel_appointment", made, {"reason_code": "other"}, version=7)
    assert stale.status == 412


def test_the_own_list_has_what_is_past_and_in_every_facility(desk: Booking, person: Person):
    doctor = desk.doctor()
    booked = desk.booked(doctor, at(monday(2), "10:00"), patient=person.own)
    past = at(monday(-1), "10:00")
    old = desk.booked(doctor, past, patient=person.own, retro_reason="Written down late")
    desk.world.facility = fresh()
    other = desk.booked(desk.doctor(), at(monday(3), "10:00"), patient=person.own)
    desk.carry()
    got = person.does("list_patient_appointments", patient_id=person.own)
    assert [each["id"] for each in got.body["items"]] == [other["id"], booked["id"], old["id"]]
    assert person.does("get_patient_attendance", patient_id=person.own).status == 200


@pytest.mark.parametrize("which", ["somebody's", "nobody's"])
def test_records_that_are_not_linked_answer_as_those_that_do_not_exist(desk: Booking, person: Person, which: str):
    doctor, stranger = desk.doctor(), fresh()
    theirs = desk.booked(doctor, at(monday(2), "10:00"), patient=stranger)
    if which == "nobody's":
        theirs, stranger = theirs | {"id": fresh()}, fresh()
    desk.carry()
    got = [
        person.books(doctor, at(monday(2), "11:00"), patient=stranger),
        person.does("request_appointment", body=desk.wish(doctor, at(monday(2), "11:00"), patient=stranger)),
        person.acts("reschedule_appointment", theirs, {"starts_at": at(monday(2), "12:00")}),
        person.acts("cancel_appointment", theirs, {"reason_code": "other"}),
        person.does("get_appointment", appointment_id=theirs["id"]),
        person.does("list_patient_appointments", patient_id=stranger),
        person.does("get_patient_attendance", patient_id=stranger),
    ]
    assert {each.status for each in got} == {404}
    assert len({str({**each.body, "request_id": None}) for each in got}) == 1


def test_an_attempt_at_the_record_of_another_is_in_the_trail_of_that_record(desk: Booking, person: Person):
    stranger = fresh()
    theirs = desk.booked(desk.doctor(), at(monday(2), "10:00"), patient=stranger)
    person.acts("cancel_appointment", theirs, {"reason_code": "other"})
    desk.carry()
    found = [each for each in entries(desk) if each["actor"] == person.subject]
    assert [(each["operation"], each["patient_id"], each["outcome"]) for each in found] == [
        ("cancel_appointment", stranger, "not_found")
    ]


def test_lists_and_histories_of_the_house_are_for_staff(desk: Booking, person: Person):
    made = person.booked(desk.doctor(), at(monday(2), "10:00"))
    period = {"since": at(monday(2), "00:00"), "until": at(monday(3), "00:00")}
    got = [
        person.does("list_appointments", query=period),
        person.does("list_appointment_states"),
        person.does("list_appointment_changes", appointment_id=made["id"]),
    ]
    assert [each.status for each in got] == [404, 404, 404]


def test_types_for_staff_are_to_people_as_those_that_do_not_exist(desk: Booking, person: Person):
    staff, nothing, desk.world.type = fresh(), fresh(), fresh()
    types = [
        {"id": staff, "audience": "staff", **TYPES},
        {"id": desk.world.type, "audience": "everyone", **TYPES},
    ]
    special, start = fresh(), at(monday(2), "10:00")
    doctor = desk.doctor(appointment_types=types, specialization_ids=[special])
    period = {"since": at(monday(2), "00:00"), "until": at(monday(2), "23:00")}
    answers = []
    for kind in (staff, nothing):
        body = {"doctor_id": doctor, "appointment_type_id": kind, "starts_at": start}
        answers.append(
            [
                person.finds(doctor, appointment_type_id=kind, **period),
                person.does(
                    "find_first_free_place", query={"specialization_id": special, "appointment_type_id": kind}
                ).body,
                person.does("hold_place", body=body),
                person.books(doctor, start, appointment_type_id=kind),
            ]
        )
    (found, first, held, booked), unknown = answers
    assert (found, first) == ([], {"place": None}) == (unknown[0], unknown[1])
    for one, other in ((held, unknown[2]), (booked, unknown[3])):
        assert (one.status, one.body["code"]) == (409, "doctor_not_bookable")
        assert {**one.body, "request_id": None} == {**other.body, "request_id": None}
    assert desk.book(doctor, start, appointment_type_id=staff).status == 201
    mine = person.booked(doctor, at(monday(2), "12:00"))
    moved = person.acts(
        "reschedule_appointment", mine, {"appointment_type_id": staff, "starts_at": at(monday(2), "13:00")}
    )
    assert moved.body["code"] == "doctor_not_bookable"


@pytest.mark.parametrize("more", [
    {"minutes": 120}, {"resource_ids": [fresh()]}, {"overbook_reason": "Please"}, {"overlap_reason": "Please"},
    {"retro_reason": "Please"},
])  # fmt: skip
def test_what_staff_decide_is_not_decided_by_people(desk: Booking, person: Person, more):
    doctor = desk.doctor()
    assert person.books(doctor, at(monday(2), "10:00"), **more).status == 403
    mine = person.booked(doctor, at(monday(2), "11:00"))
    assert person.acts("reschedule_appointment", mine, {"starts_at": at(monday(2), "12:00"), **more}).status == 403


def test_what_is_the_matter_with_a_doctor_is_told_to_staff_only(desk: Booking, person: Person):
    doctor = desk.doctor(licence_expires_on="2020-01-01")
    got = [person.books(doctor, at(monday(2), "10:00")), desk.book(doctor, at(monday(2), "10:00"))]
    assert {each.body["code"] for each in got} == {"doctor_not_bookable"}
    assert [each.body.get("facts") for each in got] == [None, {"why": "licence_expired"}]


def test_people_are_not_in_two_places_at_once(desk: Booking, person: Person):
    person.booked(desk.doctor(), at(monday(2), "10:00"))
    got = person.books(desk.doctor(), at(monday(2), "10:00"))
    assert (got.status, got.body["code"]) == (409, "patient_busy")


def test_of_parallel_bookings_as_many_stand_as_people_may_have_ahead(desk: Booking, person: Person):
    """Two more wish for the last one that is allowed: one of them gets it, whoever acts."""
    doctor, guardian = desk.doctor(), Person(desk)
    guardian.link([[person.own, "linked", None]])
    desk.booked(doctor, at(monday(2), "09:00"), patient=person.own)
    for week in (2, 3):
        person.booked(doctor, at(monday(week), "10:00"))
    both = (person, guardian)
    got = together(2, lambda n: both[n].books(doctor, at(monday(4 + n), "10:00"), patient=person.own))
    assert Counter(each.status for each in got) == {201: 1, 409: 1}
    [no] = [each.body for each in got if each.status == 409]
    assert (no["code"], no["facts"]) == ("limit_reached", {"limit": "open_by_self_service", "maximum": 3})
    wanted = person.does("request_appointment", body=desk.wish(doctor, at(monday(6), "09:00"), patient=person.own))
    assert wanted.body["code"] == "limit_reached"
    assert desk.book(doctor, at(monday(6), "10:00"), patient=person.own).status == 201, "the desk may give more"
    assert desk.violations() == []


def test_on_one_day_people_have_two(desk: Booking, person: Person):
    doctor = desk.doctor()
    desk.booked(doctor, at(monday(2), "09:00"), patient=person.own)
    got = together(2, lambda n: person.books(doctor, at(monday(2), f"1{n}:00")))
    assert Counter(each.status for each in got) == {201: 1, 409: 1}
    [no] = [each.body for each in got if each.status == 409]
    assert no["facts"]["limit"] == "patient_day"
    assert all(each["starts_at"][:10] != monday(2).isoformat() for each in no["facts"]["alternatives"])


def test_people_hold_two_places_at_a_time(desk: Booking, person: Person):
    doctor = desk.doctor()
    wishes = [
        {"doctor_id": doctor, "appointment_type_id": desk.world.type, "starts_at": at(monday(2), f"1{n}:00")}
        for n in range(3)
    ]
    got = together(3, lambda n: person.does("hold_place", body=wishes[n]))
    assert Counter(each.status for each in got) == {201: 2, 409: 1}


def test_nothing_is_found_or_booked_too_soon_or_too_far_ahead(postgres_url: str, redis_url: str):
    """With ten days of lead and twenty of horizon, so that no hour of the day matters."""
    settings = {"SELF_SERVICE_LEAD_HOURS": "240", "SELF_SERVICE_HORIZON_DAYS": "20"}
    with opened(postgres_url, redis_url, **settings) as desk:
        person, doctor = Person(desk), desk.doctor()
        for day, rule in ((monday(), "too_soon"), (monday(5), "too_far_ahead")):
            got = person.books(doctor, at(day, "10:00"))
            assert (got.status, got.body["errors"]) == (422, [{"pointer": "/starts_at", "rule": rule}])
            assert desk.book(doctor, at(day, "10:00")).status == 201
        past = person.books(doctor, at(monday(-1), "10:00"))
        assert past.body["errors"] == [{"pointer": "/starts_at", "rule": "not_in_past"}]
        found = person.finds(doctor, since=at(monday(0), "00:00"), until=at(monday(6), "00:00"), limit=1)
        assert found
        assert found[0] >= at(datetime.now(BERLIN).date() + timedelta(days=9), "00:00")
        assert person.finds(doctor, since=at(monday(5), "00:00"), until=at(monday(6), "00:00")) == []


def test_within_the_notice_people_are_asked_to_call(postgres_url: str, redis_url: str):
    """A notice of three weeks, so that no hour of the day matters; a request takes no place and may be taken back."""
    with opened(postgres_url, redis_url, SELF_SERVICE_NOTICE_HOURS="504") as desk:
        person, doctor = Person(desk), desk.doctor()
        near, far = person.booked(doctor, at(monday(1), "10:00")), person.booked(doctor, at(monday(6), "10:00"))
        elsewhere = {"starts_at": at(monday(5), "11:00")}
        for got in (
            person.acts("reschedule_appointment", near, elsewhere),
            person.acts("cancel_appointment", near, {"reason_code": "patient_ill"}),
        ):
            assert (got.status, got.body["code"], got.body["facts"]) == (409, "call_us", {"notice_hours": 504.0})
        body = desk.wish(doctor, at(monday(1), "12:00"), patient=person.own)
        asked = person.does("request_appointment", body=body).body
        assert person.acts("cancel_appointment", asked, {"reason_code": "other"}).status == 200
        assert person.acts("reschedule_appointment", far, elsewhere).status == 200
        assert desk.act("cancel_appointment", near, {"reason_code": "patient_ill"}).status == 200, "the desk may"


def test_a_link_that_has_ended_shows_nothing_any_more_not_even_by_an_old_key(desk: Booking, person: Person):
    doctor, key = desk.doctor(), fresh()
    body = desk.wish(doctor, at(monday(2), "10:00"), patient=person.child)
    made = person.does("book_appointment", body=body, key=key)
    assert person.does("book_appointment", body=body, key=key).body == made.body
    cancelling = {"body": {"reason_code": "other"}, "key": fresh()}
    assert person.acts("cancel_appointment", made.body, **cancelling).status == 200
    assert person.acts("cancel_appointment", made.body, **cancelling).status == 200
    person.link([[person.own, "own", None]])
    assert person.does("book_appointment", body=body, key=key).status == 404
    assert person.acts("cancel_appointment", made.body, **cancelling).status == 404
    assert person.does("get_appointment", appointment_id=made.body["id"]).status == 404


def test_who_does_not_work_here_any_more_sees_by_an_old_key_what_people_see(desk: Booking, person: Person):
    doctor, key = desk.doctor(), fresh()
    body = desk.wish(doctor, at(monday(2), "10:00"), patient=person.own)
    made = desk.call("book_appointment", body=body, key=key, role="receptionist", subject=person.subject)
    assert "seat" in made.body
    again = person.does("book_appointment", body=body, key=key)
    assert (again.status, set(again.body)) == (201, set(view.OWN))


def test_who_is_linked_to_nobody_finds_nothing(desk: Booking):
    doctor, nobody = desk.doctor(), fresh()
    query = {"doctor_id": doctor, "appointment_type_id": desk.world.type}
    assert desk.call("find_free_places", role="patient", subject=nobody, query=query).status == 404
