"""What somebody is given, from what is ticked; and where an error of it is shown."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from frontend.api import Refused
from frontend.controllers.people import assignment, beside
from frontend.forms import Form


def form(*ticked: tuple[str, str]) -> Form:
    return Form(MultiDict(ticked))


def test_a_role_without_places_holds_everywhere() -> None:
    assert assignment(form(("roles", "nurse"))) == {"roles": ["nurse"]}


def test_a_role_is_narrowed_to_the_places_that_are_ticked_for_it() -> None:
    given = form(("roles", "nurse"), ("roles", "admin"), ("departments.nurse", "d1"), ("departments.nurse", "d2"))
    assert assignment(given)["areas"] == [{"role": "nurse", "departments": ["d1", "d2"]}]


def test_places_of_a_role_that_is_not_given_are_not_sent() -> None:
    assert assignment(form(("roles", "admin"), ("facilities.nurse", "f1"))) == {"roles": ["admin"]}


def test_an_error_of_an_area_stands_beside_the_boxes_of_its_role() -> None:
    given = form(("roles", "admin"), ("roles", "nurse"), ("facilities.nurse", "f1"), ("departments.nurse", "d1"))
    refused = Refused(422, errors=[{"pointer": "/areas/0/departments", "rule": "other_facility"}])
    assert [each["pointer"] for each in beside(refused, given).errors] == ["/departments.nurse"]


def test_another_error_stays_where_it_is() -> None:
    refused = Refused(
        422, errors=[{"pointer": "/username", "rule": "pattern"}, {"pointer": "/areas", "rule": "max_items"}]
    )
    assert [each["pointer"] for each in beside(refused, form()).errors] == ["/username", "/areas"]
