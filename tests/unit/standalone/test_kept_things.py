"""Secrets, certificates and invented people."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, date, datetime
from pathlib import Path

import phonenumbers
import pytest
from cryptography import x509

from standalone import certificates, people
from standalone.keys import Secrets

TODAY = date(2026, 3, 2)


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets(tmp_path)


def test_a_secret_is_made_once_and_only_we_may_read_it(secrets: Secrets, tmp_path: Path):
    made = secrets.get("postgresql")
    assert len(made) == 43
    assert secrets.get("postgresql") == made == Secrets(tmp_path).get("postgresql")
    assert oct(secrets.path("postgresql").stat().st_mode & 0o777) == "0o600"


def test_secrets_of_two_names_and_of_two_houses_differ(secrets: Secrets, tmp_path: Path):
    (tmp_path / "other").mkdir()
    assert len({secrets.get("a"), secrets.get("b"), Secrets(tmp_path / "other").get("a")}) == 3


def test_a_password_that_is_typed_has_no_signs_that_look_alike(secrets: Secrets):
    assert re.fullmatch(r"([a-km-zA-HJ-NP-Z2-9]{5}-){3}[a-km-zA-HJ-NP-Z2-9]{5}", secrets.typed("super-admin"))


def test_the_authority_speaks_for_this_machine_only(tmp_path: Path):
    authority = x509.load_pem_x509_certificate(certificates.ensure(tmp_path).read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert [str(each.value) for each in limits.value.permitted_subtrees or []] == ["localhost", "127.0.0.0/8"]


def test_the_certificate_of_the_house_is_of_its_authority_and_kept(tmp_path: Path):
    certificates.ensure(tmp_path)
    first = (tmp_path / "house.pem").read_bytes()
    house, authority = (
        x509.load_pem_x509_certificate((tmp_path / name).read_bytes()) for name in ("house.pem", "ca.pem")
    )
    house.verify_directly_issued_by(authority)
    assert (house.not_valid_after_utc - datetime.now(UTC)).days > 300
    certificates.ensure(tmp_path)
    assert (tmp_path / "house.pem").read_bytes() == first
    ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))


def test_a_lost_authority_is_made_anew_with_its_certificate(tmp_path: Path):
    certificates.ensure(tmp_path)
    (tmp_path / "ca.key").unlink()
    certificates.ensure(tmp_path)
    house, authority = (
        x509.load_pem_x509_certificate((tmp_path / name).read_bytes()) for name in ("house.pem", "ca.pem")
    )
    house.verify_directly_issued_by(authority)


def test_the_same_seed_invents_the_same_people():
    first, again = (list(people.invented(40, seed=7, today=TODAY)) for _ in range(2))
    assert first == again
    assert first != list(people.invented(40, seed=8, today=TODAY))


def test_invented_people_come_in_many_scripts():
    names = {person.registration["family_name"] for person in people.invented(60, seed=7, today=TODAY)}
    letters = {letter for name in names for letter in name}
    for first, last in (
        ("a", "z"),
        ("α", "ω"),
        ("а", "я"),
        ("א", "ת"),
        ("ا", "ي"),
        ("अ", "ह"),
        ("一", "龥"),
        ("가", "힣"),
    ):
        assert any(first <= letter <= last for letter in letters), first


def test_invented_phones_belong_to_nobody():
    for person in people.invented(200, seed=7, today=TODAY):
        phone = person.registration["phones"][0]["number"]
        assert re.fullmatch(r"\+1 \d{3} 555 01\d\d|\+44 20 7946 0\d{3}", phone)
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone, None))
        assert person.registration["emails"][0]["address"].endswith("@example.org")


def test_invented_people_are_born_and_some_were_asked_about_allergies():
    found = list(people.invented(200, seed=7, today=TODAY))
    assert all(date.fromisoformat(person.registration["birth_date"]) <= TODAY for person in found)
    assert {None if each.allergies is None else bool(each.allergies) for each in found} == {None, False, True}
    assert any(person.problems for person in found)
