"""What the pages of doctors make of what was typed, and of what the API lists."""

from __future__ import annotations

import pytest

from frontend.controllers.doctors import choosable, named, spoken

THINGS = {
    "a": {"name": "Surgery", "active": True},
    "b": {"name": "cardiology", "active": True},
    "c": {"name": "Leeching", "active": False},
}


@pytest.mark.parametrize(
    ("typed", "signs"),
    [("de, en", ["de", "en"]), ("DE en;ar", ["de", "en", "ar"]), (" de,,de ", ["de"]), ("", [])],
)
def test_languages_are_typed_as_people_list_them(typed, signs):
    assert spoken(typed) == signs


def test_what_is_out_of_use_can_be_kept_and_not_be_chosen_anew():
    assert choosable(THINGS) == [("b", "cardiology"), ("a", "Surgery")]
    assert choosable(THINGS, ["c"]) == [("b", "cardiology"), ("c", "Leeching"), ("a", "Surgery")]


def test_what_may_not_be_seen_is_kept_without_its_name():
    assert ("x", "–") in choosable(THINGS, ["x"])
    assert named(THINGS)(["a", "x"]) == "Surgery, –"
