"""The fence between plans and bookings: nothing is booked against a plan that is not the one of now."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import pytest

from tests.integration.appointments.contests import clean
from tests.integration.appointments.making import Booking, at, fresh, insist, monday, plain, session, together, utc


def closure(scope: str, scope_id: str, since: str, until: str) -> dict:
    return {"id": fresh(), "scope": scope, "scope_id": scope_id, "starts_at": since, "ends_at": until}


def weekly(**more) -> list[dict]:
    return [session(weekday=day, **more) for day in range(1, 8)]


def away(desk: Booking, doctor: str, *closures: dict) -> None:
    """The world's plan of a doctor with leave; it is not applied yet."""
    desk.world.doctor(*desk.world.plans[doctor]["sessions"], doctor=doctor, closures=list(closures))


def names(got) -> set[str]:
    """The appointments that clash, of an answer or a refusal."""
    found = got.body["clashing"] if got.status == 200 else got.body["facts"]["clashing"]
    return {each["appointment_id"] for each in found}


def test_leave_is_refused_with_the_list_of_what_clashes_or_kept_with_it(desk: Booking):
    doctor = desk.doctor(*weekly(capacity=2))
    inside = desk.booked(doctor, at(monday(), "10:00"))
    over = desk.booked(doctor, at(monday(), "10:00"), overbook_reason="Urgent.")
    edge = desk.booked(doctor, at(monday(), "11:45"))
    desk.booked(doctor, at(monday(), "09:30"))  # ends as the leave begins
    asked = desk.request(doctor, at(monday(), "10:30")).body
    away(desk, doctor, closure("doctor", doctor, at(monday(), "10:00"), at(monday(), "12:00")))
    refused = desk.apply(doctor)
    assert (refused.status, refused.body["code"]) == (409, "plan_clashes")
    assert names(refused) == {inside["id"], over["id"], edge["id"]}
    assert refused.body["facts"]["more"] is False
    kept = desk.apply(doctor, clashes="keep")
    assert (kept.status, names(kept), kept.body["version"]) == (200, names(refused), 2)
    [first] = [each for each in kept.body["clashing"] if each["appointment_id"] == edge["id"]]
    assert (utc(first["starts_at"]), first["doctor_id"]) == (utc(edge["starts_at"]), doctor)
    assert desk.book(doctor, at(monday(), "11:00")).body["code"] == "place_closed"
    assert desk.act("approve_appointment", asked).body["code"] == "place_closed"
    assert desk.book(doctor, at(monday(), "11:00"), overbook_reason="Urgent.").body["code"] == "place_closed"
    assert not {at(monday(), clock) for clock in ("10:00", "10:30", "11:00", "11:30")} & set(
        desk.free(doctor, monday())
    )
    clean(desk)


def test_a_refused_plan_changes_nothing(desk: Booking):
    doctor = desk.doctor()
    desk.booked(doctor, at(monday(), "10:00"))
    written, known = desk.size(), desk.world.plans[doctor]
    away(desk, doctor, closure("doctor", doctor, at(monday(), "09:00"), at(monday(), "12:00")))
    assert desk.apply(doctor).status == 409
    assert desk.size() == written
    desk.world.plans[doctor] = known
    desk.booked(doctor, at(monday(), "11:00"))


def test_a_booking_reads_an_old_plan_again_once(desk: Booking):
    doctor = desk.doctor(*weekly())
    desk.booked(doctor, at(monday(), "10:00"))
    asked = desk.world.asked.count(f"/api/v1/doctors/{doctor}/plan")
    away(desk, doctor, closure("doctor", doctor, at(monday(), "14:00"), at(monday(), "15:00")))
    assert desk.apply(doctor).status == 200
    desk.booked(doctor, at(monday(), "11:00"))  # decided on the plan that was known, refused, and decided again
    assert desk.world.asked.count(f"/api/v1/doctors/{doctor}/plan") == asked + 1
    desk.world.doctor(*weekly(), doctor=doctor)
    assert desk.apply(doctor).status == 200
    desk.world.plans[doctor] = {**desk.world.plans[doctor], "version": 2}  # what is read lags behind what was applied
    lost = desk.book(doctor, at(monday(), "12:00"))
    assert (lost.status, "retry-after" in lost.headers) == (503, True)


def test_a_later_plan_stays_and_the_same_change_gets_the_same_answer(desk: Booking):
    doctor, change = desk.doctor(), fresh()
    desk.booked(doctor, at(monday(), "10:00"))
    away(desk, doctor, closure("doctor", doctor, at(monday(), "09:00"), at(monday(), "12:00")))
    first = desk.apply(doctor, clashes="keep", change=change)
    written = desk.size()
    again = together(4, lambda _: desk.apply(doctor, clashes="keep", change=change))
    assert {plain(each.body) for each in again} == {plain(first.body)}
    assert desk.size() == written
    other = desk.apply(doctor, clashes="keep")
    assert (other.status, other.body["code"], other.body["facts"]) == (409, "plan_superseded", {"version": 2})
    clean(desk)


def test_what_is_closed_in_a_facility_closes_its_doctors_locations_and_rooms(desk: Booking):
    room, location = fresh(), fresh()
    one = desk.doctor(*weekly(resource_ids=[room], location_id=location))
    two = desk.doctor(*weekly(location_id=location))
    three = desk.doctor(*weekly())
    made = {each: {desk.booked(each, at(monday(), "10:00"))["id"]} for each in (one, two, three)}
    house = desk.world.facility
    hits = [("resource", room, {one}), ("location", location, {one, two}), ("facility", house, {one, two, three})]
    hours = (at(monday(), "09:00"), at(monday(), "12:00"))
    for version, (scope, id_, hit) in enumerate(hits, 1):
        clashing = set().union(*(made[each] for each in hit))
        closed = closure(scope, id_, *hours)
        refused = desk.close(closed, version=version)
        assert (refused.status, names(refused)) == (409, clashing)
        assert names(desk.close(closed, version=version, clashes="keep")) == clashing
        for doctor in (one, two, three):
            plan = desk.world.plans[doctor]
            desk.world.plans[doctor] = {**plan, "facility_version": version, "facility_closures": [closed]}
            got = desk.book(doctor, at(monday(), f"{10 + version // 2}:{30 * (version % 2):02}"))
            assert got.status == (409 if doctor in hit else 201), (scope, got.body)
            made[doctor] |= {got.body["id"]} if got.status == 201 else set()
    assert desk.close(version=4).status == 200
    for doctor in (one, two, three):
        desk.world.plans[doctor] = {**desk.world.plans[doctor], "facility_version": 4, "facility_closures": []}
        desk.booked(doctor, at(monday(), "09:00"))
    clean(desk)


def test_a_closure_without_an_end_is_applied_at_once(desk: Booking):
    doctor = desk.doctor()
    away(desk, doctor, closure("doctor", doctor, at(monday(2), "09:00"), "9999-12-31T00:00:00Z"))
    assert desk.apply(doctor).status == 200
    assert desk.size() < 600
    assert desk.book(doctor, at(monday(3), "10:00")).body["code"] == "place_closed"
    desk.booked(doctor, at(monday(), "10:00"))


def test_a_session_that_ends_clashes_with_what_was_booked_after_it(desk: Booking):
    kept, ended = session(weekday=1), session(weekday=2)
    doctor = desk.doctor(kept, ended)
    desk.booked(doctor, at(monday(), "10:00"))
    late = desk.booked(doctor, at(monday(2) + timedelta(days=1), "10:00"))
    until = (monday() + timedelta(days=1)).isoformat()
    desk.world.doctor(kept, {**ended, "valid_to": until}, doctor=doctor)
    assert names(desk.apply(doctor)) == {late["id"]}
    assert desk.act("cancel_appointment", late, {"reason_code": "doctor_away"}).status == 200
    assert desk.apply(doctor).status == 200
    desk.booked(doctor, at(monday() + timedelta(days=1), "10:00"))
    assert desk.book(doctor, at(monday(2) + timedelta(days=1), "10:00")).body["code"] == "outside_sessions"


def test_a_list_of_clashes_is_cut_and_says_so(desk: Booking):
    doctor = desk.doctor(*weekly(capacity=50))
    for hour in range(9, 14):
        together(16, lambda _, hour=hour: [desk.book(doctor, at(monday(), f"{hour:02}:00")) for _ in range(3)])
    away(desk, doctor, closure("doctor", doctor, at(monday(), "08:00"), at(monday(), "18:00")))
    refused = desk.apply(doctor)
    assert (len(refused.body["facts"]["clashing"]), refused.body["facts"]["more"]) == (200, True)


@pytest.mark.timeout(3600)
def test_nothing_lies_in_leave_that_is_not_in_its_list(desk: Booking, rounds):
    """Leave is applied in the middle of bookings, each on the plan that it happens to know."""
    doctors = [desk.doctor(*weekly(starts="00:00", ends="00:00", capacity=3)) for _ in range(4)]
    chance = random.Random(7)
    for turn in range(rounds(full=1000, short=50)):
        doctor, day = doctors[turn % 4], monday() + timedelta(days=turn // 4 % 300)
        hour = chance.randrange(1, 20)
        barrier, got = threading.Barrier(9), {}
        leave = closure("doctor", doctor, at(day, f"{hour:02}:00"), at(day, f"{hour + 2:02}:00"))

        def one(index: int, doctor=doctor, day=day, hour=hour, leave=leave, barrier=barrier, got=got):
            barrier.wait()
            if index == 4:
                change = fresh()
                away(desk, doctor, leave)
                got["leave"] = insist(lambda: desk.apply(doctor, clashes="keep", change=change))
                return None
            start = at(day, f"{hour + index % 3:02}:{(0, 30, 45)[index % 3]:02}")
            who, key = fresh(), fresh()
            return insist(lambda: desk.book(doctor, start, patient=who, key=key))

        booked = [each for each in together(9, one) if each is not None]
        assert {each.status for each in booked} <= {201, 409, 503}
        inside = {
            each.body["id"] for each in booked
            if each.status == 201 and utc(each.body["starts_at"]) < utc(leave["ends_at"])
            and utc(leave["starts_at"]) < utc(each.body["ends_at"])
        }  # fmt: skip
        assert inside == names(got["leave"])
        away(desk, doctor)
        back = fresh()
        assert insist(lambda doctor=doctor, back=back: desk.apply(doctor, change=back)).status == 200
    clean(desk)


def test_a_search_over_a_specialization_keeps_its_plans_until_one_is_old(desk: Booking):
    special = fresh()
    one, other = (desk.doctor(*weekly(), specialization_ids=[special]) for _ in range(2))
    day = {"since": at(monday(), "00:00"), "until": at(monday(), "23:59"), "limit": 200}
    query = {"appointment_type_id": desk.world.type, "specialization_id": special, **day}
    lists = f"/api/v1/facilities/{desk.world.facility}/doctor-plans"

    def found() -> set[tuple[str, str]]:
        got = desk.call("find_free_places", query=query)
        return {(each["doctor_id"], each["starts_at"]) for each in got.body["items"]}

    before, asked = found(), desk.world.asked.count(lists)
    assert {doctor for doctor, _ in before} == {one, other}
    assert found() == before
    assert desk.world.asked.count(lists) == asked  # nothing has changed
    leave = closure("doctor", one, at(monday(), "00:00"), at(monday(), "23:59"))
    desk.world.doctor(*weekly(), doctor=one, specialization_ids=[special], closures=[leave])
    assert desk.apply(one).status == 200
    assert found() == {each for each in before if each[0] == other}
    assert desk.world.asked.count(lists) == asked + 1  # the plan of now is another one: nobody had to say so
