"""Who is led through the first steps of a new house, and which step comes next."""

from __future__ import annotations

import pytest

from frontend.controllers.first_run import STEPS, House, is_new, states, upcoming

ALL = ("facilities.manage", "users.manage", "users.read", "roles.assign", "notifications.test", "patients.read")


def test_whoever_may_do_all_of_it_is_led_through_a_house_without_a_facility() -> None:
    assert is_new(permissions=ALL, facilities=0, is_left=False)


@pytest.mark.parametrize("missing", ALL[:-1])
def test_whoever_may_not_do_one_of_the_steps_is_not(missing: str) -> None:
    assert not is_new(permissions=[each for each in ALL if each != missing], facilities=0, is_left=False)


def test_a_house_with_a_facility_is_not_new() -> None:
    assert not is_new(permissions=ALL, facilities=1, is_left=False)


def test_whoever_has_left_the_steps_is_left_in_peace() -> None:
    assert not is_new(permissions=ALL, facilities=0, is_left=True)


def test_the_steps_come_in_their_order() -> None:
    assert list(states(House())) == list(STEPS)


def test_the_password_comes_before_everything() -> None:
    assert upcoming(states(House(must_change_password=True))) == "password"


def test_a_new_house_begins_with_its_facility() -> None:
    assert upcoming(states(House())) == "facility"


def test_a_step_that_was_put_off_is_passed_over_and_stays_visible() -> None:
    found = states(House(facilities=1, locations=1, later=frozenset({"mail"})))
    assert (upcoming(found), found["mail"]) == ("people", "later")


def test_what_was_put_off_and_then_done_is_done() -> None:
    found = states(House(facilities=1, locations=1, is_mail_seen=True, later=frozenset({"mail"})))
    assert found["mail"] == "done"


def test_a_house_where_all_is_done_has_no_step_to_come() -> None:
    assert upcoming(states(House(facilities=1, locations=2, users=3, is_mail_seen=True))) is None
