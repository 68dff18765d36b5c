"""Profiles: what they hold, what of them is in plans, and which files are photos."""

from __future__ import annotations

import base64
from datetime import date
from uuid import UUID

import pytest

from services.doctors.model import access, listed, profiles, records
from services.doctors.model.errors import AlreadyActive, AlreadyInactive
from services.kernel.access import Actor, Area, Grant, Scope
from services.kernel.errors import Forbidden, Invalid, NotFound, Stale
from tests.unit.doctors import making

PNG, JPEG = b"\x89PNG\r\n\x1a\n" + bytes(20), b"\xff\xd8\xff\xe0" + bytes(20)
LICENCE = {"number": "BE 47/11", "authority": " Medical Chamber "}


def test_a_profile_needs_a_name_and_a_licence_only():
    body = {"family_name": " Example ", "given_name": "Ada", "licence": LICENCE}
    made = profiles.create(body, id=making.new_id(), at=making.AT)
    assert (made.family_name, made.licence_authority, made.licence_expires_on) == ("Example", "Medical Chamber", None)
    assert (made.languages, made.phone, made.user_id, made.is_active, made.version) == ((), None, None, True, 1)


@pytest.mark.parametrize("number", ["be-4711", "BE 4711", "BE/47.11", "Be4711"])
def test_licence_numbers_are_one_however_they_are_written(number):
    assert profiles.comparable_licence(number) == profiles.comparable_licence("BE-4711")


def test_what_is_left_out_stays_and_null_empties():
    now = making.doctor(title="Dr.", phone="+49 30 5550101", languages=("de",))
    fresh = profiles.changed(now, {"title": None, "contacts": {"email": "ada@example.org"}}, at=making.AT)
    assert (fresh.title, fresh.phone, fresh.email, fresh.languages) == (
        None,
        "+49 30 5550101",
        "ada@example.org",
        ("de",),
    )
    assert records.differing(now, fresh) == ["contacts", "title"]
    assert profiles.changed(now, {"title": "Dr."}, at=making.AT) is now


@pytest.mark.parametrize(
    ("body", "touches"),
    [
        ({"family_name": "Other"}, False),
        ({"licence": LICENCE}, False),
        ({"licence": LICENCE | {"expires_on": "2030-01-01"}}, True),
        ({"max_per_day": 5}, True),
        ({"specialization_ids": [str(making.FACILITY)]}, True),
        ({"department_ids": [str(making.FACILITY)]}, False),
    ],
)
def test_only_what_a_plan_says_touches_plans(body, touches):
    now = making.doctor()
    assert profiles.touches_plans(now, profiles.changed(now, body, at=making.AT)) == touches


def test_a_doctor_leaves_service_and_comes_back_once():
    gone = profiles.deactivated(making.doctor(), at=making.AT)
    assert (gone.is_active, gone.version) == (False, 2)
    assert profiles.activated(gone, at=making.AT).version == 3
    with pytest.raises(AlreadyInactive):
        profiles.deactivated(gone, at=making.AT)
    with pytest.raises(AlreadyActive):
        profiles.activated(making.doctor(), at=making.AT)


def test_what_happened_to_a_profile_is_told_by_names_of_fields():
    now = making.doctor()
    assert [each.type for each in profiles.events(None, now)] == ["doctors.created.v1"]
    gone = profiles.deactivated(now, at=making.AT)
    assert [each.type for each in profiles.events(now, gone)] == ["doctors.deactivated.v1"]
    moved = profiles.changed(gone, {"licence": LICENCE | {"expires_on": "2030-01-01"}}, at=making.AT)
    (told,) = profiles.events(gone, moved)
    assert (told.type, told.version, told.data) == ("doctors.changed.v1", 3, {"fields": ["licence"]})
    assert moved.licence_expires_on == date(2030, 1, 1)


def photo(data: bytes, kind: str = "image/png"):
    return profiles.photo(
        {"media_type": kind, "data": base64.b64encode(data).decode()}, doctor_id=making.DOCTOR, at=making.AT
    )


@pytest.mark.parametrize(("data", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg")])
def test_a_photo_is_known_by_its_first_bytes(data, kind):
    assert photo(data, kind).data == data


@pytest.mark.parametrize(
    ("data", "kind", "rule"),
    [
        (JPEG, "image/png", "not_an_image"),
        (PNG, "image/jpeg", "not_an_image"),
        (b"<svg/>", "image/png", "not_an_image"),
        (PNG + bytes(profiles.LARGEST_PHOTO), "image/png", "too_large"),
    ],
)
def test_another_file_is_no_photo(data, kind, rule):
    with pytest.raises(Invalid) as caught:
        photo(data, kind)
    assert [(each.pointer, each.rule) for each in caught.value.errors] == [("/data", rule)]


def test_what_is_not_base64_is_no_photo():
    with pytest.raises(Invalid) as caught:
        profiles.photo({"media_type": "image/png", "data": "abcde"}, doctor_id=making.DOCTOR, at=making.AT)
    assert caught.value.errors[0].rule == "base64"


PLANNER = Actor(subject="planner", permissions=frozenset({"schedules.manage", "schedules.manage_own"}))
OWN = Actor(subject=str(making.LOCATION), permissions=frozenset({"schedules.manage_own"}))


@pytest.mark.parametrize(
    ("user_id", "actor", "may"),
    [
        (making.LOCATION, OWN, True),
        (making.FACILITY, OWN, False),
        (None, OWN, False),
        (None, PLANNER, True),
        (making.FACILITY, PLANNER, True),
        (None, Actor(subject="None", permissions=frozenset({"schedules.manage_own"})), False),
    ],
)
def test_doctors_plan_for_themselves_and_planners_for_all(user_id, actor, may):
    doctor = making.doctor(user_id=user_id)
    if may:
        access.ensure_may_plan(doctor, actor=actor, facilities={making.FACILITY})
        return
    with pytest.raises(Forbidden):
        access.ensure_may_plan(doctor, actor=actor, facilities={making.FACILITY})


def narrowed(permission, *, departments=None, subject="x"):
    """Somebody who holds a permission at one facility, or in departments of it."""
    area = Area(facilities=frozenset({str(making.FACILITY)}), departments=departments)
    held = frozenset({permission})
    scope = Scope(areas=(area,))
    return Actor(subject=subject, permissions=held, scope=scope, grants=(Grant(permissions=held, area=area),))


ELSEWHERE = UUID(int=77)


def test_who_is_narrowed_to_a_facility_plans_and_manages_there_and_nowhere_else():
    doctor = making.doctor()
    scheduler, manager = narrowed("schedules.manage"), narrowed("doctors.manage")
    for where in (set(), {making.FACILITY}):
        access.ensure_may_plan(doctor, actor=scheduler, facilities=where)
        access.ensure_may_manage(doctor, actor=manager, facilities=where)
    for where in ({ELSEWHERE}, {making.FACILITY, ELSEWHERE}):
        with pytest.raises(Forbidden):
            access.ensure_may_plan(doctor, actor=scheduler, facilities=where)
        with pytest.raises(Forbidden):
            access.ensure_may_manage(doctor, actor=manager, facilities=where)


def test_who_is_narrowed_to_a_department_plans_for_its_doctors():
    ward, other = UUID(int=5), UUID(int=6)
    head = narrowed("schedules.manage", departments=frozenset({str(ward)}))
    access.ensure_may_plan(making.doctor(department_ids=(ward, other)), actor=head, facilities={making.FACILITY})
    with pytest.raises(Forbidden):
        access.ensure_may_plan(making.doctor(department_ids=(other,)), actor=head, facilities={making.FACILITY})
    with pytest.raises(Forbidden):
        access.ensure_runs(making.FACILITY, actor=head)


def test_doctors_plan_for_themselves_where_their_role_holds():
    doctor = making.doctor(user_id=making.LOCATION)
    own = narrowed("schedules.manage_own", subject=str(making.LOCATION))
    access.ensure_may_plan(doctor, actor=own, facilities={making.FACILITY})
    with pytest.raises(Forbidden):
        access.ensure_may_plan(doctor, actor=own, facilities={ELSEWHERE})


def test_rooms_and_closures_are_of_a_facility_and_lists_are_of_the_house():
    access.ensure_runs(making.FACILITY, actor=narrowed("resources.manage"))
    access.ensure_runs_the_house(PLANNER)
    with pytest.raises(Forbidden):
        access.ensure_runs(ELSEWHERE, actor=narrowed("resources.manage"))
    with pytest.raises(Forbidden):
        access.ensure_runs_the_house(narrowed("specializations.manage"))


def test_a_change_of_what_is_closed_is_for_those_who_close_there():
    closer = Actor(subject="x", permissions=frozenset({"closures.manage"}))
    where = {"subject_id": making.FACILITY, "facilities": ()}
    access.ensure_may_see_change(None, actor=closer, **where)
    access.ensure_may_see_change(None, actor=narrowed("closures.manage"), **where)
    for actor in (OWN, narrowed("closures.manage")):
        with pytest.raises(NotFound):
            access.ensure_may_see_change(None, actor=actor, subject_id=ELSEWHERE, facilities=())


@pytest.mark.parametrize(("roles", "sees"), [({"patient"}, False), ({"patient", "nurse"}, True), ({"service"}, True)])
def test_types_for_staff_are_not_shown_to_patients(roles, sees):
    assert access.sees_staff_types(Actor(subject="x", roles=frozenset(roles))) == sees


def test_a_list_names_each_that_is_not_there_or_out_of_use():
    gone, here = making.kind(is_active=False), making.kind()
    known = {gone.id: gone, here.id: here}
    body = {"appointment_type_ids": [str(here.id), str(making.DOCTOR), str(gone.id)]}
    with pytest.raises(Invalid) as caught:
        listed.ensure_known(body, "appointment_type_ids", known)
    found = [(each.pointer, each.rule) for each in caught.value.errors]
    assert found == [("/appointment_type_ids/1", "unknown"), ("/appointment_type_ids/2", "out_of_use")]
    listed.ensure_known({"appointment_type_ids": [str(gone.id)]}, "appointment_type_ids", known, had=[gone.id])


def test_a_change_from_an_old_version_is_refused_with_the_fields():
    records.refuse_stale(3, expected=3, since=[])
    with pytest.raises(Stale) as caught:
        records.refuse_stale(3, expected=2, since=["title"])
    assert caught.value.fields == ("title",)
