"""Administrators who are narrowed to places decide about what lies within these places, and give nothing beyond."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.identity.model import administering
from services.identity.model.accounts import Account, Kind, UnknownAccount
from services.identity.model.places import Department, Facility, Location, UnknownPlace
from services.identity.model.reach import Area
from services.kernel.access import Actor, Grant, Scope
from services.kernel.access import Area as Held
from services.kernel.errors import Forbidden

AT = datetime(2026, 3, 2, tzinfo=UTC)
HERE, THERE, WARD, OTHER = (str(UUID(int=each)) for each in (1, 2, 3, 4))
EVERYWHERE = Actor(subject="a")


def admin(*areas, permissions=("roles.assign",)):
    grants = tuple(Grant(permissions=frozenset(permissions), area=each) for each in areas)
    return Actor(subject="a", permissions=frozenset(permissions), scope=Scope(areas=areas), grants=grants)


def held(*facilities, departments=None):
    return Held(facilities=frozenset(facilities), departments=departments and frozenset(departments))


OF_HERE, OF_WARD = admin(held(HERE)), admin(held(HERE, departments=[WARD]))


@pytest.mark.parametrize(
    ("roles", "areas", "of_here", "of_ward"),
    [
        (["nurse"], {"nurse": Area(facilities=(HERE,))}, True, False),
        (["nurse"], {"nurse": Area(facilities=(HERE,), departments=(WARD,))}, True, True),
        (["nurse"], {"nurse": Area(facilities=(HERE,), departments=(WARD, OTHER))}, True, False),
        (["nurse"], {"nurse": Area(facilities=(HERE, THERE))}, False, False),
        (["nurse"], {"nurse": Area(facilities=(THERE,))}, False, False),
        (["nurse"], {}, False, False),
        (["doctor", "nurse"], {"nurse": Area(facilities=(HERE,))}, False, False),
        (["nurse", "patient"], {"nurse": Area(facilities=(HERE,))}, False, False),
        ([], {}, False, False),
    ],
)
def test_an_account_is_administered_where_all_of_its_roles_hold(roles, areas, of_here, of_ward):
    assert administering.administers(roles, areas, by=EVERYWHERE)
    assert administering.administers(roles, areas, by=OF_HERE) == of_here
    assert administering.administers(roles, areas, by=OF_WARD) == of_ward


def test_an_account_elsewhere_is_not_there():
    account = Account(
        id=UUID(int=9), kind=Kind.PERSON, username="x", display_name="X", roles=("nurse",), created_at=AT, changed_at=AT
    )
    assert administering.administered(account, by=EVERYWHERE) is account
    with pytest.raises(UnknownAccount):
        administering.administered(account, by=OF_HERE)


def test_no_role_is_given_for_more_than_the_own_places():
    administering.refuse_wider(["nurse"], {"nurse": Area(facilities=(HERE,))}, by=OF_HERE)
    for areas in ({}, {"nurse": Area(facilities=(HERE, THERE))}):
        with pytest.raises(administering.AreaNotHeld):
            administering.refuse_wider(["nurse"], areas, by=OF_HERE)
    of_another_right = admin(Held(), permissions=("users.manage",))
    with pytest.raises(administering.AreaNotHeld):
        administering.refuse_wider(["nurse"], {}, by=of_another_right)


def test_what_holds_in_the_whole_house_is_decided_by_those_whose_role_does():
    administering.refuse_narrowed(EVERYWHERE)
    with pytest.raises(Forbidden):
        administering.refuse_narrowed(OF_HERE)


def test_places_are_kept_by_those_in_charge_of_them():
    plain = {"name": "X", "created_at": AT, "changed_at": AT}
    facility = Facility(id=UUID(HERE), zone="UTC", **plain)
    location = Location(id=UUID(int=8), facility_id=UUID(HERE), zone="UTC", **plain)
    ward = Department(id=UUID(WARD), facility_id=UUID(HERE), location_id=None, **plain)
    kept = {
        (who, place)
        for who, by in (("house", EVERYWHERE), ("here", OF_HERE), ("ward", OF_WARD), ("there", admin(held(THERE))))
        for place in (facility, location, ward)
        if _is_kept(place, by)
    }
    everything = {(who, place) for who in ("house", "here") for place in (facility, location, ward)}
    assert kept == everything | {("ward", ward)}


def _is_kept(place, by):
    try:
        return administering.in_charge_of(place, by=by) is place
    except UnknownPlace:
        return False
