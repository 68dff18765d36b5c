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


def desk(names, *permissions):
    session = Session("cookie", {"person": {"id": "u1", "permissions": permissions}})
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
