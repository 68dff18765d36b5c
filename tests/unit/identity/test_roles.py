"""Roles of the house's own, areas of roles, links to records, and roles by groups of a provider."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.model import accounts, external, openings, places, policy, reach, roles, sessions
from services.identity.model.reach import Area, Link, Relation
from services.kernel.access import Actor
from services.kernel.errors import Invalid

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ID, OTHER = UUID(int=1), UUID(int=2)
KNOWN = roles.catalogue(
    {
        "permissions": {"a.read": "A.", "b.read": "B.", "c.read": "C."},
        "roles": {
            "super_admin": {"title": "S", "description": "S.", "permissions": ["*"]},
            "nurse": {"title": "N", "description": "N.", "permissions": ["a.read"]},
        },
    }
)
CLERK = Actor(subject="clerk", permissions=frozenset({"a.read", "b.read"}))
BODY = {"name": "porter", "title": " Porter ", "description": " Carries. ", "permissions": ["b.read", "a.read"]}


def porter(**more):
    """A role of the house's own."""
    return roles.made({**BODY, **more}, role_id=ID, known=KNOWN, before=None, by=CLERK, at=AT)


def change(role, by=CLERK, **body):
    """A changed role."""
    return roles.changed(role, change=body, role_id=OTHER, known=KNOWN, by=by, at=AT)


def test_a_role_is_a_sorted_set_of_known_permissions_that_its_maker_holds():
    made = porter()
    assert (made.title, made.description, made.permissions) == ("Porter", "Carries.", ("a.read", "b.read"))
    with pytest.raises(roles.UnknownPermission) as refused:
        porter(permissions=["a.read", "x.read", "y.read"])
    assert [each.pointer for each in refused.value.errors] == ["/permissions/1", "/permissions/2"]
    with pytest.raises(roles.PermissionNotHeld):
        porter(permissions=["c.read"])
    with pytest.raises(roles.RoleTaken):
        porter(name="nurse")


def test_a_name_that_comes_back_goes_on_with_the_version_of_the_one_before():
    gone = roles.deleted(porter(), holders=0, at=AT)
    again = roles.made(BODY, role_id=OTHER, known=KNOWN, before=gone, by=CLERK, at=AT)
    assert (again.id, again.version) == (ID, 3)
    assert policy.of_role(gone).permissions == ()
    assert policy.of_role(again).permissions == ("a.read", "b.read")


def test_what_a_role_holds_already_may_stay_whoever_changes_it():
    held = replace(porter(), permissions=("a.read", "c.read"))
    fresh = change(held, permissions=["c.read", "b.read"])
    assert fresh.permissions == ("b.read", "c.read")
    assert accounts.differing(held, after=fresh, names=roles.SHOWN) == ("permissions",)
    assert roles.permissions_changed(held, after=fresh) == ({"b.read"}, {"a.read"})
    with pytest.raises(roles.PermissionNotHeld):
        change(porter(), permissions=["a.read", "c.read"])


def test_a_change_of_nothing_makes_no_version():
    assert change(porter(), title="Porter") == porter()
    assert change(porter(), title="Bearer").version == 2
    assert accounts.differing(None, after=porter(), names=roles.SHOWN)[:2] == ("title", "description")
    assert roles.permissions_changed(None, after=porter()) == ({"a.read", "b.read"}, set())


def test_a_fixed_role_has_a_setting_and_nothing_else_to_change():
    nurse = KNOWN.role("nurse")
    with pytest.raises(roles.FixedRole):
        change(nurse, title="Sister")
    with pytest.raises(roles.FixedRole):
        roles.deleted(nurse, holders=0, at=AT)
    fresh = change(nurse, requires_second_factor=True)
    assert (fresh.id, fresh.version, fresh.is_own) == (OTHER, 2, False)
    merged = KNOWN.with_kept([fresh, porter(), replace(porter(), name="gone", is_deleted=True)])
    assert merged.with_factor() == {"nurse"}
    assert [each.name for each in merged.roles] == ["super_admin", "nurse", "porter"]
    assert merged.role("nurse").permissions == ("a.read",)
    assert policy.of_role(fresh).permissions == (), "what a fixed role allows stands in the published list"
    with pytest.raises(roles.NoSuchRole):
        merged.role("gone")


def test_only_a_super_admin_says_how_super_admins_are_recognised():
    boss = Actor(subject="boss", permissions=frozenset({"a.read", "b.read", "c.read"}))
    with pytest.raises(roles.PermissionNotHeld):
        change(KNOWN.role("super_admin"), requires_second_factor=True)
    assert change(KNOWN.role("super_admin"), by=boss, requires_second_factor=True).requires_second_factor


def test_a_permission_that_is_no_more_goes_from_own_roles():
    old = replace(porter(), permissions=("a.read", "z.read"))
    assert KNOWN.with_kept([old]).role("porter").permissions == ("a.read",)


def test_a_role_in_use_stays_and_its_history_says_what_it_held():
    assert roles.state(porter())["permissions"] == ["a.read", "b.read"]
    with pytest.raises(roles.RoleInUse):
        roles.deleted(porter(), holders=1, at=AT)


def test_nobody_gives_roles_to_himself_but_who_holds_them_all():
    body = {"username": "ada", "display_name": "Ada", "roles": ["nurse"]}
    boss = Actor(subject=str(ID), roles=frozenset({"super_admin"}), permissions=frozenset({"roles.assign"}))
    admin = replace(boss, roles=frozenset({"admin"}))
    made = accounts.create(account_id=ID, body=body, password_hash="h", by=admin, at=AT)
    with pytest.raises(accounts.OwnRoles):
        accounts.with_roles(made, roles=["doctor"], by=admin, at=AT)
    assert accounts.with_roles(made, roles=["doctor"], by=boss, at=AT).roles == ("doctor",)
    assert accounts.state(accounts.with_link(made, link=link(5), at=AT))["links"][0]["relation"] == "guardian"


# ---- areas ----------------------------------------------------------------------------------------------------------

HERE, THERE, WARD = UUID(int=11), UUID(int=12), UUID(int=13)
SITES = {
    each: places.Facility(id=each, name="S", zone="Europe/Berlin", created_at=AT, changed_at=AT)
    for each in (HERE, THERE)
}
WARDS = {WARD: places.Department(id=WARD, facility_id=THERE, name="W", created_at=AT, changed_at=AT)}


def areas(*given, held=("nurse", "doctor"), sites=SITES):
    """The areas of a body."""
    return reach.areas(given, roles=held, facilities=sites, departments=WARDS)


def test_a_department_brings_its_facility_along():
    body = ({"role": "nurse", "facilities": [str(HERE)]}, {"role": "doctor", "departments": [str(WARD)]})
    assert reach.named(body) == ({HERE}, {WARD})
    found = areas(*body)
    assert found["nurse"] == Area(facilities=(str(HERE),))
    assert found["doctor"] == Area(facilities=(str(THERE),), departments=(str(WARD),))
    assert reach.areas_said(found)["doctor"] == {"facilities": [str(THERE)], "departments": [str(WARD)]}
    assert reach.all_facilities(("nurse", "doctor"), found) == {HERE, THERE}
    assert reach.all_facilities(("nurse", "clerk"), found) is None
    assert reach.all_facilities((), found) is None


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"role": "clerk", "facilities": [str(HERE)]}, "/areas/0/role"),
        ({"role": "nurse", "facilities": [str(ID)]}, "/areas/0/facilities/0"),
        ({"role": "nurse", "departments": [str(ID)]}, "/areas/0/departments/0"),
        ({"role": "nurse", "facilities": [str(HERE)], "departments": [str(WARD)]}, "/areas/0/departments"),
    ],
)
def test_an_area_that_is_none_is_named(given, pointer):
    with pytest.raises(Invalid) as refused:
        areas(given)
    assert [each.pointer for each in refused.value.errors] == [pointer]


def test_a_closed_facility_is_no_area_and_no_role_has_two():
    closed = {**SITES, HERE: replace(SITES[HERE], is_active=False)}
    with pytest.raises(Invalid):
        areas({"role": "nurse", "facilities": [str(HERE)]}, sites=closed)
    with pytest.raises(Invalid):
        areas({"role": "nurse", "facilities": [str(HERE)]}, {"role": "nurse", "facilities": [str(THERE)]})
    many = {UUID(int=n): replace(SITES[HERE], id=UUID(int=n)) for n in range(100, 165)}
    with pytest.raises(Invalid) as refused:
        areas({"role": "nurse", "facilities": [str(each) for each in many]}, sites=many)
    assert refused.value.errors[0].pointer == "/areas"


# ---- links ----------------------------------------------------------------------------------------------------------


def link(number, relation=Relation.GUARDIAN, **more):
    """A link to a record."""
    return Link(
        id=UUID(int=number), patient_id=UUID(int=1000 + number), relation=relation, made_by="d", made_at=AT, **more
    )


def patient(*links):
    """An account of a patient."""
    made = openings.of_patient(account_id=ID, username="Ada", password_hash="h", link=link(1, Relation.SELF), at=AT)
    return replace(made, links=tuple(links))


def test_a_link_is_made_once_ends_once_and_brings_the_role():
    one = accounts.with_link(replace(patient(), roles=("nurse",)), link=link(2), at=AT)
    assert one.roles == ("nurse", "patient")
    with pytest.raises(reach.LinkedAlready):
        accounts.with_link(one, link=link(2), at=AT)
    none = accounts.without_link(one, link_id=UUID(int=2), at=AT)
    assert (none.links, none.version) == ((), 3)
    with pytest.raises(reach.UnknownLink):
        accounts.without_link(none, link_id=UUID(int=2), at=AT)


def test_an_account_is_one_persons_own_and_speaks_for_a_family():
    with pytest.raises(reach.LinkedAlready):
        accounts.with_link(patient(link(1, Relation.SELF)), link=link(2, Relation.SELF), at=AT)
    with pytest.raises(reach.TooManyLinks):
        accounts.with_link(patient(*(link(n) for n in range(2, 18))), link=link(99), at=AT)
    over = (link(n, until=AT) for n in range(2, 18))
    assert len(accounts.with_link(patient(*over), link=link(99), at=AT).links) == 1, "what has ended does not count"


@given(st.integers(min_value=-10, max_value=10))
def test_links_that_hold_are_said_with_their_end(minutes):
    ends = AT + timedelta(minutes=minutes)
    said = reach.links_said([link(1, Relation.SELF), link(2, until=ends)], at=AT)
    assert said[0] == [str(UUID(int=1001)), "own", None]
    assert said[1:] == ([[str(UUID(int=1002)), "linked", int(ends.timestamp())]] if minutes > 0 else [])


def test_a_token_of_a_role_that_wants_a_second_factor_says_nothing_without_one():
    more = {"session": OTHER, "authenticated_at": AT, "at": AT, "token_id": ID, "with_factor": {"patient"}}
    made = patient(link(1, Relation.SELF))
    assert sessions.claims(made, methods=["pwd"], **more)["roles"] == ["first_sign_in"]
    assert sessions.claims(made, methods=["pwd", "otp"], **more)["roles"] == ["patient"]
    assert sessions.claims(made, methods=["svc"], **more)["roles"] == ["patient"]
    short = sessions.claims(made, methods=["svc"], ends_at=AT + timedelta(seconds=90), **more)
    assert short["exp"] - short["iat"] == 90
    session = sessions.opened(made, session_id=ID, source="", at=AT, limits=sessions.Limits())
    later = sessions.with_code(sessions.with_code(session, at=AT), at=AT + timedelta(hours=1))
    assert (later.methods, later.authenticated_at) == (("pwd", "otp"), AT + timedelta(hours=1))
    assert later.has_second_factor


# ---- groups ---------------------------------------------------------------------------------------------------------

TABLE = external.GroupRoles(entries={"ward": ("nurse",), "desk": ("clerk", "nurse")}, created_at=AT, changed_at=AT)


def said(**more):
    """What a provider says of a person."""
    known = {"issuer": "i", "subject": "s", "username": "Ada", "display_name": "Ada", "email": None}
    return external.Said(**{**known, "groups": ("ward",), "has_second_factor": False, **more})


def test_groups_give_the_roles_of_the_table_and_others_give_none():
    assert external.roles_of(TABLE, groups=["ward", "desk", "choir"]) == ("clerk", "nurse")
    assert external.roles_of(None, groups=["ward"]) == ()


def test_the_table_is_changed_as_a_whole_and_says_what_came_and_went():
    fresh = external.changed(TABLE, entries=[{"group": " ward ", "roles": ["doctor"]}], at=AT)
    assert (fresh.version, dict(fresh.entries)) == (2, {"ward": ("doctor",)})
    added, removed = external.roles_changed(TABLE, after=fresh)
    assert (added, removed) == ({"ward: doctor"}, {"desk: clerk", "desk: nurse", "ward: nurse"})
    same = [{"group": "ward", "roles": ["nurse"]}, {"group": "desk", "roles": ["nurse", "clerk"]}]
    assert external.changed(TABLE, entries=same, at=AT) is TABLE
    assert external.roles_changed(TABLE, after=TABLE) == (set(), set())
    with pytest.raises(external.NotByGroup):
        external.changed(TABLE, entries=[{"group": "ward", "roles": ["super_admin"]}], at=AT)
    with pytest.raises(Invalid):
        external.changed(TABLE, entries=[*same, {"group": " ward", "roles": ["nurse"]}], at=AT)


@given(st.text(max_size=80))
def test_whatever_a_provider_calls_somebody_makes_a_user_name(name):
    base = external.base_name(said(username=name))
    made = external.username(said(username=name), is_taken={base, f"{base}-2"})
    assert made == f"{base}-3"
    assert 3 <= len(made) <= 64
    assert made == accounts.canonical(made)
    assert made[0].isalnum()


def test_a_super_admin_stays_one_and_areas_of_lost_roles_go():
    made = external.new_account(said(), account_id=ID, name="ada", roles=["nurse"], at=AT)
    assert (made.password_hash, made.roles) == (None, ("nurse",))
    assert external.followed(made, roles=["nurse"], at=AT) is made
    narrowed = replace(made, roles=("nurse", "super_admin"), areas={"nurse": Area(facilities=("f",))})
    after = external.followed(narrowed, roles=["doctor"], at=AT)
    assert (after.roles, after.areas, after.version) == (("doctor", "super_admin"), {}, 2)


def test_an_attempt_is_completed_once_in_time_by_whoever_began_it():
    attempt = external.Attempt(state_digest=b"s", binding_digest=b"b", nonce="n", sealed_verifier=b"v", made_at=AT)
    assert external.is_open(attempt, binding_digest=b"b", at=AT + timedelta(minutes=9))
    assert not external.is_open(attempt, binding_digest=b"x", at=AT)
    assert not external.is_open(attempt, binding_digest=b"b", at=AT + timedelta(minutes=10))
    assert not external.is_open(replace(attempt, used_at=AT), binding_digest=b"b", at=AT)
