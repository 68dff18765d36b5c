from __future__ import annotations

from typing import Any, cast

import pytest

from frontend.desk import Desk
from frontend.session import Session


def desk(**person: Any) -> Desk:
    nothing = cast("Any", None)
    session = Session("cookie", {"person": person})
    return Desk(session=session, sessions=nothing, api=nothing, words=nothing, names=nothing, nonce="")


@pytest.mark.parametrize(
    ("person", "page"),
    [
        ({"roles": ["doctor"], "permissions": ["account.open", "account.own"]}, None),
        ({"roles": [], "permissions": ["account.open"]}, None),
        ({"roles": ["doctor"], "permissions": ["account.open"]}, "account.second_factor"),
        (
            {"roles": ["doctor"], "permissions": ["account.open"], "must_change_password": True},
            "account.password",
        ),
    ],
    ids=["nothing", "without roles there is nothing to open", "a factor", "the password comes first"],
)
def test_what_is_owed_comes_before_all_else(person: dict[str, Any], page: str | None) -> None:
    assert desk(**person).owed == page


@pytest.mark.parametrize(
    ("chosen", "record"), [(None, "own"), ("child", "child"), ("stranger", "own")], ids=["none", "linked", "not linked"]
)
def test_the_record_is_the_one_that_was_chosen_among_the_links_else_the_own(chosen: str | None, record: str) -> None:
    links = [{"patient_id": "child", "relation": "guardian"}, {"patient_id": "own", "relation": "self"}]
    found = desk(links=links)
    if chosen:
        found.session.set("patient", chosen)

    assert found.own_patient == record
