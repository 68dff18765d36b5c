"""Rules of accounts, roles, sessions and places."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.identity import view
from services.identity.model import accounts, openings, places, policy, roles, sessions
from services.kernel.access import Actor
from services.kernel.errors import Forbidden, Invalid, Stale

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ID, OTHER = UUID(int=1), UUID(int=2)
BOSS = Actor(subject="boss", roles=frozenset({"super_admin"}), permissions=frozenset({"roles.assign"}))
ADMIN = Actor(subject="admin", roles=frozenset({"admin"}), permissions=frozenset({"roles.assign"}))
ZONES = frozenset({"Europe/Berlin", "Europe/Paris"})
CATALOGUE = roles.catalogue(
    {
        "permissions": {"a.read": "Read a.", "b.read": "Read b."},
        "roles": {
            "super_admin": {"title": "Super admin", "description": "All.", "permissions": ["*"]},
            "nurse": {"title": "Nurse", "description": "A.", "permissions": ["a.read"]},
            "service": {"title": "Service", "description": "B.", "permissions": ["b.read"]},
        },
    }
)


def person(*given, **more):
    """An account that has chosen its password."""
    body = {"username": " Ada.Example ", "display_name": "Ada ", "roles": list(given or ("nurse",))}
    made = accounts.create(account_id=ID, body=body, password_hash="h", by=BOSS, at=AT)
    return replace(made, must_change_password=False, one_time_until=None, **more)


def service():
    """The account of a service."""
    return openings.service_account(account_id=OTHER, client_id="history", digest=b"d", at=AT)


def test_a_new_account_can_do_nothing_before_its_password_is_changed():
    body = {"username": " Ada.Example ", "display_name": "Ada ", "roles": ["nurse"]}
    made = accounts.create(account_id=ID, body=body, password_hash="h", by=ADMIN, at=AT)
    assert (made.username, made.display_name, made.effective_roles) == ("ada.example", "Ada", ("first_sign_in",))
    own = accounts.with_own_password(made, password_hash="g", at=AT)
    assert (own.effective_roles, own.version, own.one_time_until) == (("nurse",), 2, None)


def test_a_one_time_password_opens_the_door_for_two_weeks():
    made = accounts.with_one_time_password(person(), password_hash="h", by=ADMIN, at=AT)
    assert made.may_sign_in(AT + timedelta(days=13))
    assert not made.may_sign_in(AT + timedelta(days=14))
    first = openings.first_super_admin(account_id=ID, password_hash="h", at=AT)
    assert first.may_sign_in(AT + timedelta(days=1000)), "nobody is locked out of a new house for good"
    assert not service().may_sign_in(AT)
    assert not person(is_active=False).may_sign_in(AT)


def test_who_may_not_give_roles_makes_no_account():
    body = {"username": "x", "display_name": "x", "roles": ["nurse"]}
    with pytest.raises(Forbidden):
        accounts.create(account_id=ID, body=body, password_hash="h", by=Actor(subject="clerk"), at=AT)


def test_only_a_super_admin_gives_or_takes_that_role():
    with pytest.raises(accounts.SuperAdminOnly):
        accounts.with_roles(person(), roles=["super_admin"], by=ADMIN, at=AT)
    with pytest.raises(accounts.SuperAdminOnly):
        accounts.with_roles(person("super_admin"), roles=["nurse"], by=ADMIN, at=AT)
    assert accounts.with_roles(person(), roles=["super_admin"], by=BOSS, at=AT).is_super_admin


@pytest.mark.parametrize(
    ("after", "others", "refused"),
    [
        ({"is_active": False}, 0, True),
        ({"roles": ("nurse",)}, 0, True),
        ({"is_active": False}, 1, False),
        ({"display_name": "Ada B."}, 0, False),
    ],
)
def test_the_last_active_super_admin_stays_one(after, others, refused):
    before = person("super_admin")
    if refused:
        with pytest.raises(accounts.LastSuperAdmin):
            accounts.refuse_loss_of_last_super_admin(before, after=replace(before, **after), others=others)
    else:
        accounts.refuse_loss_of_last_super_admin(before, after=replace(before, **after), others=others)


def test_a_service_is_no_person():
    for change in (
        lambda: accounts.changed(service(), change={}, by=BOSS, at=AT),
        lambda: accounts.with_roles(service(), roles=["nurse"], by=BOSS, at=AT),
        lambda: accounts.with_one_time_password(service(), password_hash="h", by=BOSS, at=AT),
    ):
        with pytest.raises(accounts.NotAPerson):
            change()
    assert not accounts.disabled(service(), by=ADMIN, at=AT).is_active
    assert openings.with_secret(service(), digest=b"e", at=AT).version == 2


def test_what_changes_nothing_makes_no_version():
    ada = person(email="ada@example.org")
    assert accounts.changed(ada, change={"email": "ada@example.org"}, by=ADMIN, at=AT) is ada
    assert accounts.enabled(ada, by=ADMIN, at=AT) is ada
    later = AT + timedelta(hours=1)
    fresh = accounts.changed(ada, change={"email": None, "display_name": " Ada B."}, by=ADMIN, at=later)
    assert (fresh.version, fresh.changed_at, fresh.email, fresh.display_name) == (2, later, None, "Ada B.")
    assert accounts.differing(ada, after=fresh) == ("display_name", "email")


def test_the_history_of_an_account_holds_no_way_in():
    kept = accounts.state(person())
    assert {"password_hash", "secret_digest"} & set(kept) == set()
    assert kept["roles"] == ["nurse"]
    assert kept["created_at"] == "2026-03-02T08:00:00+00:00"
    assert "active" in accounts.differing(None, after=person())


def test_a_stale_version_names_each_field_once():
    with pytest.raises(Stale) as stale:
        accounts.refuse_stale(3, expected=1, fields_since=["roles", "email", "roles"])
    assert stale.value.fields == ("email", "roles")
    accounts.refuse_stale(3, expected=3, fields_since=[])
    accounts.refuse_stale(3, expected=None, fields_since=[])


def test_every_wrong_role_is_named_by_its_place():
    with pytest.raises(roles.UnknownRole) as refused:
        CATALOGUE.refuse_unknown(["nurse", "ghost", "service"], pointer="/roles")
    assert [each.pointer for each in refused.value.errors] == ["/roles/1", "/roles/2"]
    CATALOGUE.refuse_unknown(["nurse", "super_admin"], pointer="/roles")


def test_a_super_admin_holds_every_permission_by_one_star():
    assert CATALOGUE.permissions_of(["super_admin"]) == ("a.read", "b.read")
    assert CATALOGUE.permissions_of(["nurse", "unknown"]) == ("a.read",)


LIMITS = sessions.Limits()


@pytest.mark.parametrize(
    ("minutes", "session", "token", "worth"),
    [
        (59, {}, {}, sessions.Turn.GOOD),
        (60, {}, {}, sessions.Turn.WORTHLESS),
        (721, {"used_at": AT + timedelta(hours=12)}, {}, sessions.Turn.WORTHLESS),
        (1, {}, {"used_at": AT}, sessions.Turn.REUSED),
        (1, {"ended_at": AT}, {"used_at": AT}, sessions.Turn.WORTHLESS),
    ],
)
def test_a_refresh_token_is_worth_what_its_session_and_its_use_say(minutes, session, token, worth):
    opened = sessions.opened(person(), session_id=ID, source="", at=AT, limits=LIMITS)
    kept = sessions.RefreshToken(digest=b"", session_id=ID, issued_at=AT)
    at = AT + timedelta(minutes=minutes)
    assert sessions.turn(replace(opened, **session), token=replace(kept, **token), at=at, limits=LIMITS) is worth


def test_an_access_token_says_who_and_for_how_long():
    claims = sessions.claims(person(), session=OTHER, methods=["pwd"], authenticated_at=AT, at=AT, token_id=ID)
    assert claims["exp"] - claims["iat"] == 600
    assert (claims["sub"], claims["sid"], claims["roles"]) == (str(ID), str(OTHER), ["nurse"])
    assert sessions.used(sessions.opened(person(), session_id=ID, source="", at=AT, limits=LIMITS), at=AT).used_at == AT
    assert sessions.actor_of(person(), session=OTHER).roles == {"nurse"}
    assert policy.of_account(person(), at=AT).roles == ("nurse",)


def site(**more):
    """A facility."""
    body = {"name": " Northgate ", "zone": "Europe/Berlin"}
    return replace(places.facility(place_id=ID, body=body, zones=ZONES, at=AT), **more)


def ward(within=None, **body):
    """A location."""
    given = {"name": "Ward 1", **body}
    return places.location(place_id=OTHER, body=given, within=within or site(), zones=ZONES, at=AT)


def test_a_location_has_the_zone_of_its_facility_or_its_own():
    assert ward().zone == "Europe/Berlin"
    assert ward(zone="Europe/Paris").zone == "Europe/Paris"
    with pytest.raises(Invalid):
        ward(zone="Europe/Atlantis")
    with pytest.raises(places.FacilityClosed):
        ward(within=site(is_active=False))


def test_places_change_by_the_fields_that_are_given():
    moved = places.changed_facility(site(), change={"zone": "Europe/Paris"}, zones=ZONES, at=AT)
    assert (moved.name, moved.zone, moved.version) == ("Northgate", "Europe/Paris", 2)
    closed = places.changed_location(ward(), change={"active": False, "name": " W "}, zones=ZONES, at=AT)
    assert (closed.is_active, closed.name, closed.version) == (False, "W", 2)
    assert places.changed_location(ward(), change={}, zones=ZONES, at=AT).version == 1


def test_a_department_is_found_in_its_own_facility_only():
    body = {"name": "Cardiology"}
    here = places.department(place_id=ID, body=body, within=site(), found_at=ward(), at=AT)
    assert here.location_id == OTHER
    with pytest.raises(Invalid):
        places.department(place_id=ID, body=body, within=site(id=UUID(int=9)), found_at=ward(), at=AT)
    kept = places.changed_department(here, change={"name": "Heart"}, found_at=None, at=AT)
    assert (kept.location_id, kept.name) == (OTHER, "Heart")
    assert places.changed_department(here, change={"location_id": None}, found_at=None, at=AT).location_id is None


def test_names_of_places_are_compared_without_case_and_blanks():
    assert places.comparable(" Straße   NORD ") == places.comparable("STRASSE nord")


def test_events_of_places_hold_ids_and_zones_only():
    department = places.department(place_id=ID, body={"name": "C"}, within=site(), found_at=None, at=AT)
    assert places.event("facility_created", place=site()).data == {
        "facility_id": str(ID),
        "active": True,
        "zone": "Europe/Berlin",
    }
    assert set(places.event("location_created", place=ward()).data) == {"location_id", "facility_id", "active", "zone"}
    assert set(places.event("department_created", place=department).data) == {"department_id", "facility_id", "active"}
    assert places.state(department)["location_id"] is None


def test_the_outside_never_sees_a_hash_or_a_digest():
    shown = view.account(person()) | view.account(service())
    assert not {"password_hash", "secret_digest", "one_time_until"} & set(shown)
