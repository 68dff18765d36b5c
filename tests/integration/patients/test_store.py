"""One suite for the store in memory and the store in PostgreSQL: what the unit tests rely on is so in both."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from services.chassis import sql
from services.chassis.service import new_id, now
from services.chassis.stores import StoreBusy
from services.kernel.errors import NotFound
from services.patients import model
from services.patients.app import MIGRATIONS
from services.patients.repository import PatientsDatabase
from tests.integration.patients import making
from tests.unit.patients.fake_store import FakePatientStore
from tests.unit.patients.making import AT, EVERYWHERE, HOUSE, call, patient, patient_id, person

PASSPORT = [{"type": "passport", "value": "C01X00T47", "issuer": "DE"}]


@pytest.fixture(scope="module")
def database(postgres_url):
    sql.migrate(postgres_url, MIGRATIONS)
    engine = sql.engine(postgres_url, name="test", pool=2)
    yield sql.Database(engine, service="patients", clock=now, new_id=new_id)
    engine.dispose()


@pytest.fixture(params=["memory", "postgresql"])
def store(request, database, postgres_url):
    if request.param == "memory":
        return FakePatientStore(house=HOUSE)
    making.empty(postgres_url)
    return PatientsDatabase(database, house=HOUSE)


def kept(store, *records):
    with store.begin(call()) as tx:
        for each in records:
            tx.add(each)


def next_of(record, **changes):
    later = record.changed_at + timedelta(minutes=1)
    return dataclasses.replace(record, version=record.version + 1, changed_at=later, **changes)


def test_a_record_comes_back_whole(store):
    record = patient(
        middle_name="Q",
        sex_at_birth="male",
        phones=[{"number": "5550101234"}],
        emails=[{"address": "a@b.example"}],
        addresses=[{"lines": ["One", "Two"], "country": "DE"}],
        identifiers=PASSPORT,
        zone="Europe/Berlin",
        contact_preference="none",
        language="de",
    )
    kept(store, record)
    with store.read() as view:
        assert view.patient(record.id) == record
        assert view.patients([patient_id(9), record.id]) == [record]
        with pytest.raises(NotFound):
            view.patient(patient_id(9))


def test_an_estimated_birth_and_the_end_come_back(store):
    record = patient(birth_date=None, estimated_age=40)
    kept(store, record, patient(2, family_name="Other"))
    last = next_of(record, deceased_on=AT.date(), merged_into=patient_id(2), deactivation_reason="other")
    with store.begin(call()) as tx:
        tx.save(last)
    with store.read() as view:
        assert view.patient(record.id) == last


def test_every_version_is_kept_with_who_and_when(store):
    first = patient()
    kept(store, first)
    second = next_of(first, deactivation_reason="other")
    with store.begin(call()) as tx:
        assert tx.patient_to_change(first.id) == first
        tx.save(second)
    with store.read() as view:
        assert view.as_of(first.id, version=1) == model.snapshot(first)
        assert view.as_of(first.id, version=3) is None
        newest, oldest = view.versions(first.id, up_to=None, limit=5)
        assert (newest.version, newest.at, newest.by, newest.record) == (
            2,
            second.changed_at,
            "clerk",
            model.snapshot(second),
        )
        assert view.versions(first.id, up_to=1, limit=5) == [oldest]
        assert view.versions(first.id, up_to=None, limit=1) == [newest]


def test_a_version_is_saved_once(store):
    record = patient()
    kept(store, record)
    with store.begin(call()) as tx:
        tx.save(next_of(record))
    with pytest.raises(StoreBusy), store.begin(call()) as tx:
        tx.save(next_of(record))


def test_an_identifier_is_claimed_once_and_freed_with_the_record_that_drops_it(store):
    holder = patient(identifiers=PASSPORT)
    kept(store, holder)
    with pytest.raises(StoreBusy), store.begin(call()) as tx:
        tx.add(patient(2, family_name="Other", identifiers=PASSPORT))
    with store.read() as view:
        assert view.holders(person(identifiers=PASSPORT).identifiers) == [holder]
        assert view.holders(()) == []
        with pytest.raises(NotFound):
            view.patient(patient_id(2))
    with store.begin(call()) as tx:
        tx.save(next_of(holder, person=person()))
        tx.add(patient(2, family_name="Other", identifiers=PASSPORT))
    with store.read() as view:
        assert [each.id for each in view.holders(person(identifiers=PASSPORT).identifiers)] == [patient_id(2)]


def fail_late(store):
    with store.begin(call()) as tx:
        tx.add(patient())
        tx.record(model.happened("registered", patient()))
        raise RuntimeError("later")


def test_what_fails_leaves_nothing(store):
    with pytest.raises(RuntimeError, match="later"):
        fail_late(store)
    with store.read() as view, pytest.raises(NotFound):
        view.patient(patient_id(1))


def test_numbers_never_come_twice(store):
    numbers = []
    for _ in range(3):
        with store.begin(call()) as tx:
            numbers += [tx.next_number(), tx.next_number()]
    assert len(set(numbers)) == 6
    assert numbers == sorted(numbers)


def test_searches_find_the_exact_first_and_hide_what_is_hidden(store):
    like, part, exact = patient(1, family_name="Smits"), patient(2, family_name="Blacksmith"), patient(3)
    gone = dataclasses.replace(patient(4), deactivation_reason="other")
    kept(store, like, part, exact, gone)

    def find(**asked):
        with store.read() as view:
            return [
                each.id for each in view.matching(model.read_search(asked, house=HOUSE), within=EVERYWHERE, limit=10)
            ]

    assert find(text="smith") == [exact.id, part.id, like.id]
    assert find(text="smith", include_inactive=True) == [exact.id, gone.id, part.id, like.id]
    assert find(text="smith 1984-11-06") == []
    with store.read() as view:
        assert len(view.matching(model.read_search({"text": "smith"}, house=HOUSE), within=EVERYWHERE, limit=2)) == 2


def test_who_may_be_the_same_is_found_and_the_merged_are_not(store):
    same, other = patient(1), patient(2, birth_date="1990-01-01")
    guessed = patient(3, birth_date=None, estimated_age=42)
    passport = patient(4, family_name="Xu", given_name="Wei", birth_date="2000-01-01", identifiers=PASSPORT)
    kept(store, same, other, guessed, passport)
    kept(store, dataclasses.replace(patient(5), merged_into=same.id))
    with store.read() as view:
        found = view.alike(model.probe(person(identifiers=PASSPORT), house=HOUSE))
    assert [each.id for each in found] == [same.id, passport.id, guessed.id]
