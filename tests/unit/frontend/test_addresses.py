"""Addresses are those that Flask makes, however often and with whatever they are asked for."""

from __future__ import annotations

import re
import uuid

import flask
import pytest

from frontend.addresses import about, url_for
from frontend.controllers import AREAS


@pytest.fixture
def app():
    made = flask.Flask("frontend")
    for area in AREAS:
        area.register(made)
    with made.test_request_context():
        yield made


def test_every_page_has_the_address_that_flask_gives_it_for_one_record_and_for_the_next(app):
    seen = 0
    for rule in app.url_map.iter_rules():
        for more in ((), (), ("patient_id", "back")):
            given = {name: _value(rule.rule, name) for name in (*sorted(rule.arguments), *more)}
            assert url_for(rule.endpoint, **given) == flask.url_for(rule.endpoint, **given)
            seen += bool(given)
    assert seen > 50


def _value(rule: str, name: str) -> str:
    """An id, or a word where the address has a choice of words."""
    words = re.search(rf"any\('?([\w-]+)[^)]*\):{name}>", rule)
    return words[1] if words else str(uuid.uuid4())


@pytest.mark.parametrize(
    "cursor", ["a b/c&d=e#f", "{cursor}", "%s", "\N{ARABIC LETTER ALEF}", "", 7, True, None, ["a", "b"]]
)
def test_what_is_no_id_is_written_as_an_address_wants_it(app, cursor):
    patient = str(uuid.uuid4())
    for _ in range(2):
        for given in ({"cursor": cursor}, {"cursor": cursor, "patient_id": patient}, {"patient_id": patient}):
            assert url_for("messages.deliveries", **given) == flask.url_for("messages.deliveries", **given)


def test_a_part_of_a_page_is_named_behind_it(app):
    delivery = str(uuid.uuid4())
    given = {"delivery_id": delivery, "_anchor": "tries"}
    assert url_for("messages.show", **given) == f"/messages/{delivery}#tries"


def test_addresses_about_many_things_are_those_of_each(app):
    record = about("patients.show", "patient_id")
    for patient in (str(uuid.uuid4()), str(uuid.uuid4())):
        assert record(patient) == flask.url_for("patients.show", patient_id=patient)
