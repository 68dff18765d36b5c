"""The rules of booking, as a client meets them, on the real stores."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from tests.integration.appointments.contests import clean, statuses
from tests.integration.appointments.making import BERLIN, Booking, at, fresh, insist, monday, session, together, utc
from tests.integration.appointments.telling import events, traces


def always(**more) -> list[dict]:
    """Sessions at every minute of every day; each has another beside it that goes on over its end."""
    return [
        session(weekday=day, starts=clock, ends=clock, **more) for day in range(1, 8) for clock in ("00:00", "12:00")
    ]


def moment(**ago) -> str:
    """A whole minute so long ago."""
    return (datetime.now(BERLIN) - timedelta(**ago)).replace(second=0, microsecond=0).isoformat()


@pytest.mark.row("APT-03")
def test_a_patient_has_one_appointment_at_a_time_unless_somebody_with_the_right_gives_a_reason(desk: Booking):
    one, other, patient, start = desk.doctor(), desk.doctor(), fresh(), at(monday(), "10:00")
    desk.booked(one, start, patient=patient)
    refused = desk.book(other, at(monday(), "10:15"), patient=patient)
    assert (refused.status, refused.body["code"]) == (409, "patient_busy")
    blind = desk.book(other, start, patient=patient, overlap_reason="Two at once.", role="admin")
    assert blind.status == 403
    both = desk.book(other, start, patient=patient, overlap_reason="Seen by both.", role="receptionist")
    assert (both.status, both.body["overlap_reason"]) == (201, "Seen by both.")
    desk.booked(other, at(monday(), "10:30"), patient=patient)  # they touch, and do not overlap
    clean(desk)


@pytest.mark.row("APT-05")
def test_places_sessions_and_days_hold_no_more_than_they_may(desk: Booking):
    by_place = desk.doctor(session(capacity=2))
    for _ in range(2):
        desk.booked(by_place, at(monday(), "10:00"))
    assert desk.book(by_place, at(monday(), "10:00")).body["code"] == "place_taken"
    by_session = desk.doctor(session(max_bookings=3), session(weekday=2, max_bookings=3))
    by_day = desk.doctor(session(starts="08:00", ends="12:00"), session(starts="13:00", ends="17:00"), max_per_day=3)
    for doctor, limit in ((by_session, "session"), (by_day, "doctor_day")):
        starts = [at(monday(), f"{hour:02}:{minute:02}") for hour in (9, 10, 11) for minute in (0, 30)] * 2
        got = together(12, lambda i, doctor=doctor, starts=starts: insist(lambda: desk.book(doctor, starts[i])))
        assert statuses(got)[201] == 3
        refused = desk.book(doctor, at(monday(), "16:00" if limit == "doctor_day" else "16:30"))
        assert (refused.status, refused.body["code"]) == (409, "limit_reached")
        assert {key: refused.body["facts"][key] for key in ("limit", "maximum")} == {"limit": limit, "maximum": 3}
        assert desk.free(doctor, monday()) == []
    clean(desk)


@pytest.mark.row("APT-08")
def test_a_move_frees_the_old_place_only_when_it_has_the_new_one(desk: Booking):
    one, other = desk.doctor(), desk.doctor()
    made = desk.booked(one, at(monday(), "10:00"))
    desk.booked(other, at(monday(), "11:00"))
    full = {"doctor_id": other, "starts_at": at(monday(), "11:00"), "reason": "Asked for by phone."}
    assert desk.act("reschedule_appointment", made, full).body["code"] == "place_taken"
    assert desk.read(made).body == made
    assert desk.book(one, at(monday(), "10:00")).status == 409
    moved = desk.act("reschedule_appointment", made, full | {"starts_at": at(monday(), "11:30")})
    assert (moved.status, moved.body["doctor_id"], moved.body["id"]) == (200, other, made["id"])
    assert at(monday(), "10:00") in desk.free(one, monday())
    assert desk.book(other, at(monday(), "11:30")).status == 409
    desk.carry()
    newest, _ = desk.call("list_appointment_changes", appointment_id=made["id"]).body["items"]
    assert (newest["reason"], newest["what"]) == ("Asked for by phone.", "reschedule_appointment")
    assert {"field": "doctor_id", "old": one, "new": other} in newest["fields"]
    told = [kind for subject, kind in events(desk) if subject == made["id"]]
    assert told == ["appointments.booked.v1", "appointments.rescheduled.v1"]
    clean(desk)


@pytest.mark.row("APT-09")
def test_a_cancellation_has_a_reason_and_an_actor_and_frees_the_place_once(desk: Booking):
    doctor = desk.doctor(*always())
    made = desk.booked(doctor, at(monday(2), "10:00"))
    why = {"reason_code": "patient_ill", "note": "Fever."}
    got = together(8, lambda _: insist(lambda: desk.act("cancel_appointment", made, why)))
    assert set(statuses(got)) == {200, 412}
    [gone] = [each.body for each in got if each.status == 200]
    assert (gone["status"], gone["late_cancelled"]) == ("cancelled", False)
    assert gone["closing"] == {"reason_code": "patient_ill", "note": "Fever."}
    assert gone["changed_by"] == "00000000-0000-7000-8000-000000000001"
    again = together(8, lambda _: insist(lambda: desk.book(doctor, at(monday(2), "10:00"))))
    assert statuses(again) == {201: 1, 409: 7}
    soon = desk.booked(doctor, moment(hours=-5))
    late = desk.act("cancel_appointment", soon, {"reason_code": "other"}).body
    assert late["late_cancelled"]
    desk.carry()
    told = events(desk)
    assert told.count((made["id"], "appointments.cancelled.v1")) == 1
    clean(desk)


@pytest.mark.row("APT-11")
def test_who_did_not_come_is_said_by_people_and_counted_apart_from_late_cancellations(desk: Booking):
    doctor, patient = desk.doctor(*always()), fresh()
    missed = desk.booked(doctor, moment(hours=5), patient=patient, retro_reason="The network was down.")
    open_ = desk.booked(doctor, moment(hours=4), patient=patient, retro_reason="The network was down.")
    later = desk.booked(doctor, moment(hours=-6), patient=patient)
    desk.carry()
    assert [each["id"] for each in unresolved(desk)] == [missed["id"], open_["id"]]
    early = desk.act("set_appointment_status", later, {"to": "no_show"})
    assert (early.status, early.body["code"]) == (409, "not_started_yet")
    assert desk.act("set_appointment_status", missed, {"to": "no_show"}, role="receptionist").status == 200
    assert [each["id"] for each in unresolved(desk)] == [open_["id"]]
    assert desk.act("cancel_appointment", later, {"reason_code": "patient_request"}).body["late_cancelled"]
    desk.carry()
    desk.carry()
    assert desk.read(open_).body["status"] == "booked"  # nothing is said by itself
    counts = desk.call("get_patient_attendance", patient_id=patient).body
    assert counts == {"patient_id": patient, "completed": 0, "no_show": 1, "cancelled": 0, "late_cancelled": 1}
    clean(desk)


def unresolved(desk: Booking) -> list[dict]:
    return desk.call("list_unresolved_appointments").body["items"]


def test_a_late_cancellation_that_was_a_mistake_is_not_counted(desk: Booking):
    doctor, patient = desk.doctor(*always()), fresh()
    made = desk.booked(doctor, moment(hours=-3), patient=patient)
    gone = desk.act("cancel_appointment", made, {"reason_code": "other"}).body
    assert desk.act("mark_appointment_entered_in_error", gone, {"reason": "A namesake."}).status == 200
    desk.carry()
    counts = desk.call("get_patient_attendance", patient_id=patient).body
    assert (counts["late_cancelled"], counts["cancelled"]) == (0, 0)


@pytest.mark.row("APT-15")
def test_a_full_place_is_booked_over_with_right_and_reason_and_marked(desk: Booking):
    doctor, start = desk.doctor(session(resource_ids=[fresh()])), at(monday(), "10:00")
    desk.booked(doctor, start)
    assert desk.book(doctor, start).status == 409
    assert desk.book(doctor, start, overbook_reason="Urgent.", role="receptionist").status == 403
    over = desk.book(doctor, start, overbook_reason="Urgent.", role="doctor")
    assert (over.status, over.body["overbook_reason"], over.body["seat"]) == (201, "Urgent.", None)
    desk.carry()
    [change] = desk.call("list_appointment_changes", appointment_id=over.body["id"]).body["items"]
    assert (change["reason"], change["what"]) == ("Urgent.", "book_appointment")
    assert (over.body["id"], "book_appointment", "success") in traces(desk)
    assert desk.book(doctor, start).status == 409
    clean(desk)


@pytest.mark.row("APT-19")
def test_a_request_takes_no_place_and_approving_it_checks_again(desk: Booking):
    doctor, start = desk.doctor(), at(monday(), "10:00")
    first, second, third = (desk.request(doctor, start).body for _ in range(3))
    assert start in desk.free(doctor, monday())
    approved = desk.act("approve_appointment", first)
    assert (approved.status, approved.body["status"], approved.body["seat"]) == (200, "booked", 1)
    refused = desk.act("approve_appointment", second)
    assert (refused.status, refused.body["code"]) == (409, "place_taken")
    declined = desk.act("decline_appointment", third, {"reason": "No such treatment here."})
    assert (declined.body["status"], declined.body["closing"]["note"]) == ("declined", "No such treatment here.")
    clean(desk)


@pytest.mark.row("APT-24")
def test_every_change_of_an_appointment_is_kept_with_who_when_why_and_what(desk: Booking):
    doctor = desk.doctor()
    made = desk.booked(doctor, at(monday(), "10:00"))
    moved = desk.act("reschedule_appointment", made, {"starts_at": at(monday(), "11:00"), "reason": "Earlier is full."},
                     subject="another-clerk", role="receptionist").body  # fmt: skip
    came = desk.act("set_appointment_status", moved, {"to": "arrived", "note": "With a friend."}).body
    desk.act("cancel_appointment", came, {"reason_code": "other", "note": "Had to leave."})
    desk.carry()
    items = desk.call("list_appointment_changes", appointment_id=made["id"]).body["items"]
    assert [each["version"] for each in items] == [4, 3, 2, 1]
    assert [each["reason"] for each in items] == ["Had to leave.", "With a friend.", "Earlier is full.", None]
    assert [each["by"] for each in items[1:3]] == [made["created_by"], "another-clerk"]
    shown = {each["field"]: (each["old"], each["new"]) for each in items[2]["fields"]}
    assert shown["starts_at"] == (at(monday(), "10:00"), at(monday(), "11:00"))
    assert {each["field"] for each in items[0]["fields"]} >= {"status", "closing", "seat"}
    assert all(utc(later["at"]) >= utc(earlier["at"]) for later, earlier in pairwise(items))


@pytest.mark.row("APT-25")
def test_what_is_over_needs_the_right_and_what_has_begun_does_not(desk: Booking):
    doctor = desk.doctor(*always())
    past = desk.book(doctor, moment(hours=2))
    assert (past.status, past.body["errors"]) == (422, [{"pointer": "/starts_at", "rule": "not_in_past"}])
    now = desk.book(doctor, moment(minutes=10))
    assert now.status == 201, now.body
    assert desk.book(doctor, moment(hours=3), retro_reason="Power cut.", role="receptionist").status == 403
    late = desk.book(doctor, moment(hours=3), retro_reason="Power cut.")
    assert (late.status, late.body["retro_reason"]) == (201, "Power cut.")
    old = desk.book(doctor, moment(days=31), retro_reason="Found on paper.")
    assert (old.status, old.body["errors"][0]["rule"]) == (422, "too_long_ago")
    clean(desk)


@pytest.mark.row("APT-26")
def test_a_patient_has_no_more_open_appointments_than_the_house_allows(desk: Booking):
    doctor, patient = desk.doctor(), fresh()
    for day in range(9):
        desk.booked(doctor, at(monday() + timedelta(days=day), "10:00"), patient=patient)
    asked = desk.request(doctor, at(monday(), "15:00"), patient=patient)
    assert asked.status == 201
    for refused in (
        desk.book(doctor, at(monday(4), "10:00"), patient=patient),
        desk.request(doctor, at(monday(4), "10:00"), patient=patient),
    ):
        assert (refused.status, refused.body["code"]) == (409, "limit_reached")
        assert refused.body["facts"] == {"limit": "open_per_patient", "maximum": 10}
    assert desk.act("approve_appointment", asked.body).status == 200
    busy = fresh()
    for clock in ("09:00", "09:30", "11:00", "11:30", "12:00"):
        desk.booked(doctor, at(monday(3), clock), patient=busy)
    refused = desk.book(doctor, at(monday(3), "16:00"), patient=busy)
    assert (refused.body["code"], refused.body["facts"]["limit"]) == ("limit_reached", "patient_day")
    by_day = desk.doctor(session(), max_per_day=1)
    desk.booked(by_day, at(monday(), "10:00"))
    assert desk.book(by_day, at(monday(), "11:00")).body["facts"]["limit"] == "doctor_day"
    clean(desk)


MOVES = {
    "booked": {"arrived", "cancelled", "no_show", "entered_in_error"},
    "arrived": {"booked", "in_progress", "cancelled", "entered_in_error"},
    "in_progress": {"completed", "entered_in_error"},
    "completed": {"entered_in_error"},
    "no_show": {"entered_in_error"},
    "cancelled": {"entered_in_error"},
    "declined": {"entered_in_error"},
    "pending": {"booked", "declined", "cancelled", "entered_in_error"},
    "entered_in_error": set(),
}
PATHS = {
    "booked": [],
    "arrived": ["arrived"],
    "in_progress": ["arrived", "in_progress"],
    "completed": ["arrived", "in_progress", "completed"],
    "no_show": ["no_show"],
    "cancelled": ["cancelled"],
    "entered_in_error": ["entered_in_error"],
    "pending": [],
    "declined": ["declined"],
}


def do(desk: Booking, thing: dict, to: str):
    """Try to bring an appointment into a status, by the operation for it."""
    match to:
        case "cancelled":
            return desk.act("cancel_appointment", thing, {"reason_code": "other"})
        case "entered_in_error":
            return desk.act("mark_appointment_entered_in_error", thing, {"reason": "A slip."})
        case "declined":
            return desk.act("decline_appointment", thing, {"reason": "No."})
        case "booked" if thing["status"] == "pending":
            return desk.act("approve_appointment", thing)
    return desk.act("set_appointment_status", thing, {"to": to})


@pytest.mark.row("APT-10")
@pytest.mark.parametrize("start", MOVES)
def test_of_all_pairs_only_the_legal_moves_are_made(desk: Booking, start: str):
    doctor = desk.doctor(*always(capacity=50))
    begins = moment(minutes=5)

    def there() -> dict:
        is_asked = start in {"pending", "declined"}
        thing = (desk.request if is_asked else desk.book)(doctor, begins).body
        for step in PATHS[start]:
            thing = do(desk, thing, step).body
        assert thing["status"] == start
        return thing

    stuck = there()
    for to in sorted(set(MOVES) - {"pending"}):
        if to in MOVES[start]:
            got = do(desk, there(), to)
            assert (got.status, got.body["status"]) == (200, to), (start, to, got.body)
        else:
            got = do(desk, stuck, to)
            assert (got.status, got.body["code"]) == (409, "illegal_move"), (start, to, got.body)
            assert got.body["facts"]["status"] == start
            assert set(got.body["facts"]["legal"]) == MOVES[start]
    assert desk.read(stuck).body == stuck
    clean(desk)
