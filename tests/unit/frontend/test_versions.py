"""Two versions of one thing: only what differs is shown."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from frontend.forms import Form
from frontend.versions import differing, plain

FIELDS = {"name": ("Name", plain), "place": ("Place", plain), "rooms": ("Rooms", plain)}


def test_fields_that_are_the_same_in_both_are_not_shown():
    typed = Form.sent(MultiDict([("name", " Mill "), ("place", "north"), ("rooms", "1"), ("rooms", "2")]))
    stands = Form.of({"name": "Mill", "place": "south", "rooms": ["2", "1"]})

    assert differing(typed, stands, FIELDS) == [("Place", "south", "north")]


def test_what_was_emptied_or_unticked_differs_from_what_stands():
    typed = Form.sent(MultiDict([("name", ""), ("place", "south")]))
    stands = Form.of({"name": "Mill", "place": "south", "rooms": ["1", "2"]})

    assert differing(typed, stands, FIELDS) == [("Name", "Mill", ""), ("Rooms", "1, 2", "")]
