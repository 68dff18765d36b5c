"""How far an account reaches: areas of single roles, links that end, and roles that hold about linked records only."""

from __future__ import annotations

import pytest

from services.chassis import reach
from services.chassis.gate import Gate, SignedIn
from services.chassis.policy import assigned_only
from services.kernel.access import Actor, Area, Scope
from services.kernel.errors import StepUpRequired

AREAS = {"clerk": {"facilities": ["f-1"], "departments": []}, "guard": {"facilities": ["f-2"], "departments": ["d-1"]}}
LINKS = [["r-1", "own", None], ["r-2", "linked", 100], ["r-3", "linked", None]]
ALLOWED = {"clerk": frozenset({"a", "b"}), "guard": frozenset({"b", "c"}), "guest": frozenset({"a"})}


def actor(
    *roles: str,
    by_link: frozenset[str] = frozenset({"guest"}),
    assigned: dict[str, frozenset[str]] | None = None,
    now: float = 50.0,
) -> Actor:
    """An account with these roles, as the policy makes it."""
    allowed = {role: ALLOWED[role] for role in roles}
    return Actor(
        subject="u-1",
        scope=reach.scope(roles, areas=AREAS, links=LINKS, by_link=by_link, now=now),
        grants=reach.grants(allowed, areas=AREAS, by_link=by_link, assigned=assigned or {}),
        permissions=frozenset().union(*allowed.values()),
    )


def test_each_permission_reaches_as_far_as_the_roles_that_hold_it() -> None:
    both = actor("clerk", "guard")
    assert (both.scope.facilities, both.scope.departments) == ({"f-1", "f-2"}, None)
    assert [both.under(each).covers_facility("f-1") for each in "abc"] == [True, True, False]
    assert [both.under(each).covers_facility("f-2") for each in "abc"] == [False, True, True]
    assert both.under("c").covers_department("d-1", facility_id="f-2")
    assert not both.under("c").covers_department("d-2", facility_id="f-2")
    assert both.under("b").covers_department("d-9", facility_id="f-1"), "the clerk's facility is whole"
    assert both.under("c").scope.departments == {"d-1"}


def test_a_role_by_link_reaches_linked_records_and_no_place() -> None:
    guest = actor("guest")
    assert guest.scope.areas == ()
    assert (guest.scope.facilities, guest.covers_facility("f-1")) == (frozenset(), False)
    assert [guest.is_about(each) for each in ("r-1", "r-2", "r-3", "r-4")] == [True, True, True, False]
    assert guest.scope == Scope(areas=(), own="r-1", linked=frozenset({"r-2", "r-3"}))
    staff = actor("guest", "clerk")
    assert staff.under("a").covers_facility("f-1"), "what the clerk may, the clerk may, although a guest as well"


def test_links_give_what_a_role_by_link_holds_and_not_what_the_same_person_may_at_work() -> None:
    staff = actor("guest", "clerk")
    assert staff.under("a").is_about("r-1"), "a guest may"
    assert not staff.under("b").is_about("r-1"), "a clerk may, about a place"
    assert staff.under("b").under("a").is_about("r-1"), "what one permission leaves out is there for the next"


def test_a_role_may_hold_some_permissions_about_what_is_assigned_to_the_account_only() -> None:
    clerk = actor("clerk", assigned={"clerk": frozenset({"b"})})
    assert clerk.under("a").scope.areas == (Area(facilities=frozenset({"f-1"})),)
    assert clerk.under("b").scope.areas == (Area(facilities=frozenset({"f-1"}), is_assigned=True),)
    both = actor("clerk", "guard", assigned={"clerk": frozenset({"b"})})
    assert [each.is_assigned for each in both.under("b").scope.areas] == [True, False], "each role reaches as it does"
    everywhere = reach.grants({"x": frozenset({"a", "b"})}, areas={}, by_link=frozenset(), assigned={"x": {"b"}})
    assert [(set(each.permissions), each.area) for each in everywhere] == [
        ({"a"}, Area()),
        ({"b"}, Area(is_assigned=True)),
    ]


def test_a_part_of_a_facility_is_not_all_of_it() -> None:
    both = actor("clerk", "guard")
    assert [both.under("b").covers_whole(each) for each in ("f-1", "f-2", "f-3")] == [True, False, False]
    assert [both.is_at_work, actor("guest").is_at_work] == [True, False]
    assert [Actor(subject="u").scope.is_everywhere, both.scope.is_everywhere] == [True, False]
    assert not Scope(areas=(Area(is_assigned=True),)).is_everywhere, "everywhere, but not about everybody"


def test_fixed_roles_say_in_their_list_what_they_hold_about_what_is_assigned() -> None:
    roles = {"clerk": {"permissions": ["a", "b"], "assigned": ["b"]}, "guard": {"permissions": ["b"]}}
    assert assigned_only({"permissions": {}, "roles": roles}) == {"clerk": {"b"}}


def test_a_link_ends_with_its_time() -> None:
    assert actor("guest", now=99.9).is_about("r-2")
    assert not actor("guest", now=100.0).is_about("r-2")


def test_without_areas_and_links_there_is_nothing_to_work_out() -> None:
    assert reach.grants(ALLOWED, areas={}, by_link=frozenset(), assigned={}) == ()
    everywhere = Actor(subject="u-1")
    assert everywhere.under("a") is everywhere
    assert everywhere.scope.areas == (Area(),)
    assert everywhere.covers_facility("f-9")
    assert not everywhere.is_about("r-1")


class Fixed:
    """A token that is always the same actor, and a policy that is live."""

    is_live = True

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def actor(self, token: str) -> tuple[Actor, dict[str, str]]:
        return self._actor, {"sub": token}


class Operation:
    """An operation that asks for the second factor anew."""

    operation_id, needs_live_policy, needs_step_up = "open_vault", False, True


@pytest.mark.parametrize(
    ("needs", "shown_at", "opens"),
    [(False, None, True), (True, None, False), (True, 700, False), (True, 701, True), (True, 1000, True)],
)
def test_what_asks_for_a_second_factor_anew_takes_one_of_the_last_five_minutes(
    needs: bool, shown_at: int | None, opens: bool
) -> None:
    who = Actor(subject="u", permissions=frozenset({"a"}), needs_second_factor=needs, second_factor_at=shown_at)
    fixed = Fixed(who)
    gate = Gate(operations={"open_vault": Operation()}, tokens=fixed, policy=fixed, clock=lambda: 1000.5)
    routing = {"connexion_routing": {"operation_id": "open_vault"}}
    scope = {"headers": [(b"authorization", b"Bearer x")], "extensions": routing}
    if opens:
        gate.check(scope, ["a"])
        assert scope["extensions"]["infirmary.signed_in"] == SignedIn(who, "x")
    else:
        with pytest.raises(StepUpRequired):
            gate.check(scope, ["a"])
