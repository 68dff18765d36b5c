"""The booking desk, called as methods, on a store in memory."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import timedelta

import pytest

from services.appointments import model
from services.appointments.controller import AppointmentsController, Desk
from services.chassis.call import Answer
from services.chassis.stores import Replayed
from services.kernel.errors import Invalid, NotFound, Stale, Unavailable
from tests.unit.appointments.fakes import FakeDoctors, FakeFacilities, FakePatients, FakeStore
from tests.unit.appointments.making import (
    AT,
    DOCTOR,
    FACILITY,
    HEAD,
    HOUSE,
    PATIENT,
    TYPE,
    asked,
    call,
    closure,
    number,
    plan,
    plan_body,
    session,
)  # fmt: skip

HERE, LATER = str(FACILITY), "2026-03-02T12:00:00+01:00"


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def patients() -> FakePatients:
    return FakePatients()


@pytest.fixture
def doctors() -> FakeDoctors:
    return FakeDoctors(plan())


@pytest.fixture
def desk(store, patients, doctors) -> AppointmentsController:
    numbers = itertools.count(200)
    return AppointmentsController(
        Desk(
            store=store,
            facilities=FakeFacilities(),
            patients=patients,
            doctors=doctors,
            house=HOUSE,
            new_id=lambda: number(next(numbers)),
        )
    )


def booked(desk, **more) -> dict:
    answer = desk.book_appointment(HERE, asked(**more), call("book_appointment"))
    assert answer.status == 201
    return answer.body


def test_a_booking_is_decided_kept_told_and_audited(desk, store):
    asking = call("book_appointment")
    answer = desk.book_appointment(HERE, asked(reason="Follow-up"), asking)
    assert (answer.status, answer.body["seat"], answer.body["status"]) == (201, 1, "booked")
    [step] = store.steps
    assert (step.event.type, step.event.subject) == ("appointments.booked.v1", answer.body["id"])
    assert "Follow-up" not in str(step.event)
    assert asking.audited
    assert (step.spot.plan.version, step.spot.plan.facility_version) == (3, 2)


def test_an_old_plan_is_read_again_once_and_then_given_up(desk, store, doctors):
    store.refusals = [model.PlanMoved()]
    booked(desk)
    assert doctors.asked == 2
    store.refusals = [model.PlanMoved(), model.PlanMoved()]
    with pytest.raises(Unavailable):
        desk.book_appointment(HERE, asked(), call())
    assert doctors.asked == 4


AWAY = closure("doctor", DOCTOR, "2026-03-02T07:00:00Z", "2026-03-02T16:00:00Z")


@pytest.mark.parametrize("known", [plan(active=False), plan(session(weekday=3)), plan(closures=[AWAY])])
def test_what_is_known_of_a_plan_refuses_nothing_before_it_was_read_again(desk, doctors, known):
    doctors.known = known
    booked(desk)
    doctors.fresh = known
    with pytest.raises((model.OutsideSessions, model.PlaceClosed, model.DoctorNotBookable)):
        desk.book_appointment(HERE, asked(), call())


def test_a_refusal_about_a_place_names_the_nearest(desk, store):
    simple = (model.PlaceTaken, model.ResourceTaken, model.PatientBusy, model.HoldOver, model.PlaceClosed)
    limit = model.LimitReached(facts={"limit": "doctor_day", "maximum": 3})
    for refusal in (*(each() for each in simple), limit):
        store.refusals = [refusal, refusal]
        with pytest.raises(type(refusal)) as refused:
            desk.book_appointment(HERE, asked(), call())
        assert [each["starts_at"][11:16] for each in refused.value.facts["alternatives"]] == ["09:30", "10:00", "10:30"]
        assert refused.value.facts.items() >= refusal.facts.items()


@pytest.mark.parametrize("limit", ["open_per_patient", "holds"])
def test_a_limit_that_is_reached_everywhere_names_no_place(desk, store, limit):
    store.refusals = [model.LimitReached(facts={"limit": limit, "maximum": 3})]
    with pytest.raises(model.LimitReached) as refused:
        desk.book_appointment(HERE, asked(), call())
    assert refused.value.facts == {"limit": limit, "maximum": 3}


def test_what_was_answered_before_is_looked_at_no_more(desk, store, patients):
    known = booked(desk)
    store.answered = Replayed(Answer({"id": "known"}, 201), record=known["id"])
    patients.standings[PATIENT] = "deceased"
    body, id_ = {"starts_at": LATER}, known["id"]
    for again in (
        lambda: desk.book_appointment(HERE, asked(), call()),
        lambda: desk.request_appointment(HERE, asked(), call()),
        lambda: desk.hold_place(HERE, asked(patient_id=None), call()),
        lambda: desk.reschedule_appointment(HERE, id_, body, call(version=7)),
        lambda: desk.approve_appointment(HERE, id_, call(version=7)),
        lambda: desk.cancel_appointment(HERE, id_, {"reason_code": "other"}, call(version=7)),
        lambda: desk.set_appointment_status(HERE, id_, {"to": "arrived"}, call(version=7)),
    ):
        with pytest.raises(Replayed):
            again()
    assert len(store.steps) == 1


def test_a_change_needs_the_current_version_and_is_told_what_has_changed_since(desk, store):
    known = booked(desk)
    moved = desk.reschedule_appointment(HERE, known["id"], {"starts_at": LATER}, call(version=1)).body
    assert (moved["version"], moved["starts_at"]) == (2, LATER)
    with pytest.raises(Stale) as refused:
        desk.cancel_appointment(HERE, known["id"], {"reason_code": "other"}, call(version=1))
    assert set(refused.value.fields) == {"starts_at", "ends_at"}
    with pytest.raises(Stale) as refused:
        desk.cancel_appointment(HERE, known["id"], {"reason_code": "other"}, call(version=9))
    assert refused.value.fields == ()
    with pytest.raises(NotFound):
        desk.cancel_appointment(HERE, str(number(1)), {"reason_code": "other"}, call(version=1))


def test_a_move_keeps_the_length_unless_another_type_or_length_is_asked_for(desk, doctors):
    other = {"id": str(number(90)), "minutes": 45, "audience": "everyone", "specialization_ids": []}
    doctors.known = doctors.fresh = plan(appointment_types=[*plan_body()["appointment_types"], other])
    known = booked(desk, minutes=50)
    moved = desk.reschedule_appointment(HERE, known["id"], {"starts_at": LATER}, call(version=1)).body
    assert moved["minutes"] == 50
    changed = desk.reschedule_appointment(
        HERE, known["id"], {"appointment_type_id": str(number(90))}, call(version=2)
    ).body
    assert (changed["minutes"], changed["starts_at"]) == (45, LATER)
    cut = desk.reschedule_appointment(HERE, known["id"], {"minutes": 5}, call(version=3)).body
    assert (cut["minutes"], cut["appointment_type_id"]) == (5, str(number(90)))


def test_a_request_is_approved_or_declined(desk, store):
    known = desk.request_appointment(HERE, asked(), call()).body
    assert (known["status"], known["seat"], store.steps[-1].spot) == ("pending", None, None)
    approved = desk.approve_appointment(HERE, known["id"], call(version=1)).body
    assert (approved["status"], approved["seat"]) == ("booked", 1)
    other = desk.request_appointment(HERE, asked(), call()).body
    declined = desk.decline_appointment(HERE, other["id"], {"reason": "No."}, call(version=1)).body
    assert declined["closing"] == {"reason_code": "declined", "note": "No."}
    assert [each.event.type.split(".")[1] for each in store.steps] == ["requested", "booked", "requested", "declined"]


@pytest.mark.parametrize("standing", ["deceased", "inactive", "merged"])
def test_nothing_new_is_made_for_a_closed_record_and_what_stands_can_be_cancelled(desk, store, patients, standing):
    known, wanted = booked(desk), desk.request_appointment(HERE, asked(), call()).body
    patients.standings[PATIENT] = standing
    for refused in (
        lambda: desk.book_appointment(HERE, asked(), call()),
        lambda: desk.request_appointment(HERE, asked(), call()),
        lambda: desk.reschedule_appointment(HERE, known["id"], {"starts_at": LATER}, call(version=1)),
        lambda: desk.approve_appointment(HERE, wanted["id"], call(version=1)),
    ):
        with pytest.raises(model.PatientNotBookable):
            refused()
    assert desk.cancel_appointment(HERE, known["id"], {"reason_code": "died"}, call(version=1)).status == 200


def test_a_place_is_held_and_given_back(desk, store):
    held = desk.hold_place(HERE, asked(patient_id=None), call())
    assert (held.status, held.body["place"]["starts_at"]) == (201, "2026-03-02T10:00:00+01:00")
    assert desk.release_hold(HERE, held.body["id"], call()).status == 204
    with pytest.raises(NotFound):
        desk.release_hold(HERE, held.body["id"], call())


def test_free_places_are_paged_through_to_the_end(desk, store):
    store.taken = [model.Taken(number(1).hex, 0, 2**31, 1, model.Taking.NOT)]
    seen, cursor = [], None
    while True:
        page = desk.find_free_places(HERE, str(TYPE), call(), limit=5, cursor=cursor, doctor_id=str(DOCTOR))
        seen += [each["starts_at"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 16
    assert seen == sorted(seen)
    some = desk.find_free_places(HERE, str(TYPE), call(), specialization_id=str(number(60)))
    assert len(some["items"]) == 16
    assert desk.find_free_places(HERE, str(TYPE), call(), specialization_id=str(number(61)))["items"] == []
    assert desk.find_first_free_place(HERE, str(number(60)), str(TYPE), call())["place"]["starts_at"] == seen[0]
    assert desk.find_first_free_place(HERE, str(number(61)), str(TYPE), call())["place"] is None
    for both in ({}, {"doctor_id": str(DOCTOR), "specialization_id": str(number(60))}):
        with pytest.raises(Invalid):
            desk.find_free_places(HERE, str(TYPE), call(), **both)


@pytest.mark.parametrize(
    "by", [{"doctor_id": str(DOCTOR)}, {"specialization_id": str(number(60))}], ids=lambda by: next(iter(by))
)
def test_places_are_searched_in_the_plan_that_bookings_are_decided_on(desk, store, doctors, by):
    def found() -> list[str]:
        page = desk.find_free_places(HERE, str(TYPE), call(), **by)
        return [each["starts_at"] for each in page["items"]]

    assert found()
    assert doctors.asked == 1
    store.version_of_now = 4
    doctors.fresh = dataclasses.replace(doctors.known, version=4, sessions=())
    assert found() == []  # what was known of the plan is older than the plan


def test_whoever_looks_is_written_down_first(desk, store):
    known = booked(desk)
    asking = {"since": "2026-03-02T00:00:00+01:00", "until": "2026-03-03T00:00:00+01:00"}
    desk.get_appointment(HERE, known["id"], call("get"))
    desk.list_appointments(HERE, call=call("list"), **asking)
    desk.list_appointment_changes(HERE, known["id"], call("changes"))
    desk.list_patient_appointments(str(PATIENT), call("patient"))
    desk.list_unresolved_appointments(HERE, call("unresolved", at=AT + timedelta(days=1)))
    desk.list_appointment_requests(HERE, call("requests"))
    desk.get_worklist(HERE, call=call("worklist"), **asking)
    attended = desk.get_patient_attendance(str(PATIENT), call("attendance")).body
    assert attended == {"patient_id": str(PATIENT), "completed": 2, "no_show": 0, "cancelled": 0, "late_cancelled": 1}
    assert store.noted == ["get", "list", "changes", "patient", "unresolved", "requests", "worklist", "attendance"]


def test_what_waits_is_shown_to_those_who_may_answer_it(desk):
    asking = {"since": "2026-03-02T00:00:00+01:00", "until": "2026-03-03T00:00:00+01:00"}
    known = booked(desk)
    request = desk.request_appointment(HERE, asked(LATER), call("request_appointment")).body
    for rights, sees in (({"approve", "attend"}, (1, 1)), ({"approve"}, (1, None)), (set(), (None, None))):
        actor = dataclasses.replace(HEAD, permissions=frozenset(f"appointments.{each}" for each in rights))
        looking = call("worklist", actor=actor, at=AT + timedelta(hours=3))
        body = desk.get_worklist(HERE, call=looking, **asking).body
        assert [each["id"] for each in body["appointments"]] == [known["id"], request["id"]]  # the store filters
        assert tuple(body[name] and body[name]["count"] for name in ("requests", "unresolved")) == sees
        assert looking.audited
    with pytest.raises(model.TimeInvalid):
        desk.get_worklist(HERE, asking["since"], "2026-03-03T01:01:00+01:00", call("worklist"))


def test_changes_name_what_differs_from_the_version_before(desk):
    known = booked(desk)
    desk.cancel_appointment(HERE, known["id"], {"reason_code": "other", "note": "Ill."}, call("cancel", version=1))
    newest, first = desk.list_appointment_changes(HERE, known["id"], call()).body["items"]
    assert {each["field"] for each in newest["fields"]} == {"status", "seat", "late_cancelled", "closing"}
    assert (newest["what"], newest["reason"], first["version"]) == ("cancel", "Ill.", 1)


def test_a_plan_is_applied_as_its_owner_says(desk, store):
    body = {"version": 3, "change_id": str(number(40)), "clashes": "keep", "doctor": plan_body()}
    answer = desk.apply_plan(HERE, str(DOCTOR), body, call())
    assert answer.body == {"version": 3, "clashing": [], "more": False}
    assert (store.applied[0].plan.doctor_id, store.applied[0].is_refused_by_clashes) == (DOCTOR, False)
