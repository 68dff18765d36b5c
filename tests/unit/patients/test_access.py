"""Whose record it is: where a patient is known, who has them in care, who is linked; nobody else learns anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.kernel.access import Actor, Area, Grant, Scope
from services.kernel.errors import NotFound
from services.patients import model
from tests.unit.patients.making import AT, CLERK, HOUSE, patient, patient_id

HERE, THERE = UUID(int=1), UUID(int=2)
DOCTOR, ACCOUNT = UUID(int=11), UUID(int=12)
ONE = patient_id(1)
REGISTERED = model.Known(id=UUID(int=20), patient_id=ONE, facility_id=HERE, since=AT)
TOLD = {
    "patient_id": str(ONE),
    "facility_id": str(HERE),
    "doctor_id": str(DOCTOR),
    "status": "booked",
    "starts_at": AT.isoformat(),
    "ends_at": (AT + timedelta(minutes=15)).isoformat(),
}


def actor(*areas, own=None, linked=(), is_by_link=False):
    scope = Scope(areas=areas, own=own, linked=frozenset(linked))
    permissions = frozenset({"patients.read"})
    grants = [Grant(permissions=permissions, area=each) for each in areas]
    grants += [Grant(permissions=permissions, area=None)] if is_by_link else []
    return Actor(subject=str(ACCOUNT), permissions=permissions, scope=scope, grants=tuple(grants))


def at(*facilities, is_assigned=False):
    return Area(facilities=frozenset(map(str, facilities)), is_assigned=is_assigned)


def visit(**said):
    told = model.visit(TOLD | said, id=UUID(int=21), version=1, at=AT)
    return replace(told, account=ACCOUNT)


def reaches(who, *known, later=timedelta(0), permission=None):
    within = model.reach(who, house=HOUSE, at=AT + later, permission=permission)
    return ONE in model.reached([ONE], within=within, known=lambda _: known)


def test_a_role_of_the_whole_house_reaches_every_record_and_nothing_is_looked_up():
    def looked_up(_):
        raise AssertionError

    within = model.reach(CLERK, house=HOUSE, at=AT)
    assert model.in_reach(patient(), within=within, known=looked_up) == patient()


def test_a_narrowed_role_reaches_those_who_are_known_at_its_facilities():
    desk = actor(at(HERE))
    assert reaches(desk, REGISTERED)
    assert reaches(desk, visit())
    assert not reaches(desk, replace(REGISTERED, facility_id=THERE))
    assert not reaches(desk, replace(REGISTERED, facility_id=None)), "registered for the whole house, at no one place"
    assert not reaches(desk)
    assert reaches(actor(at(HERE, THERE)), replace(REGISTERED, facility_id=THERE))


@pytest.mark.parametrize("status", ["cancelled", "declined", "entered_in_error"])
def test_what_was_not_held_is_no_reason_any_more(status):
    assert not reaches(actor(at(HERE)), visit(status=status))
    assert reaches(actor(at(HERE)), visit(status=status), REGISTERED)


@pytest.mark.parametrize("status", ["pending", "booked", "arrived", "in_progress", "completed", "no_show"])
def test_an_appointment_is_a_reason_until_two_years_after_it(status):
    desk, over = actor(at(HERE)), timedelta(minutes=15) + HOUSE.known_for
    assert reaches(desk, visit(status=status), later=over)
    assert not reaches(desk, visit(status=status), later=over + timedelta(seconds=1))
    assert reaches(desk, REGISTERED, later=over + timedelta(days=9999)), "a registration is never over"


def test_an_event_that_does_not_say_when_it_ends_counts_from_its_start():
    assert model.visit({k: v for k, v in TOLD.items() if k != "ends_at"}, id=ONE, version=1, at=AT).ends_at == AT


def test_what_is_held_about_assigned_patients_only_wants_an_appointment_with_that_doctor():
    doctor = actor(Area(is_assigned=True))
    assert reaches(doctor, visit(), later=timedelta(days=9))
    assert not reaches(doctor, replace(visit(), account=UUID(int=99)), later=timedelta(days=9))
    assert not reaches(doctor, replace(visit(), account=None), later=timedelta(days=9))
    assert not reaches(doctor, visit(status="cancelled"), later=timedelta(days=9))
    assert not reaches(actor(at(THERE, is_assigned=True)), visit(), later=timedelta(days=9))


def test_who_was_just_registered_is_in_the_care_of_every_doctor_on_duty_there():
    assert reaches(actor(at(HERE, is_assigned=True)), REGISTERED, later=HOUSE.open_for)
    assert not reaches(actor(at(HERE, is_assigned=True)), REGISTERED, later=HOUSE.open_for + timedelta(seconds=1))
    assert not reaches(actor(at(THERE, is_assigned=True)), REGISTERED)
    assert reaches(actor(Area(is_assigned=True)), replace(REGISTERED, facility_id=None))


def test_a_link_reaches_the_own_record_and_those_that_the_account_speaks_for():
    assert reaches(actor(own=str(ONE), is_by_link=True))
    assert reaches(actor(linked=[str(ONE)], is_by_link=True))
    assert not reaches(actor(own=str(patient_id(2)), is_by_link=True), REGISTERED)
    assert reaches(actor(at(THERE), own=str(ONE), is_by_link=True), permission="patients.read")
    assert not reaches(actor(at(THERE), own=str(ONE)), permission="patients.read"), "a link gives what its role holds"


def test_what_is_asked_for_another_permission_reaches_as_far_as_that_one():
    held = Grant(permissions=frozenset({"patients.verify"}), area=Area())
    nurse = Actor(
        subject="n",
        permissions=frozenset({"patients.verify", "history.read"}),
        grants=(held, Grant(permissions=frozenset({"history.read"}), area=at(THERE))),
    )
    assert reaches(nurse, REGISTERED)
    assert not reaches(nurse, REGISTERED, permission="history.read")
    assert not reaches(nurse, REGISTERED, permission="history.write"), "what is not held reaches nobody"


def test_what_is_not_in_reach_is_not_there():
    within = model.reach(actor(at(THERE)), house=HOUSE, at=AT)
    with pytest.raises(NotFound):
        model.in_reach(patient(), within=within, known=lambda _: [REGISTERED])


def test_a_patient_is_registered_at_the_desk_or_at_one_of_its_places_that_is_said():
    assert model.desks(actor(at(HERE)), said=None) == (HERE,)
    assert model.desks(actor(at(HERE, THERE)), said=None) == (HERE, THERE), "whoever registers can open it again"
    assert model.desks(actor(at(HERE, THERE)), said=THERE) == (THERE,)
    assert model.desks(CLERK, said=None) == (None,)
    assert model.desks(CLERK, said=THERE) == (THERE,)
    with pytest.raises(model.DemographicsInvalid) as refused:
        model.desks(actor(at(HERE)), said=THERE)
    assert [(each.pointer, each.rule) for each in refused.value.errors] == [("/facility_id", "unknown")]
