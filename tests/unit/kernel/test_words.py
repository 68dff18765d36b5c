"""The words that all services share: terms, errors, actors."""

from __future__ import annotations

import pytest

from services.kernel.access import NOBODY, Actor
from services.kernel.coding import Coding
from services.kernel.errors import Conflict, FieldError, Invalid, TooMany, Unavailable


def test_a_code_and_its_system_come_together() -> None:
    with pytest.raises(ValueError, match="system"):
        Coding(display="Penicillin", code="764146007")
    with pytest.raises(ValueError, match="system"):
        Coding(display="Penicillin", system="http://snomed.info/sct")
    assert Coding(display="Penicillin", system="http://snomed.info/sct", code="764146007").is_coded
    assert not Coding(display="Penicillin").is_coded


def test_coded_terms_are_compared_by_code_and_others_by_words() -> None:
    coded = Coding(display="Penicillin", system="s", code="1")
    assert coded.means_the_same_as(Coding(display="Something else", system="s", code="1"))
    assert not coded.means_the_same_as(Coding(display="Penicillin", system="s", code="2"))
    assert coded.means_the_same_as(Coding(display=" PENICILLIN "))
    assert Coding(display="Bee  venom").means_the_same_as(Coding(display="bee venom"))
    assert not Coding(display="Bee venom").means_the_same_as(Coding(display="Wasp venom"))


def test_an_error_is_its_code_and_facts_and_not_a_status() -> None:
    error = Conflict(detail="Do this.", fields=["name"], facts={"left": 1})
    assert (str(error), error.detail, error.fields, error.facts) == ("conflict", "Do this.", ("name",), {"left": 1})
    assert Invalid(errors=[FieldError("required", pointer="/name")]).errors[0].pointer == "/name"
    assert TooMany(retry_after_s=3).retry_after_s == 3
    assert (Unavailable("bus").what, Unavailable("bus").retry_after_s) == ("bus", 1)


def test_an_actor_may_what_its_permissions_say() -> None:
    actor = Actor(subject="s", permissions=frozenset({"patients.read"}))
    assert actor.may("patients.read")
    assert not actor.may("patients.update")
    assert not NOBODY.may("patients.read")
