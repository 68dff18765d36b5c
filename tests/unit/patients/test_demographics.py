"""What was said about a person: checked field by field, all at once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.patients import model
from tests.unit.patients.making import AT, HOUSE, TODAY, fields, patient_id, person


def broken(known: model.Demographics | None = None, **said) -> set[tuple[str, str]]:
    """The pointers and rules that are refused."""
    with pytest.raises(model.DemographicsInvalid) as refused:
        model.read_demographics(fields(**said) if known is None else said, today=TODAY, house=HOUSE, known=known)
    return {(each.pointer, each.rule) for each in refused.value.errors}


def test_an_estimated_age_becomes_a_year_of_birth():
    born = person(birth_date=None, estimated_age=40).birth
    assert (born.year, born.date, born.is_estimated) == (1986, None, True)
    assert model.age_years(born, on=TODAY) == 40
    assert model.age_years(born, on=date(2027, 1, 1)) == 41


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        ("1984-11-05", "2026-11-04", 41),
        ("1984-11-05", "2026-11-05", 42),
        ("2004-02-29", "2026-02-28", 21),
        ("2004-02-29", "2026-03-01", 22),
        ("2026-03-02", "2026-03-02", 0),
    ],
)
def test_age_counts_whole_years(born, on, age):
    day = date.fromisoformat(born)
    assert model.age_years(model.Birth(year=day.year, date=day), on=date.fromisoformat(on)) == age


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 40000))
def test_nobody_gets_younger(born, days):
    birth = model.Birth(year=born.year, date=born)
    later = date.fromordinal(born.toordinal() + days)
    assert model.age_years(birth, on=later) == max(0, model.age_years(birth, on=later))
    assert model.age_years(birth, on=date.fromordinal(later.toordinal() + 1)) >= model.age_years(birth, on=later)


def test_today_is_the_day_in_the_hospital():
    tokyo = model.House(country="JP", zone=ZoneInfo("Asia/Tokyo"))
    assert tokyo.today(datetime(2026, 3, 1, 16, 0, tzinfo=UTC)) == date(2026, 3, 2)


def test_names_are_kept_composed_and_without_stray_blanks():
    assert person(family_name="  A\u030angstro\u0308m   Berg ").family_name == "Ångström Berg"


def test_everything_wrong_is_said_at_once():
    assert broken(
        family_name="\u200b",
        given_name="a\u202eb",
        birth_date="2026-03-03",
        estimated_age=40,
        phones=[{"number": "555 010 1234"}, {"number": "+999 12345"}],
        emails=[{"address": "a@b@c"}],
        addresses=[{"lines": ["x", "\u3164"], "city": "\x00", "country": "ZZ"}],
        zone="Europe/Atlantis",
        identifiers=[
            {"type": "passport", "value": "1"},
            {"type": "insurance", "value": "A12345"},
            {"type": "other", "value": "A1", "issuer": "\u200b"},
            {"type": "other", "value": "B1", "issuer": "X"},
            {"type": "other", "value": "b-1", "issuer": "x"},
        ],
    ) == {
        ("/family_name", "visible"),
        ("/given_name", "plain_text"),
        ("/birth_date", "not_in_future"),
        ("/estimated_age", "only_one_of_birth_date_and_estimated_age"),
        ("/phones/1/number", "phone_number"),
        ("/emails/0/address", "email"),
        ("/addresses/0/lines/1", "visible"),
        ("/addresses/0/city", "plain_text"),
        ("/addresses/0/country", "country"),
        ("/zone", "zone"),
        ("/identifiers/0/value", "passport_format"),
        ("/identifiers/1/issuer", "required"),
        ("/identifiers/2/issuer", "visible"),
        ("/identifiers/4/value", "repeated"),
    }


def test_one_of_birth_date_and_age_is_needed():
    assert broken(birth_date=None) == {("/birth_date", "required")}


def test_nobody_is_a_hundred_and_thirty_one():
    assert broken(birth_date="1895-12-31") == {("/birth_date", "too_long_ago")}
    assert person(birth_date="1896-01-01").birth.year == 1896


def test_a_national_number_without_a_country_is_of_the_house():
    (one,) = person(identifiers=[{"type": "national_id", "value": "123-45-6789"}]).identifiers
    assert one.issuer == "US"


def test_phones_keep_their_writing_and_get_their_international_form():
    one, two = person(phones=[{"number": "(555) 010-1234"}, {"number": "112", "use": "work"}]).phones
    assert (one.number, one.e164, one.use) == ("(555) 010-1234", "+15550101234", "mobile")
    assert (two.number, two.e164, two.use) == ("112", None, "work")


def test_addresses_zone_and_channel_are_kept_as_they_were_said():
    read = person(
        addresses=[{"lines": [" Musterweg  1 "], "city": "Berlin", "postal_code": "10115", "country": "DE"}],
        zone="Europe/Berlin",
        language="de",
        contact_preference="none",
    )
    (address,) = read.addresses
    assert (address.use, address.lines, address.city, address.region) == ("home", ("Musterweg 1",), "Berlin", None)
    assert (read.zone, read.language, read.contact_preference) == ("Europe/Berlin", "de", "none")


def test_a_change_touches_what_it_names_and_nothing_else():
    known = person(middle_name="Q", phones=[{"number": "555 010 1234"}])
    changed = model.read_demographics(
        {"middle_name": None, "emails": [{"address": "j@example.org"}]}, today=TODAY, house=HOUSE, known=known
    )
    assert changed.middle_name is None
    assert [each.address for each in changed.emails] == ["j@example.org"]
    assert (changed.phones, changed.family_name, changed.birth) == (known.phones, known.family_name, known.birth)


def test_a_birth_date_takes_the_place_of_an_estimate_and_back():
    known = person(birth_date=None, estimated_age=40)
    exact = model.read_demographics({"birth_date": "1985-07-01"}, today=TODAY, house=HOUSE, known=known)
    assert not exact.birth.is_estimated
    again = model.read_demographics({"estimated_age": 41}, today=TODAY, house=HOUSE, known=exact)
    assert (again.birth.year, again.birth.is_estimated) == (1985, True)


def test_a_change_to_both_is_refused():
    assert broken(person(), birth_date="1985-07-01", estimated_age=3) == {
        ("/estimated_age", "only_one_of_birth_date_and_estimated_age")
    }


@settings(max_examples=200)
@given(family=st.text(min_size=1, max_size=120), given_name=st.text(min_size=1, max_size=120))
def test_any_name_is_kept_findable_or_refused_by_a_rule(family, given_name):
    read, rules = None, set()
    try:
        read = person(family_name=family, given_name=given_name)
    except model.DemographicsInvalid as refused:
        rules = {each.rule for each in refused.errors}
    assert rules <= {"visible", "plain_text"}
    assert bool(rules) is (read is None)
    if read is not None:
        kept = model.register(read, id=patient_id(1), number=1, at=AT)
        assert len(model.keys_of(kept, house=HOUSE)) < 2000
        assert read.family_name.encode()
