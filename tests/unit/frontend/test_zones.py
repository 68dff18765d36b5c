"""The time zones that a place can have."""

from __future__ import annotations

from frontend.zones import zones


def test_each_is_found_by_its_name_and_by_its_city_in_the_language_of_the_page() -> None:
    assert ("Africa/Cairo", "Kairo") in zones("de")


def test_names_without_a_place_are_left_out() -> None:
    names = {name for name, _ in zones("en")}
    assert names.isdisjoint({"EST5EDT", "Etc/GMT+5", "US/Eastern", "posixrules"})


def test_a_house_without_a_place_can_live_by_universal_time() -> None:
    assert zones("en")[-1][0] == "UTC"
