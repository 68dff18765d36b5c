"""Forms: what the API said of a field stands beside that field."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from frontend.api import Refused
from frontend.forms import Form, Wrong
from frontend.words import Words


@pytest.mark.parametrize(
    ("pointer", "field"),
    [
        ("/family_name", "family_name"),
        ("/licence/number", "licence.number"),
        ("/phones/0/number", "phones.0.number"),
        ("/languages/1", "languages"),
        ("/addresses/0/lines/1", "addresses.0.lines"),
    ],
)
def test_an_error_stands_beside_the_field_that_it_is_about(pointer, field):
    form = Form()

    form.take(Refused(422, errors=[{"pointer": pointer, "rule": "required"}]), Words("en"))

    assert form.errors == {field: "This is needed."}


def test_a_field_that_cannot_be_empty_says_so_before_anything_is_sent():
    with pytest.raises(Wrong) as caught:
        Form.sent(MultiDict({"what": "  "})).needed("what")

    assert caught.value.fields == {"what": "required"}
