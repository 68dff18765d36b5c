"""Identifiers: format by type, and one key for every writing."""

from __future__ import annotations

import pytest

from services.patients.model.identifiers import IdentifierType, broken_rule, identifier


def given(kind: str, value: str, issuer: str):
    return identifier(type=IdentifierType(kind), value=value, issuer=issuer)


@pytest.mark.parametrize(
    ("kind", "value", "issuer"),
    [
        ("passport", "C01X00T47", "DE"),
        ("passport", "c01x 00t47", "DE"),
        ("national_id", "123-45-6789", "US"),
        ("national_id", "943 476 5919", "GB"),
        ("national_id", "12345678Z", "ES"),
        ("national_id", "X1234567L", "ES"),
        ("national_id", "19-84.11/05", "KE"),
        ("driving_licence", "B072RRE2I55", "DE"),
        ("insurance", "A123456780", "AOK"),
        ("other", "7", "Staff"),
    ],
)
def test_identifiers_that_are_right(kind, value, issuer):
    assert broken_rule(given(kind, value, issuer)) is None


@pytest.mark.parametrize(
    ("kind", "value", "issuer", "broken"),
    [
        ("passport", "C01X00T47X", "DE", ("value", "passport_format")),
        ("passport", "C1", "DE", ("value", "passport_format")),
        ("passport", "C01X00T47", "ZZ", ("issuer", "country")),
        ("passport", "C01X00T47", "Germany", ("issuer", "country")),
        ("national_id", "000-45-6789", "US", ("value", "national_id_format")),
        ("national_id", "943 476 5918", "GB", ("value", "national_id_format")),
        ("national_id", "12345678A", "ES", ("value", "national_id_format")),
        ("national_id", "123", "KE", ("value", "national_id_format")),
        ("insurance", "A" * 31, "AOK", ("value", "insurance_format")),
    ],
)
def test_identifiers_that_break_a_rule(kind, value, issuer, broken):
    assert broken_rule(given(kind, value, issuer)) == broken


def test_every_writing_has_the_same_key():
    assert given("passport", "c01x-00t47", "DE").key == given("passport", "C01X 00T47", "DE").key
    assert given("insurance", "A1", "AÖK").key == given("insurance", "a 1", "aok").key


def test_type_and_issuer_belong_to_the_key():
    keys = {given(kind, "C01X00T47", issuer).key for kind in ("passport", "national_id") for issuer in ("DE", "FR")}
    assert len(keys) == 4


def test_a_family_may_share_an_insurance_number():
    assert given("passport", "C01X00T47", "DE").is_exclusive
    assert not given("insurance", "A123456780", "AOK").is_exclusive
