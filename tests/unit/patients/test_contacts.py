"""Phone numbers in any writing, e-mail, zones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.patients.model import contacts


@pytest.mark.parametrize(
    "written", ["+1 (555) 010-1234", "5550101234", "(555) 010-1234", "1-555-010-1234", "+15550101234", "555.010.1234"]
)
def test_one_number_in_every_writing_is_one_number(written):
    read = contacts.dialled(written, country="US")
    assert read == contacts.Dialled(international="+15550101234", national="5550101234")


@pytest.mark.parametrize(
    ("written", "country", "international", "national"),
    [
        ("030 5550101", "DE", "+49305550101", "305550101"),
        ("0049 30 5550101", "DE", "+49305550101", "305550101"),
        ("112", "DE", None, "112"),
        ("000", "DE", None, "000"),
        ("+39 06 5550101", "US", "+39065550101", "65550101"),
    ],
)
def test_numbers_are_read_as_they_are_dialled_in_a_country(written, country, international, national):
    assert contacts.dialled(written, country=country) == contacts.Dialled(
        international=international, national=national
    )


@pytest.mark.parametrize("written", ["12", "+999 1234567", "+1 23", "1" * 18, "(+999) 12345"])
def test_what_is_no_number_is_none(written):
    assert contacts.dialled(written, country="US") is None


@given(st.from_regex(r"\A[0-9+() ./-]{3,40}\Z"))
def test_any_text_of_the_contract_is_read_or_refused(written):
    read = contacts.dialled(written, country="US")
    assert read is None or (read.national.isdigit() and (read.international or "+")[0] == "+")


@pytest.mark.parametrize("address", ["ada@example.org", "ada+tag@example.org", "ж@пример.рф"])
def test_addresses_that_mail_can_go_to(address):
    assert contacts.is_email(address)


@pytest.mark.parametrize(
    "address", ["a b@example.org", "a@b@c", "@example.org", "a@", "a", "a\x00@b.c", '"a"@b.c', "a" * 65 + "@b.c"]
)
def test_addresses_that_mail_cannot_go_to(address):
    assert not contacts.is_email(address)


def test_zones_are_those_of_the_database():
    assert contacts.is_zone("Europe/Berlin")
    assert not contacts.is_zone("Europe/Atlantis")
    assert not contacts.is_zone("../../etc/passwd")
    assert not contacts.is_zone("localtime")
