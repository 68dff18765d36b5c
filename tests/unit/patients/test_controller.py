"""The registration desk, called as methods, on a store in memory."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from services.kernel.errors import NotFound, Stale
from services.patients import model
from services.patients.controller import PatientsController
from tests.unit.patients.fake_store import FakePatientStore
from tests.unit.patients.making import AT, BLIND, HOUSE, Places, call, fields, patient_id

PASSPORT = [{"type": "passport", "value": "C01X00T47", "issuer": "DE"}]


@pytest.fixture
def store() -> FakePatientStore:
    return FakePatientStore(house=HOUSE)


@pytest.fixture
def desk(store) -> PatientsController:
    numbers = itertools.count(1)
    return PatientsController(store=store, facilities=Places(), house=HOUSE, new_id=lambda: patient_id(next(numbers)))


def registered(desk: PatientsController, **said) -> str:
    answer = desk.register_patient(fields(**said), call())
    assert answer.status == 201
    return answer.body["id"]


def test_a_patient_is_registered_told_and_audited(desk, store):
    asked = call()
    answer = desk.register_patient(fields(), asked)
    assert (answer.status, answer.body["mrn"], answer.body["version"]) == (201, "10000012", 1)
    assert [(each.type, each.subject, dict(each.data)) for each in store.told] == [
        ("patients.registered.v1", answer.body["id"], {})
    ]
    assert (asked.entry.patient_id, asked.entry.version, asked.entry.found) == (answer.body["id"], 1, ())


def test_a_likely_duplicate_is_shown_and_nothing_is_kept(desk, store):
    first = registered(desk)
    asked = call()
    answer = desk.register_patient(fields(given_name="Jhon"), asked)
    assert answer.status == 200
    assert [(each["patient"]["id"], each["score"]) for each in answer.body["candidates"]] == [(first, 90)]
    assert (answer.body["saved"], answer.body["hidden"], asked.entry.found) == (False, 0, (first,))
    assert len(store.now) == len(store.told) == 1
    assert desk.register_patient(fields(given_name="Jhon", confirm_duplicate=True), call()).status == 201


def test_who_may_not_read_learns_only_that_there_is_somebody(desk):
    registered(desk)
    asked = call(actor=BLIND)
    answer = desk.register_patient(fields(), asked)
    assert answer.body == {"saved": False, "candidates": [], "hidden": 1}
    assert asked.entry.found == ()


def test_an_identifier_of_somebody_else_is_refused(desk, store):
    registered(desk, identifiers=PASSPORT)
    with pytest.raises(model.IdentifierTaken):
        desk.register_patient(fields(family_name="Other", birth_date="1999-09-09", identifiers=PASSPORT), call())
    assert desk.register_patient(fields(identifiers=PASSPORT), call()).status == 200
    with pytest.raises(model.IdentifierTaken):
        desk.register_patient(fields(identifiers=PASSPORT, confirm_duplicate=True), call())
    assert len(store.now) == 1


def test_a_change_needs_the_current_version(desk, store):
    known = registered(desk)
    asked = call(version=1, at=AT + timedelta(days=1))
    changed = desk.update_patient(known, {"middle_name": "Q"}, asked)
    assert (changed.body["version"], changed.body["middle_name"]) == (2, "Q")
    assert (asked.entry.fields, store.told[-1].data) == (("middle_name",), {"fields": ["middle_name"]})
    with pytest.raises(Stale) as refused:
        desk.update_patient(known, {"prefix": "Dr."}, call(version=1))
    assert refused.value.fields == ("middle_name",)
    with pytest.raises(Stale) as refused:
        desk.update_patient(known, {"prefix": "Dr."}, call(version=9))
    assert refused.value.fields == ()


def test_what_changes_nothing_is_audited_and_keeps_the_version(desk, store):
    known = registered(desk)
    asked = call(version=1)
    assert desk.update_patient(known, {"family_name": "Smith"}, asked).body["version"] == 1
    assert (asked.entry.fields, len(store.told)) == ((), 1)


def test_a_change_cannot_take_an_identifier(desk):
    registered(desk, identifiers=PASSPORT)
    other = registered(desk, family_name="Other", birth_date="1999-09-09")
    with pytest.raises(model.IdentifierTaken):
        desk.update_patient(other, {"identifiers": PASSPORT}, call(version=1))


def test_own_identifiers_stay_own(desk):
    known = registered(desk, identifiers=PASSPORT)
    assert desk.update_patient(known, {"middle_name": "Q", "identifiers": PASSPORT}, call(version=1)).status == 200


def test_a_record_goes_out_of_use_and_comes_back(desk, store):
    known = registered(desk)
    asked = call(version=1)
    gone = desk.deactivate_patient(known, "moved_away", asked)
    assert gone.body == {"id": known, "standing": "inactive", "merged_into": None, "version": 2}
    assert asked.entry.fields == ("deactivation_reason", "standing")
    assert desk.search_patients({"text": "smith"}, call()).body["items"] == []
    back = desk.restore_patient(known, call(version=2))
    assert (back.body["standing"], back.body["version"]) == ("active", 3)
    assert [each.type for each in store.told][1:] == ["patients.deactivated.v1", "patients.restored.v1"]


def test_a_death_is_recorded(desk, store):
    known = registered(desk)
    dead = desk.mark_deceased(known, {"deceased_on": "2026-03-01"}, call(version=1))
    assert dead.body["standing"] == "deceased"
    assert store.told[-1].type == "patients.deceased.v1"
    assert desk.get_patient_standing(known, call())["standing"] == "deceased"


def test_reading_is_audited(desk):
    known, asked = registered(desk), call()
    assert desk.get_patient(known, asked).body["id"] == known
    assert asked.entry.patient_id == known


def test_who_may_not_read_finds_nothing_here(desk):
    known = registered(desk)
    for read in (desk.get_patient, desk.list_patient_changes):
        with pytest.raises(NotFound):
            read(known, call(actor=BLIND, permission="patients.read"))


def test_a_search_is_paged_and_audits_what_it_showed(desk):
    ids = [
        registered(desk, family_name="Berg", given_name=name, confirm_duplicate=True) for name in ("Ada", "Bea", "Cyd")
    ]
    asked = call()
    first = desk.search_patients({"text": "berg"}, asked, limit=2).body
    assert [each["patient"]["id"] for each in first["items"]] == ids[:2]
    assert asked.entry.found == tuple(ids[:2])
    rest = desk.search_patients({"text": "berg"}, call(), limit=2, cursor=first["next_cursor"]).body
    assert [each["patient"]["id"] for each in rest["items"]] == ids[2:]
    assert (rest["next_cursor"], rest["truncated"]) == (None, False)


def test_changes_are_paged_through_to_the_end(desk):
    known = registered(desk)
    for version in range(1, 6):
        desk.update_patient(known, {"middle_name": f"M{version}", "prefix": f"P{version}"}, call(version=version))
    seen, cursor = [], None
    while True:
        page = desk.list_patient_changes(known, call(), limit=3, cursor=cursor).body
        seen += [(each["version"], each["field"]) for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [(version, field) for version in range(6, 1, -1) for field in ("middle_name", "prefix")]
