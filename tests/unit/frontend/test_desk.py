"""Who asks: what the desk knows of whoever is signed in."""

from __future__ import annotations

import pytest

from frontend.desk import Desk
from frontend.session import Session
from frontend.words import Words
from services.kernel.errors import Unavailable


class FakeNames:
    def __init__(self, doctors=None):
        self._doctors = doctors

    def doctors(self):
        if self._doctors is None:
            raise Unavailable("doctors")
        return self._doctors


def desk(names, *permissions, **person):
    account = {"id": "u1", "permissions": list(permissions), **person}
    session = Session("cookie", {"access": "token", "person": account})
    return Desk(session=session, sessions=None, api=None, words=Words("en"), names=names, nonce="")


KNOWN = {"d1": {"user_id": None}, "d2": {"user_id": "u1"}}


def test_a_doctor_who_keeps_the_own_hours_finds_the_own_profile():
    assert desk(FakeNames(KNOWN), "doctors.read", "schedules.manage_own").own_doctor == "d2"


@pytest.mark.parametrize(
    ("names", "permissions"),
    [
        (FakeNames({"d1": {"user_id": None}}), ("doctors.read", "schedules.manage_own")),
        (FakeNames(KNOWN), ("doctors.read",)),
        (FakeNames(), ("doctors.read", "schedules.manage_own")),
    ],
    ids=["no doctor", "may not plan", "nobody can say"],
)
def test_everybody_else_has_none(names, permissions):
    assert desk(names, *permissions).own_doctor is None


@pytest.mark.parametrize(
    ("permissions", "person", "page"),
    [
        (["account.open", "account.own"], {"roles": ["doctor"]}, None),
        (["account.open"], {"roles": []}, None),
        (["account.open"], {"roles": ["doctor"]}, "account.second_factor"),
        (["account.open"], {"roles": ["doctor"], "must_change_password": True}, "account.password"),
    ],
    ids=["nothing", "without roles there is nothing to open", "a factor", "the password comes first"],
)
def test_what_is_owed_comes_before_all_else(permissions, person, page):
    assert desk(FakeNames(), *permissions, **person).owed == page


@pytest.mark.parametrize(
    ("chosen", "record"), [(None, "own"), ("child", "child"), ("stranger", "own")], ids=["none", "linked", "not linked"]
)
def test_the_record_is_the_one_that_was_chosen_among_the_links_else_the_own(chosen, record):
    links = [{"patient_id": "child", "relation": "guardian"}, {"patient_id": "own", "relation": "self"}]
    found = desk(FakeNames(), links=links)
    if chosen:
        found.session.set("patient", chosen)

    assert found.own_patient == record
