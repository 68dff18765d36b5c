"""What the outside sees."""

from __future__ import annotations

from datetime import date

from services.patients import model, view
from tests.unit.patients.making import AT, TODAY, patient, patient_id

DETAILS = {"phones", "emails", "addresses", "identifiers", "language", "zone", "contact_preference", "sex_at_birth"}


def test_a_record_is_shown_with_its_age_and_its_standing():
    shown = view.patient(patient(phones=[{"number": "5550101234"}]), today=TODAY)
    assert (shown["id"], shown["version"], shown["age_years"]) == (str(patient_id(1)), 1, 41)
    assert (shown["standing"], shown["registered_at"]) == ("active", AT)
    assert shown["phones"] == [{"number": "5550101234", "e164": "+15550101234", "use": "mobile"}]


def test_an_estimated_birth_has_a_year_and_no_date_and_ages_with_the_years():
    record = patient(birth_date=None, estimated_age=40)
    shown = view.patient(record, today=TODAY)
    assert (shown["birth_date"], shown["birth_year"], shown["birth_estimated"]) == (None, 1986, True)
    assert shown["age_years"] == 40
    assert view.summary(record, today=date(2027, 1, 1))["age_years"] == 41


def test_a_summary_tells_people_apart_and_keeps_contacts_and_numbers_back():
    shown = view.summary(patient(identifiers=[{"type": "passport", "value": "C01X00T47"}]), today=TODAY)
    assert not DETAILS & shown.keys()
    assert (shown["family_name"], shown["birth_date"]) == ("Smith", "1984-11-05")


def test_the_standing_says_nothing_about_the_person():
    assert view.standing(patient()) == {
        "id": str(patient_id(1)),
        "standing": "active",
        "merged_into": None,
        "version": 1,
    }


def test_a_contact_holds_what_a_message_needs_and_no_more():
    shown = view.contact(
        patient(phones=[{"number": "5550101234"}, {"number": "110"}], emails=[{"address": "j@example.org"}])
    )
    assert shown["phones"] == [{"e164": "+15550101234", "use": "mobile"}]
    assert shown["emails"] == [{"address": "j@example.org", "use": "home"}]
    assert (shown["given_name"], shown["standing"], shown["version"]) == ("John", "active", 1)
    assert not {"mrn", "birth_date", "identifiers", "addresses"} & shown.keys()


def test_hits_keep_their_order_and_score():
    records = [patient(2), patient(1)]
    hits = [model.Hit(id=patient_id(2), score=90), model.Hit(id=patient_id(1), score=80)]
    shown = view.search_page(hits, records, next_cursor=None, truncated=True, today=TODAY)
    assert [(each["score"], each["patient"]["id"]) for each in shown["items"]] == [
        (90, str(patient_id(2))),
        (80, str(patient_id(1))),
    ]
    assert shown["truncated"]
