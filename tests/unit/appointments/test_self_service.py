"""What people may do for themselves and in the name of others, and what staff reach: the rules alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.appointments import model, view
from services.kernel.access import Actor, Area, Grant, Scope
from services.kernel.errors import Forbidden, NotFound
from services.kernel.intervals import Interval
from tests.unit.appointments.making import (
    AT,
    CLERK,
    FACILITY,
    HEAD,
    HOUSE,
    PATIENT,
    RIGHTS,
    TYPE,
    appointment,
    asked,
    number,
    plan,
    session,
    spot,
)  # fmt: skip

CHILD, ELSEWHERE = number(300), number(301)


def person(own=PATIENT, linked=()):
    """Somebody with links and no area."""
    links = Scope(areas=(), own=None if own is None else str(own), linked=frozenset(map(str, linked)))
    return Actor(subject="person", roles=frozenset({"patient"}), permissions=RIGHTS, scope=links)


def staff(*facilities, permissions=RIGHTS, grants=()):
    """Somebody whose roles hold at some facilities."""
    area = Area(facilities=frozenset(map(str, facilities)))
    return Actor(subject="staff", permissions=permissions, scope=Scope(areas=(area,)), grants=grants)


PERSON, GUARDIAN, STRANGER = person(), person(own=None, linked=[PATIENT]), person(own=CHILD)
HERE, AWAY = staff(FACILITY), staff(ELSEWHERE)


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (HEAD, "staff"), (HERE, "staff"), (PERSON, "self"), (GUARDIAN, "guardian"), (STRANGER, None), (AWAY, None),
        (person(own=None), None),
    ],
)  # fmt: skip
def test_who_acts_as_what(actor, expected):
    if expected is None:
        with pytest.raises(NotFound):
            model.acting(actor, facility_id=FACILITY, patient_id=PATIENT)
    else:
        assert model.acting(actor, facility_id=FACILITY, patient_id=PATIENT).value == expected


def test_the_own_appointments_are_asked_for_as_such_and_those_of_others_by_area():
    assert model.acting_for(PERSON, patient_id=PATIENT) is model.Acting.SELF
    assert model.acting_for(HERE, patient_id=PATIENT) is model.Acting.STAFF
    with pytest.raises(NotFound):
        model.acting_for(STRANGER, patient_id=PATIENT)


WARD, OTHER_WARD = number(302), number(303)


@pytest.mark.parametrize(
    ("departments", "is_reached"),
    [((), True), ((WARD,), True), ((OTHER_WARD, WARD), True), ((OTHER_WARD,), False)],
)
def test_a_role_for_a_department_reaches_what_is_of_it_or_of_none(departments, is_reached):
    area = Area(facilities=frozenset({str(FACILITY)}), departments=frozenset({str(WARD)}))
    nurse = Actor(subject="nurse", permissions=RIGHTS, scope=Scope(areas=(area,)))
    assert model.covers(nurse, facility_id=FACILITY, departments=departments) is is_reached
    assert model.is_within([area], facility_id=FACILITY, departments=departments) is is_reached
    assert not model.is_within([area], facility_id=ELSEWHERE, departments=departments)
    assert not model.is_within([], facility_id=FACILITY, departments=departments)
    known = plan(department_ids=[str(each) for each in departments])
    before = appointment(department_ids=departments)
    if is_reached:
        assert spot(of=known, actor=nurse).plan.departments == departments
        assert model.attend(before, {"to": "arrived"}, at=AT, actor=nurse).after.department_ids == departments
        return
    with pytest.raises(NotFound):
        spot(of=known, actor=nurse)
    with pytest.raises(NotFound):
        model.attend(before, {"to": "arrived"}, at=AT, actor=nurse)


def decisions(actor):
    """Every decision about an appointment, made by somebody."""
    where, booked, pending = spot(), appointment(), appointment(model.Status.PENDING)
    made = {"appointment_id": number(9), "at": AT, "actor": actor, "house": HOUSE}
    on = {"at": AT, "actor": actor}
    return {
        "book": lambda: model.book(asked(), where, **made),
        "request": lambda: model.request(asked(), where, **made),
        "reschedule": lambda: model.reschedule(booked, {}, where, **on, house=HOUSE),
        "cancel": lambda: model.cancel(booked, {"reason_code": "other"}, **on, house=HOUSE),
        "approve": lambda: model.approve(pending, where, **on, house=HOUSE),
        "decline": lambda: model.decline(pending, reason="No", **on),
        "attend": lambda: model.attend(booked, {"to": "arrived"}, **on),
        "mark_in_error": lambda: model.mark_in_error(booked, reason="Slip", **on),
    }


@pytest.mark.parametrize("name", list(decisions(HEAD)))
def test_no_decision_is_made_about_what_is_out_of_reach(name):
    for actor in (STRANGER, AWAY):
        with pytest.raises(NotFound):
            decisions(actor)[name]()
    assert decisions(HERE)[name]().after.changed_as is model.Acting.STAFF


@pytest.mark.parametrize("name", ["approve", "decline", "attend", "mark_in_error"])
def test_what_the_house_decides_is_not_decided_by_people_about_themselves(name):
    with pytest.raises(NotFound):
        decisions(PERSON)[name]()


NOTICE = timedelta(hours=24)
# Nights in which clocks of Berlin change: 2026-03-29 has 23 hours, 2026-10-25 has 25.
STARTS = {
    "usual": datetime(2026, 3, 3, 8, 0, tzinfo=UTC),
    "spring": datetime(2026, 3, 29, 7, 0, tzinfo=UTC),
    "autumn": datetime(2026, 10, 25, 8, 0, tzinfo=UTC),
}


@pytest.mark.parametrize("night", list(STARTS))
@pytest.mark.parametrize("actor", [PERSON, GUARDIAN])
def test_a_day_before_the_start_is_a_day_that_passes_whatever_the_clocks_do(night, actor):
    starts = STARTS[night]
    before = appointment(starts_at=starts, ends_at=starts + timedelta(minutes=30))
    last = starts - NOTICE
    done = model.cancel(before, {"reason_code": "other"}, at=last, actor=actor, house=HOUSE)
    assert (done.after.status, done.after.late_cancelled) == (model.Status.CANCELLED, False)
    model.ensure_movable(before, at=last, actor=actor, house=HOUSE)
    late = last + timedelta(microseconds=1)
    for decide in (
        lambda: model.cancel(before, {"reason_code": "other"}, at=late, actor=actor, house=HOUSE),
        lambda: model.ensure_movable(before, at=late, actor=actor, house=HOUSE),
        lambda: model.reschedule(before, {}, spot(), at=late, actor=actor, house=HOUSE),
    ):
        with pytest.raises(model.CallUs) as refused:
            decide()
        assert refused.value.facts == {"notice_hours": 24.0}
    assert model.cancel(before, {"reason_code": "other"}, at=late, actor=HERE, house=HOUSE).after.late_cancelled


def test_in_spring_the_same_time_of_the_day_before_is_an_hour_too_late_and_in_autumn_an_hour_early():
    spring, autumn = STARTS["spring"], STARTS["autumn"]
    nine_the_day_before = datetime(2026, 3, 28, 8, 0, tzinfo=UTC), datetime(2026, 10, 24, 7, 0, tzinfo=UTC)
    with pytest.raises(model.CallUs):
        model.ensure_in_time(appointment(starts_at=spring), at=nine_the_day_before[0], actor=PERSON, house=HOUSE)
    model.ensure_in_time(appointment(starts_at=autumn), at=nine_the_day_before[1], actor=PERSON, house=HOUSE)


def test_people_take_a_request_back_at_any_time_and_nothing_that_has_begun():
    start = appointment().starts_at
    asked_for = appointment(model.Status.PENDING)
    gone = model.cancel(asked_for, {"reason_code": "other"}, at=start, actor=PERSON, house=HOUSE)
    assert gone.after.changed_as is model.Acting.SELF
    with pytest.raises(model.IllegalMove):
        model.cancel(appointment(model.Status.ARRIVED), {"reason_code": "other"}, at=AT, actor=PERSON, house=HOUSE)
    for status in (model.Status.PENDING, model.Status.CANCELLED):
        with pytest.raises(model.IllegalMove):
            model.ensure_movable(appointment(status), at=start, actor=PERSON, house=HOUSE)


def test_what_was_made_and_changed_keeps_as_what_somebody_acted():
    made = model.book(asked(), spot(), appointment_id=number(9), at=AT, actor=GUARDIAN, house=HOUSE)
    assert (made.after.created_as, made.after.changed_as) == (model.Acting.GUARDIAN, model.Acting.GUARDIAN)
    moved = model.reschedule(
        made.after, {}, spot(), at=AT - NOTICE, actor=HERE, house=HOUSE
    ).after  # fmt: skip
    assert (moved.created_as, moved.changed_as) == (model.Acting.GUARDIAN, model.Acting.STAFF)


def test_limits_for_people_are_told_to_the_store_and_those_of_the_house_stay():
    house = model.House(open_per_patient=10, per_patient_day=1)
    own = model.book(asked(), spot(), appointment_id=number(9), at=AT, actor=PERSON, house=house)
    assert (own.own_limit, own.open_limit, own.patient_limits[0].most) == (3, 10, 1)
    wish = model.request(asked(), spot(), appointment_id=number(9), at=AT, actor=PERSON, house=HOUSE)
    assert (wish.own_limit, wish.open_limit) == (3, 10)
    theirs = model.book(asked(), spot(), appointment_id=number(9), at=AT, actor=HERE, house=HOUSE)
    assert (theirs.own_limit, theirs.patient_limits[0].most) == (None, 5)
    by_people, by_staff = HOUSE.rules(is_staff=False), HOUSE.rules(is_staff=True)
    assert (by_people.holds, by_people.per_patient_day, by_staff) == (2, 2, HOUSE)


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        ("2026-03-02T09:59:00+01:00", "too_soon"), ("2026-03-02T10:00:00+01:00", None),
        ("2026-05-25T10:00:00+02:00", None), ("2026-06-01T10:00:00+02:00", "too_far_ahead"),
    ],
)  # fmt: skip
def test_people_book_from_two_hours_to_ninety_days_ahead(start, rule):
    """It is eight o'clock on a Monday."""
    body = asked(start)
    assert spot(body, actor=HERE).time.start == datetime.fromisoformat(start)
    if rule is None:
        assert spot(body, actor=PERSON).time.start == datetime.fromisoformat(start)
        return
    with pytest.raises(model.TimeInvalid) as refused:
        spot(body, actor=PERSON)
    assert [each.rule for each in refused.value.errors] == [rule]


def test_what_can_be_booked_by_people_of_a_period_is_never_outside_it():
    rules, day = HOUSE.rules(is_staff=False), timedelta(days=1)
    assert rules.bookable(Interval(AT, AT + day), at=AT) == Interval(AT + timedelta(hours=2), AT + day)
    assert rules.bookable(Interval(AT, AT + timedelta(hours=2)), at=AT) is None
    assert rules.bookable(Interval(AT + 91 * day, AT + 92 * day), at=AT) is None
    assert HOUSE.bookable(Interval(AT - day, AT), at=AT) == Interval(AT - day, AT)


def test_a_type_for_staff_is_to_people_as_none():
    kinds = [{"id": str(TYPE), "minutes": 30, "audience": "staff", "specialization_ids": []}]
    known = plan(session(), appointment_types=kinds)
    assert spot(asked("2026-03-09T10:00:00+01:00"), of=known, actor=HERE)
    with pytest.raises(model.DoctorNotBookable) as refused:
        spot(asked("2026-03-09T10:00:00+01:00"), of=known, actor=PERSON)
    assert refused.value.facts == {"why": "type_not_offered"}
    assert HOUSE.rules(is_staff=False).shown(known).types == {}
    assert HOUSE.shown(known) is known


OF_STAFF = {"overbook_reason": "a", "overlap_reason": "a", "retro_reason": "a", "minutes": 90, "resource_ids": []}


@pytest.mark.parametrize("name", list(OF_STAFF))
def test_what_only_staff_decide_is_refused_to_people(name):
    body = {name: OF_STAFF[name]}
    with pytest.raises(Forbidden):
        model.ensure_plain(body, actor=PERSON, facility_id=FACILITY)
    model.ensure_plain(body, actor=HERE, facility_id=FACILITY)


def overbooking_at(facility):
    """Somebody who books here, and overbooks at a facility."""
    rights = {"appointments.book": FACILITY, "appointments.overbook": facility}
    grants = tuple(
        Grant(permissions=frozenset({right}), area=Area(facilities=frozenset({str(where)})))
        for right, where in rights.items()
    )
    return staff(FACILITY, permissions=frozenset(rights), grants=grants)


def test_a_reason_counts_by_a_right_that_is_held_at_the_place():
    model.ensure_plain({"overbook_reason": "a"}, actor=overbooking_at(FACILITY), facility_id=FACILITY)
    with pytest.raises(Forbidden):
        model.ensure_plain({"overbook_reason": "a"}, actor=overbooking_at(ELSEWHERE), facility_id=FACILITY)
    with pytest.raises(Forbidden):
        model.ensure_plain({"overlap_reason": "a"}, actor=CLERK, facility_id=FACILITY)


def test_people_see_what_concerns_them_and_their_own_words_only():
    theirs = appointment(reason="Said at the desk", overbook_reason="Urgent")
    shown = view.shown(theirs, model.Acting.SELF)
    assert (set(shown), shown["reason"]) == (set(view.OWN), None)
    own = appointment(reason="My knee", created_as=model.Acting.GUARDIAN)
    assert view.shown(own, model.Acting.GUARDIAN)["reason"] == "My knee"
    assert "overbook_reason" in view.shown(theirs, model.Acting.STAFF)
